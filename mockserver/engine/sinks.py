"""Built-in callback receivers (sinks): each answers from a script and records the requests that it gets."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from mockserver.engine.addresses import is_loopback_target
from mockserver.engine.fast_dataclass import fast_dataclass

PATH = "/_mock/sink/"
RECEIVED_KEPT = 1_000
"""Requests kept for each sink."""

SINKS_KEPT = 1_000

RECEIPTS_KEPT = 20_000
"""Requests kept for all sinks together: the newest."""

RECEIPTS_LENGTH = 64 * 1024 * 1024
"""Characters of the bodies of these; the newest one is kept however long it is."""


@fast_dataclass
class Reply:
    """One answer of a script: an HTTP status, after `delay` seconds of the clock."""

    status: int = 200
    delay: float = 0.0


@fast_dataclass
class Received:
    """A request that a sink got, and when (Unix seconds)."""

    time: float
    headers: Mapping[str, str]
    body: str


@fast_dataclass
class Sink:
    """A receiver with what is left of its script, and the newest of what it was sent, oldest first."""

    script: tuple[Reply, ...] = ()
    received: tuple[Received, ...] = ()
    dropped: int = 0

    @property
    def next_reply(self) -> Reply:
        """The script's next answer; 200 past its end."""
        return self.script[0] if self.script else Reply()

    def with_received(self, received: Received) -> "Sink":
        """This sink when it has recorded a request and given the script's next answer."""
        kept = self.received[-RECEIVED_KEPT + 1 :]
        return Sink(self.script[1:], (*kept, received), self.dropped + len(self.received) - len(kept))

    def without_oldest(self) -> "Sink":
        """This sink when the oldest of its requests has been dropped."""
        return Sink(self.script, self.received[1:], self.dropped + 1)


@lru_cache(256)
def sink_named_by(url: str) -> str | None:
    """The name of the sink that a URL on this machine denotes."""
    path = unquote(urlsplit(url).path)
    if not path.startswith(PATH) or not is_loopback_target(url):
        return None
    return path.removeprefix(PATH).partition("/")[0] or None
