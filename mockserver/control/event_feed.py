"""The events of a server as they happen, for the live page: GET /_mock/events.

Server-sent events (the WHATWG HTML standard, section 9.2). Nothing is observed while nobody watches.

| event | data | when |
|---|---|---|
| request | the request's summary | a request to a provider was answered |
| task | `{"id", "status", "callback"}`: the state of its callback, if it has one | a task ended |
| callback | the attempt, its number, and the callback without its body | an attempt of a callback was made |
| changed | `{"path", "reset"}` | a control call changed something |
| gap | `{}` | events were missed: read the lists again |
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp.web import StreamResponse

from mockserver.control import views
from mockserver.control.control_request import ControlRequest, Refusal
from mockserver.engine.callbacks import Attempt, Delivery
from mockserver.engine.clock import Entropy
from mockserver.engine.engine import Engine
from mockserver.engine.journal import Exchange
from mockserver.engine.tasks import Task
from mockserver.engine.text import write_json

EVENTS_KEPT = 2_000
"""Events that a watcher may be behind; one that is further behind is told of a gap."""

NUMBERS, MOST_EVENTS = 10**9, 10**6
"""Each process numbers its events from a multiple of a million, drawn at random: an id from another process, or from
before a restart, is none of its own, and leads to a gap."""

MOST_WATCHERS = 100
KEEPALIVE_SECONDS = 15.0
"""Real seconds after which a silent stream gets a comment, so that a watcher that has left is noticed."""

GRACE_SECONDS = 30.0
"""Real seconds for which events are still observed after the last watcher has left, so that it can resume."""

RECONNECT_MILLISECONDS = 1_000
_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventFeed:
    """Keeps the newest events, numbered, and streams them to watchers. `summary` is what is told of a request."""

    def __init__(self, engine: Engine, summary: Callable[[Exchange, Task | None], dict[str, Any]]) -> None:
        self._engine = engine
        self._summary = summary
        self._events: deque[tuple[int, bytes]] = deque(maxlen=EVENTS_KEPT)
        self._latest = int(Entropy().draw("events").fraction() * NUMBERS) * MOST_EVENTS
        self._changed = asyncio.Event()
        self._watchers = 0
        self._observing = False

    async def stream(self, request: ControlRequest) -> StreamResponse:
        """Send events until the watcher leaves, from the one after `Last-Event-ID` if that is still kept."""
        if self._watchers >= MOST_WATCHERS:
            raise Refusal(503, "too_many_watchers", f"{MOST_WATCHERS} watchers follow the events already.")
        response = StreamResponse(headers=_HEADERS)
        async with self._watching():
            sent, gap = self._start(request.http_request.headers.get("Last-Event-ID", ""))
            await response.prepare(request.http_request)
            await response.write(b"retry: %d\n\n" % RECONNECT_MILLISECONDS)
            while True:
                data, sent, gap = self._after(sent, gap)
                await response.write(data or b": still here\n\n")
                await self._wait(sent)
        return response

    def _start(self, last: str) -> tuple[int, bool]:
        """Where a stream begins: the id of the last event that was seen, and whether events were missed since."""
        if not last:
            return self._latest, False
        seen = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else -1
        oldest = self._events[0][0] if self._events else self._latest + 1
        return (seen, False) if oldest - 1 <= seen <= self._latest else (self._latest, True)

    def _after(self, sent: int, gap: bool) -> tuple[bytes, int, bool]:
        """The events after `sent` as they go over the wire, and the id of the last of them."""
        if self._events and self._events[0][0] > sent + 1:
            sent, gap = self._latest, True
        missed = [data for number, data in self._events if number > sent] if sent < self._latest else []
        parts = [b"id: %d\nevent: gap\ndata: {}\n\n" % self._latest] if gap else []
        return b"".join([*parts, *missed]), self._latest, False

    async def _wait(self, sent: int) -> None:
        if self._latest == sent:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(KEEPALIVE_SECONDS):
                    await self._changed.wait()

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        self._watchers += 1
        self._observe()
        try:
            await self._engine.elsewhere.watch()
            with suppress(ConnectionError):
                yield
        finally:
            self._watchers -= 1
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._rest)

    def _observe(self) -> None:
        if not self._observing:
            self._observing = True
            for observers, observe in self._observations():
                observers.append(observe)

    def _observations(self) -> list[tuple[list[Any], Callable[..., None]]]:
        """Which lists of observers this is in while it observes, of this process and of others, and as which."""
        engine, elsewhere = self._engine, self._engine.elsewhere
        return [
            (engine.journal.observers, self._request),
            (engine.dispatcher.observers, self._attempt),
            (engine.task_observers, self._task),
            (elsewhere.request_observers, self._request),
            (elsewhere.attempt_observers, self._attempt),
            (elsewhere.task_observers, self._task),
            (elsewhere.control_observers, self.changed),
        ]

    def _rest(self) -> None:
        """A watcher has left: stop observing, if nobody watches any more."""
        self._engine.elsewhere.leave()
        if self._observing and not self._watchers:
            self._observing = False
            self._events.clear()
            for observers, observe in self._observations():
                observers.remove(observe)

    def _request(self, exchange: Exchange, task: Task | None) -> None:
        self._add("request", self._summary(exchange, task))

    def _attempt(self, delivery: Delivery, attempt: Attempt) -> None:
        self._add("callback", views.attempt_event(delivery, attempt))

    def _task(self, task: Task, delivery: Delivery | None) -> None:
        state = delivery.state if delivery else None
        self._add("task", {"id": task.id, "status": task.status_at(task.due), "callback": state})

    def changed(self, path: str) -> None:
        """Tell the watchers that a control call has changed something."""
        if self._observing:
            self._add("changed", {"path": path, "reset": path in ("/_mock/reset", "/_mock/snapshot")})

    def _add(self, kind: str, data: dict[str, Any]) -> None:
        self._latest += 1
        line = write_json(data)
        self._events.append((self._latest, b"id: %d\nevent: %s\ndata: %s\n\n" % (self._latest, kind.encode(), line)))
        self._changed.set()
