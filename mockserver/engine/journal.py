"""What was asked and what was answered: a bounded record, with keys and pictures left out and bodies capped."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from pydantic_core import PydanticSerializationError, from_json, to_json

from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.tasks import Task
from mockserver.engine.text import write_json

BODY_KEPT = 16_384
"""Bytes of a body that are kept."""

STRING_KEPT = 2_000
"""Characters of one long value (base64, a data URL) that are worth keeping: beyond it, its length is shown."""

LARGEST_SEARCHED = 2 * 1024 * 1024
"""Bytes of a body in which long values are looked for, so that a huge one costs little."""

SHORTEST_SECRET = 8
"""Characters of the shortest key that is removed from texts; a shorter one could be part of a word."""

REDACTED = "[redacted]"
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "api-key"})
_LONG_VALUE = re.compile(rb'"(data:image/[a-z0-9.+-]{1,40};base64,)?[A-Za-z0-9+/=_-]{400,}"')


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    `account` is the key's hash, "" without a key; `status` is None until answered; `note` names the fields that were
    ignored although they look like known ones, "" if there are none.

    Of the client's pace, for advice: `started` is when the request arrived, in real seconds from an arbitrary start;
    `hung_up` is how many real seconds later the client left without an answer, None if it did not; `broken` says that a
    fault broke the answer; `retry_after` is what the answer's Retry-After said, in seconds.

    Its handler fills it in until the request has been answered; whoever reads an unanswered one gets a copy.
    """

    id: str
    time: float
    provider: str
    account: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    body_size: int = 0
    status: int | None = None
    response: bytes = b""
    response_type: str = ""
    duration: float | None = None
    task_id: str | None = None
    cost: str | None = None
    error: str | None = None
    pictures: tuple[dict[str, Any], ...] = ()
    note: str = ""
    started: float = 0.0
    hung_up: float | None = None
    broken: bool = False
    retry_after: int | None = None

    def keep_request(self, data: bytes) -> None:
        """Put the request's body on record, capped."""
        self.body, self.body_size = keep_body(data), len(data)

    def record_hang_up(self, now: float) -> None:
        """Record that the client has left without its answer, at `now` (seconds of `monotonic()`, as `started` is)."""
        if self.status is None and self.started and not self.broken:
            self.hung_up = now - self.started

    @property
    def secret(self) -> str:
        """The API key that came with the request, to be left out of everything shown."""
        return secret_of(self.headers)


Observer = Callable[[Exchange, Task | None], None]
"""Is called with a request that was answered, and with the task that it was about, if it is kept."""


class Journal:
    """Closes the journal's entries. `observers` are called with every entry that is closed."""

    def __init__(self, entries: "Entries") -> None:
        self._entries = entries
        self.observers: list[Observer] = []

    async def close(
        self, exchange: Exchange, status: int, content_type: str = "", duration: float | None = None
    ) -> None:
        """Record a request's answer; `duration` is in real seconds. The answer stands even if the store is away."""
        exchange.status, exchange.response_type, exchange.duration = status, content_type, duration
        try:  # noqa: SIM105  # `suppress` would cost each request half a microsecond
            await self._entries.close_entry(exchange, exchange)
        except StoreUnavailable:
            pass
        if self.observers:
            task = await self.task_of(exchange)
            for observer in self.observers:
                observer(exchange, task)

    async def task_of(self, exchange: Exchange) -> Task | None:
        """The task that a request submitted or asked for, if it is kept and the store is there."""
        if exchange.task_id is None:
            return None
        try:
            task = await self._entries.task(exchange.task_id)
        except StoreUnavailable:
            return None
        return task if task is not None and task.job.provider == exchange.provider else None


class Entries(Protocol):
    """Where the journal keeps its entries: a store."""

    async def close_entry(self, opened: Exchange, closed: Exchange) -> None: ...

    async def task(self, task_id: str) -> Task | None: ...


def secret_of(headers: Mapping[str, str]) -> str:
    """The API key in an Authorization header, with its scheme or without; "" if there is none."""
    scheme, _, token = headers.get("Authorization", "").strip().partition(" ")
    return token.strip() or ("" if scheme.lower() in ("bearer", "basic") else scheme)


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with the values of those that carry a secret replaced."""
    return {name: REDACTED if name.lower() in _SECRET_HEADERS else value for name, value in headers.items()}


def redact(text: str, secret: str) -> str:
    """`text` without the API key it came with, in case a client put it into the body or the path too."""
    return text.replace(secret, REDACTED) if len(secret) >= SHORTEST_SECRET else text


def keep_body(data: bytes) -> bytes:
    """What is kept of a body: long base64 values become their length, the rest is cut at the bound."""
    if len(data) <= STRING_KEPT:
        return data
    return _LONG_VALUE.sub(_length_alone, data[:LARGEST_SEARCHED])[:BODY_KEPT]


def _length_alone(match: re.Match[bytes]) -> bytes:
    return b'"%s[%d characters]"' % (match[1] or b"", len(match[0]) - 2)


def readable(data: bytes, secret: str = "") -> Any:
    """A kept body for reading: parsed if it is JSON, else text; without the key."""
    text = redact(data.decode("utf-8", "replace"), secret)
    return without(parsed(text), secret) if "\\" in text else parsed(text)  # without escapes the key has no other form


def without(value: Any, secret: str) -> Any:
    """A JSON value without the key, however its text had escaped it."""
    return _without(value, secret) if _may_hold(value, secret) else value


def _may_hold(value: Any, secret: str) -> bool:
    """Whether a JSON value may hold the key in any of its texts."""
    try:
        return len(secret) >= SHORTEST_SECRET and is_in(secret, to_json(value))
    except (PydanticSerializationError, UnicodeError):
        return True


def is_in(secret: str, written: bytes) -> bool:
    """Whether JSON as `to_json` writes it has the key in it. A key that is too short to be redacted never is."""
    return len(secret) >= SHORTEST_SECRET and _as_written(secret) in written


@lru_cache(maxsize=256)
def _as_written(text: str) -> bytes:
    return write_json(text)[1:-1]


def _without(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return redact(value, secret)
    if isinstance(value, dict):
        return {redact(name, secret): _without(item, secret) for name, item in value.items()}
    return [_without(item, secret) for item in value] if isinstance(value, list) else value


def parsed(text: str) -> Any:
    """A text as JSON if it is that, else as it is."""
    try:
        # a number beyond all bounds reads as infinity, which no JSON can show
        return from_json(to_json(from_json(text, allow_inf_nan=False), inf_nan_mode="null"))
    except ValueError:
        return text
