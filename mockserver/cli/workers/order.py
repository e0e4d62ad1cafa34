"""What a supervisor and a worker say to each other, over a socket pair.

The supervisor sends one `Order`. The worker answers with a line of JSON for each thing that has happened. When one of
them is gone, however it died, the other sees the end of the stream.
"""

import json
import pickle
import socket
from dataclasses import asdict, dataclass, replace
from typing import Any

from mockserver.settings import Settings


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that all workers serve.

    Args:
        socket: file descriptor of its listening socket.
        folder: where the certificates are that programs are to trust; the supervisor removes it.
        secret: the CA's certificate, and the hosts' certificate with its key (PEM), as the first worker made them.
    """

    socket: int
    folder: str
    secret: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to do.

    Args:
        number: its place, from 1. In the first place a worker also does what only one process may.
        announces: whether it prints the text of the start.
        sockets: file descriptors of listening sockets.
        turn: file descriptor of a file that is locked while lines are written.
        program: the supervisor's `sys.argv[0]`, for the commands that are printed.
    """

    settings: Settings
    config: str | None
    number: int
    announces: bool
    sockets: tuple[int, ...]
    turn: int
    program: str
    proxy: Proxy | None = None

    def encoded(self) -> bytes:
        return pickle.dumps(self)

    def descriptors(self) -> tuple[int, ...]:
        """The file descriptors that the worker inherits."""
        return (*self.sockets, self.turn, *((self.proxy.socket,) if self.proxy else ()))

    def after(self, said: "Said") -> "Order":
        """What the next worker is told, after one has said that it serves."""
        proxy = replace(self.proxy, secret=said.secret) if self.proxy and said.secret else self.proxy
        return replace(self, announces=False, proxy=proxy)


@dataclass(frozen=True, slots=True)
class Said:
    """What a worker says: "serves", "refuses" (a sentence, and its exit status), or "stopped".

    Args:
        pending: how many tasks and callbacks are pending, if the store says so.
        secret: as in `Proxy`, from the worker that made it.
    """

    what: str
    sentence: str = ""
    status: int = 0
    pending: tuple[int, int] | None = None
    secret: tuple[str, str] | None = None

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Said":
        found = json.loads(line).items()
        facts: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in found}
        return cls(**facts)


def read_order(link: socket.socket) -> Order:
    """The order that comes over a link."""
    with link.makefile("rb") as file:
        order: Order = pickle.load(file)
    return order
