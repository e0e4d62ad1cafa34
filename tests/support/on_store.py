"""`python -m support.on_store KIND [PYTEST ARGUMENTS]`: run tests with their servers on a store of a kind.

Without arguments: the fault tests, the state machine and the contract suite, whose mocks are two processes each.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from support.stores import KINDS, VARIABLE, new_store, stores

ROOT = Path(__file__).parents[2]
OWN = ("tests/faults", "tests/test_machine.py", "-n", "2")
MOCK = f"{sys.executable} {Path(__file__).resolve()} --mock"


def run(kind: str, arguments: Sequence[str]) -> int:
    with TemporaryDirectory(prefix="mockserver-test-") as folder, stores(kind, Path(folder)) as template:
        env = {**os.environ, VARIABLE: template, "CONTRACT_MOCK_COMMAND": MOCK}
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT / "tests"), os.environ.get("PYTHONPATH"))))
        runs = [arguments] if arguments else [OWN, ("contract_tests",)]
        done = [subprocess.run([sys.executable, "-m", "pytest", *one], cwd=ROOT, env=env, check=False) for one in runs]
        return max(one.returncode for one in done)


def mock(arguments: Sequence[str]) -> None:
    """Become a mock of two processes, on a store of its own."""
    options = ("--store", new_store(), "--workers", "2")
    os.execv(sys.executable, (sys.executable, "-m", "mockserver", *arguments, *options))


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == ["--mock"]:
        mock(arguments[1:])
    if not arguments or arguments[0] not in KINDS:
        print(f"test: --store needs one of {', '.join(KINDS)}", file=sys.stderr)
        return 2
    return run(arguments[0], arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
