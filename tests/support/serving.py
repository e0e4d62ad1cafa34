"""`mockserver serve` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx

from support import web
from support.processes import heed_signals

COMMAND = (sys.executable, "-m", "mockserver")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("MOCKSERVER_")}
KEY = "a-key-that-nobody-may-see"


@dataclass
class Running:
    """`mockserver serve` in a process: its root URL and what it printed at the start."""

    process: subprocess.Popen[str]
    text: str
    root: str

    def post(self, path: str, prompt: str = "hi", key: str = KEY, **fields: Any) -> httpx.Response:
        body = {"model": "gpt-image-2", "prompt": prompt, **fields}
        return web.post(self.root + path, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=20)

    def end(self, how: int = signal.SIGTERM) -> tuple[int, float, list[str], str]:
        """Signal it: exit status, seconds that took, the lines since the start, and what is on stderr."""
        began = monotonic()
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=5)
        return self.process.returncode, monotonic() - began, out.splitlines(), err


@contextmanager
def running(*flags: str, command: Sequence[str] = COMMAND, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Serve on a free port until the block ends."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process: subprocess.Popen[str] = subprocess.Popen(
        [*command, "serve", "--port", "0", *flags],
        env={**CLEAN, **(env or {})},
        preexec_fn=heed_signals,
        **pipes,  # type: ignore[call-overload]
    )
    with process:
        assert process.stdout is not None
        text = ""
        while "\nCtrl-C ends it.\n\n" not in text and not text.startswith("{"):
            line = process.stdout.readline()
            assert line, process.communicate()
            text += line
        found = re.search(r"https?://[\w.:\[\]]+:[0-9]+", text)
        assert found
        try:
            yield Running(process, text, found[0])
        finally:
            process.kill()
