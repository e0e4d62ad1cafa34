"""Runs of pytest in processes of their own, which need not import everything anew (see `fork_server`)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import NamedTemporaryFile

PROGRAM = Path(__file__).parent / "fork_server.py"
WITHOUT = ("-p", "no:schemathesis", "-p", "no:valkey")
"""Without plugins of packages that only this project's own tests use; to import them takes a second."""

QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Without pytest's warning that a package with a plugin in it was imported before the plugin was."""


class PytestForks:
    """The process whose forks are the runs: one at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._read("ready")

    def _read(self, *wanted: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the process that runs pytest has ended"
        assert not wanted or line in wanted, line
        return line

    def run(
        self, *arguments: str, cwd: Path, environ: Mapping[str, str], path: Sequence[Path] = (), timeout: int = 120
    ) -> CompletedProcess[str]:
        """What `python -m pytest` prints, on either stream; `path` is its PYTHONPATH."""
        assert self._process.stdin is not None
        with NamedTemporaryFile("r", encoding="utf-8", errors="replace") as output:
            order = {
                "arguments": [*arguments, *WITHOUT, *QUIET],
                "cwd": str(cwd),
                "environ": {**environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
                "path": [str(cwd), *map(str, path)],
                "output": output.name,
                "timeout": timeout,
            }
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return CompletedProcess(arguments, int(self._read()), output.read())


@contextmanager
def forking() -> Iterator[PytestForks]:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(PROGRAM)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True) as process:
        yield PytestForks(process)
