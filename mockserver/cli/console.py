"""One line for each request and each callback attempt, for people or for programs; and a writer that never waits.

No API key gets into a line: neither the one a request came with nor, in a callback's address, its account's.
"""

import json
import os
import re
import select
from collections.abc import Mapping
from datetime import datetime
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol

from mockserver.engine.accounts import account_id
from mockserver.engine.callbacks import Attempt, Delivery, State
from mockserver.engine.journal import REDACTED, Exchange, redact

LONGEST_WHAT = 200
"""Characters of a path or an address in a text line."""

MOST_WAITING = 10_000
"""Lines that wait for a slow reader; more are left out."""

_PIECES = (re.compile(r"[^\s/?&#=@'\"]{4,}"), re.compile(r"[A-Za-z0-9_-]{4,}"))
"""The pieces of an address that could be a key, from large to small."""


class Lines(Protocol):
    """How the things that happen are written, each as one line."""

    def request(self, exchange: Exchange) -> str:
        """A request that was answered."""

    def attempt(self, delivery: Delivery, attempt: Attempt) -> str:
        """One attempt of a callback, made."""


class TextLines:
    """Columns for people: time, provider, what, status, duration, and the cost or what went wrong.

    `currencies` gives each provider's unit; `colour` adds terminal colours.
    """

    def __init__(self, currencies: Mapping[str, str], colour: bool = False) -> None:
        self._currencies = currencies
        self._colour = colour
        self._width = max(map(len, currencies), default=0)

    def request(self, exchange: Exchange) -> str:
        path = redact(exchange.path, exchange.secret).removeprefix(f"/{exchange.provider}")
        end = exchange.error or ""
        if exchange.cost is not None and not end:
            end = f"{exchange.cost} {self._currencies.get(exchange.provider, '')}"
        what = f"{exchange.method} {path}"
        return self._line(exchange.time, exchange.provider, what, exchange.status, exchange.duration or 0.0, end)

    def attempt(self, delivery: Delivery, attempt: Attempt) -> str:
        outcome = attempt.outcome
        number = len(delivery.attempts)
        what = f"callback → {_without_key(delivery.routed or delivery.target, delivery.account)}"
        end = "" if outcome.success and number == 1 else f"attempt {number}"
        if outcome.error:
            end = f"{end}: {_without_key(outcome.error, delivery.account)}"
        if delivery.state is State.GAVE_UP:
            end += ", gave up"
        return self._line(attempt.time, delivery.provider, what, outcome.status, outcome.duration, end)

    def _line(self, when: float, provider: str, what: str, status: int | None, seconds: float, end: str) -> str:
        parts = (
            paint(f"{datetime.fromtimestamp(when):%H:%M:%S}", "2", self._colour),
            f"{_printable(provider):{self._width}}",
            f"{_shortened(_printable(what)):40}",
            paint(str(status or "—").rjust(3), _status_colour(status), self._colour),
            f"{duration_text(seconds):>8}",
            _printable(end),
        )
        return "  ".join(parts).rstrip()


class JsonLines:
    """One JSON object for each, with the same facts. Times are Unix seconds, durations seconds."""

    def __init__(self, currencies: Mapping[str, str]) -> None:
        self._currencies = currencies

    def request(self, exchange: Exchange) -> str:
        return json_line(
            "request",
            time=exchange.time,
            id=exchange.id,
            provider=exchange.provider,
            account=exchange.account or None,
            method=exchange.method,
            path=redact(exchange.path, exchange.secret),
            status=exchange.status,
            duration=round(exchange.duration or 0.0, 6),
            cost=exchange.cost,
            currency=self._currencies.get(exchange.provider),
            task_id=exchange.task_id,
            error=exchange.error,
        )

    def attempt(self, delivery: Delivery, attempt: Attempt) -> str:
        outcome = attempt.outcome
        return json_line(
            "callback",
            time=attempt.time,
            id=delivery.id,
            provider=delivery.provider,
            account=delivery.account,
            task_id=delivery.task_id,
            target=_without_key(delivery.target, delivery.account),
            routed=_without_key(delivery.routed or "", delivery.account) or None,
            attempt=len(delivery.attempts),
            status=outcome.status,
            duration=round(outcome.duration, 6),
            error=_without_key(outcome.error or "", delivery.account) or None,
            state=delivery.state,
            next_attempt=delivery.next_attempt,
        )


def json_line(event: str, **facts: Any) -> str:
    """One event as a JSON object on one line, in ASCII."""
    return json.dumps({"event": event, **facts})


def paint(text: str, code: str, colour: bool) -> str:
    """`text` in a terminal colour or style (an SGR code), if there is to be any."""
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def wants_colour(stream: Any, environ: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal that is to have colours (https://no-color.org)."""
    return bool(stream and stream.isatty()) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def duration_text(seconds: float) -> str:
    """Seconds for reading: 0.4 ms, 12 ms, 1.23 s, 75 s."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"


def _status_colour(status: int | None) -> str:
    return {2: "32", 3: "36", 4: "33"}.get((status or 500) // 100, "31")


def _printable(text: str) -> str:
    """`text` without what would steer a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_WHAT else text[: LONGEST_WHAT - 1] + "…"


def _without_key(text: str, account: str) -> str:
    """`text` without the API key whose hash is `account`: nothing else is known of it any more."""
    for piece in _PIECES:
        text = piece.sub(lambda match: REDACTED if account_id(match[0]) == account else match[0], text)
    return text


class Writer:
    """Writes lines to a file descriptor from a thread of its own: a reader that stalls or leaves holds nobody up.

    When the reader has left, lines go nowhere; while it stalls, up to `MOST_WAITING` of them wait.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="mockserver-lines", daemon=True)
        self._thread.start()

    def line(self, text: str) -> None:
        """Write a line, soon."""
        if self._descriptor is not None and self._lines.qsize() < MOST_WAITING:
            self._lines.put(text)

    def close(self, seconds: float = 0.2) -> None:
        """Give what waits so long to be written, and end."""
        self._lines.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        while (text := self._lines.get()) is not None:
            self._write((text + "\n").encode("utf-8", "backslashreplace"))

    def _write(self, data: bytes) -> None:
        try:
            while data and self._descriptor is not None:
                data = data[self._write_some(self._descriptor, data) :]
        except OSError:
            self._descriptor = None

    @staticmethod
    def _write_some(descriptor: int, data: bytes) -> int:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            select.select([], [descriptor], [], 1.0)
            return 0
