"""Built-in callback receivers (sinks): each answers from a script and records the requests that it gets."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from mockserver.engine.addresses import is_loopback_target

PATH = "/_mock/sink/"
RECEIVED_KEPT = 1_000
"""Requests kept for each sink."""

SINKS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a script: an HTTP status, after `delay` seconds of the clock."""

    status: int = 200
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Received:
    """A request that a sink got, and when (Unix seconds)."""

    time: float
    headers: Mapping[str, str]
    body: str


@dataclass(slots=True)
class Sink:
    """A receiver with a script of replies; after the last of them it answers 200."""

    script: deque[Reply] = field(default_factory=deque)
    received: deque[Received] = field(default_factory=lambda: deque(maxlen=RECEIVED_KEPT))
    dropped: int = 0

    def receive(self, time: float, headers: Mapping[str, str], body: bytes) -> Reply:
        """Record a request; returns the script's next reply."""
        self.dropped += len(self.received) == self.received.maxlen
        self.received.append(Received(time, headers, body.decode("utf-8", "replace")))
        return self.script.popleft() if self.script else Reply()


@dataclass(slots=True)
class Sinks:
    """Every sink by name. One is made when its name is first used; beyond SINKS_KEPT, the oldest is dropped."""

    by_name: dict[str, Sink] = field(default_factory=dict)
    dropped: int = 0

    def get(self, name: str) -> Sink:
        if name not in self.by_name:
            self.put(name, Sink())
        return self.by_name[name]

    def put(self, name: str, sink: Sink) -> None:
        """Add a sink; one of the same name is replaced."""
        self.by_name.pop(name, None)
        if len(self.by_name) >= SINKS_KEPT:
            del self.by_name[next(iter(self.by_name))]
            self.dropped += 1
        self.by_name[name] = sink

    def named_by(self, url: str) -> str | None:
        """The name of the sink that a loopback URL addresses; None for any other URL."""
        return sink_named_by(url)


@lru_cache(256)
def sink_named_by(url: str) -> str | None:
    path = unquote(urlsplit(url).path)
    if not path.startswith(PATH) or not is_loopback_target(url):
        return None
    return path.removeprefix(PATH).partition("/")[0] or None
