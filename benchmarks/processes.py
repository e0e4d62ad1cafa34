"""Starts the measured processes, reads their CPU time and memory from /proc, and ends them by pid."""

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, LOAD_CPU = CPUS[0], CPUS[-1]
OWN_CORES = len(CPUS) >= 4
"""Whether two workers, their store and the load can have a core each."""

WORKER_CPUS = tuple(CPUS[:2] if OWN_CORES else CPUS)
STORE_CPU = CPUS[-2] if OWN_CORES else LOAD_CPU
"""The server has a core of its own, and so has what loads it; on a machine with one core they share it."""

LONGEST_START = 30.0
LONGEST_BUSY = 5.0
IDLE_SECONDS = 0.05
"""Several of the ticks in which the kernel counts."""


class Broken(Exception):
    """A measured program does not run, or does not answer as expected."""


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_json(command: Sequence[str], timeout: float, cpu: int = SERVER_CPU) -> Any:
    """Run a command to its end and read the JSON that is its last line."""
    with Process(command, cpu=cpu) as process:
        return json.loads(process.output(timeout).splitlines()[-1])


class Process:
    """A command on one core, or on several. As a context manager it is ended, with what it has started."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cpu: int | Collection[int] = SERVER_CPU,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
    ) -> None:
        cores = {cpu} if isinstance(cpu, int) else set(cpu)
        self.command = list(command)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        self.started = time.monotonic()
        self._child = subprocess.Popen(
            self.command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self.pid = self._child.pid

    def cpu(self) -> float:
        """Seconds of CPU that it and its children have used."""
        return sum(_cpu(pid) for pid in self._family())

    def rss(self) -> int:
        """Bytes of memory that it and its children have resident."""
        return sum(_rss(pid) for pid in self._family())

    def running(self) -> bool:
        return self._child.poll() is None

    def output(self, timeout: float) -> str:
        """What it wrote, once it has ended. Raises Broken if it fails, or takes longer."""
        try:
            status = self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Broken(f"{self._name()} took longer than {timeout:g} s: {self.said()[-500:]}") from None
        if status:
            raise Broken(f"{self._name()} ended with status {status}: {self.said()[-300:]}")
        return self.said()

    def said(self) -> str:
        """What it has written so far."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def until_open(self, port: int, pause: float = 0.02) -> None:
        """Wait until the process listens on a port. Raises Broken if it ends, or takes too long."""
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                if not self.running() or time.monotonic() > self.started + LONGEST_START:
                    raise Broken(f"{self._name()} does not listen: {self.said()[-1500:]}") from None
                time.sleep(pause)
            else:
                return

    def until_idle(self) -> None:
        """Wait until it uses no CPU any more, for a few seconds at most."""
        end, before = time.monotonic() + LONGEST_BUSY, -1.0
        while (used := self.cpu()) != before and time.monotonic() < end:
            before = used
            time.sleep(IDLE_SECONDS)

    def kill(self) -> None:
        """End it and its children as a crash does."""
        for pid in self._family():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._child.wait()

    def end(self) -> None:
        """End it and its children, by pid."""
        family = self._family()
        self._child.terminate()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for pid in family[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._log.close()

    def _name(self) -> str:
        return " ".join(self.command)[:120]

    def _family(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            try:
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    found += map(int, (thread / "children").read_text().split())
            except OSError:
                continue
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS  # utime and stime


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def ask(port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """Send one request to a port of this machine; returns its JSON answer. Raises Broken for an error status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    if response.status >= 300:
        raise Broken(f"{method} {path} answered {response.status}: {data[:300]!r}")
    return json.loads(data) if data else None
