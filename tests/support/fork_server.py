"""The program behind `forked_pytest`: for each line of JSON on its input, it runs pytest in a fork of itself.

It is started by its path and imports none of the tests' modules, so that a fork has what a new process would have, but
for the modules that are imported already.
"""

import gc
import json
import os
import signal
import sys
from importlib import import_module
from typing import Any

PRELOADED = (
    "aiohttp.web",
    "anyio._backends._asyncio",
    "dirty_equals",
    "hypothesis.internal.conjecture.engine",
    "hypothesis.strategies",
    "httpx",
    "openai.resources.images",
    "PIL.Image",
    "pydantic.main",
    "pytest",
    "trio",
)
"""What is slow to import. No plugin and no test module is among it: pytest imports those itself, to rewrite them."""


def main() -> None:
    del sys.path[0]  # this folder
    for name in PRELOADED:
        import_module(name)
    gc.freeze()  # so that no fork's collections go through all of it
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if (child := os.fork()) == 0:
            sys.exit(_pytest(order))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _pytest(order: dict[str, Any]) -> int:
    """Run pytest as `python -m pytest` would; SIGALRM ends it after its time."""
    signal.alarm(order["timeout"])
    output = os.open(order["output"], os.O_WRONLY)
    for stream, number in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
        os.dup2(stream, number)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environ"])
    sys.path[:0] = order["path"]
    return int(import_module("pytest").main(order["arguments"]))


if __name__ == "__main__":
    main()
