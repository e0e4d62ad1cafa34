"""Built-in receivers: they answer by a script and record what they were sent, so that retries need no receiver."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from mockserver.engine.addresses import is_loopback_target

PATH = "/_mock/sink/"
RECEIVED_KEPT = 1_000
SINKS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of a script: an HTTP status, after `delay` seconds of the clock."""

    status: int = 200
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Received:
    """What a sink was sent, and when (Unix seconds)."""

    time: float
    headers: Mapping[str, str]
    body: str


@dataclass(slots=True)
class Sink:
    """A receiver with a script; past its end it answers 200."""

    script: deque[Reply] = field(default_factory=deque)
    received: deque[Received] = field(default_factory=lambda: deque(maxlen=RECEIVED_KEPT))
    dropped: int = 0

    def take(self, time: float, headers: Mapping[str, str], body: bytes) -> Reply:
        """Record a request and give the script's next answer."""
        self.dropped += len(self.received) == self.received.maxlen
        self.received.append(Received(time, headers, body.decode("utf-8", "replace")))
        return self.script.popleft() if self.script else Reply()


@dataclass(slots=True)
class Sinks:
    """Every sink by name; one that was never set up is there as soon as it is named, the oldest going for it."""

    by_name: dict[str, Sink] = field(default_factory=dict)
    dropped: int = 0

    def get(self, name: str) -> Sink:
        if name not in self.by_name:
            self.put(name, Sink())
        return self.by_name[name]

    def put(self, name: str, sink: Sink) -> None:
        """Set up a sink, in place of one of that name."""
        self.by_name.pop(name, None)
        if len(self.by_name) >= SINKS_KEPT:
            del self.by_name[next(iter(self.by_name))]
            self.dropped += 1
        self.by_name[name] = sink

    def named_by(self, url: str) -> str | None:
        """The name of the sink that a URL on this machine denotes."""
        return sink_named_by(url)


@lru_cache(256)
def sink_named_by(url: str) -> str | None:
    path = unquote(urlsplit(url).path)
    if not path.startswith(PATH) or not is_loopback_target(url):
        return None
    return path.removeprefix(PATH).partition("/")[0] or None
