"""Tells observers of what other processes have done that share the store. What this process does is told at once."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from mockserver.engine import dispatcher, journal
from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import pause
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store import Change, Store
from mockserver.engine.tasks import Task
from mockserver.engine.waiters import Waiters

TaskObserver = Callable[[Task, Delivery | None], None]
"""Is called with each task that has ended, and its callback, if it has one."""

LINGERS = 5.0
"""Real seconds for which this process is still told of what it watched: whoever watches often comes back."""

MOST_BEHIND = 10_000
"""Changes that may wait to be told; the oldest are left out."""


class Elsewhere:
    """Reads the records of what has changed, one after the other, if anybody observes their kind.

    Other processes tell of requests and attempts only while somebody watches: whoever observes or awaits them says so
    by `watch`, and then `leave`.
    """

    def __init__(self, store: Store, own_journal: journal.Journal, waiters: Waiters) -> None:
        self._store = store
        self._journal = own_journal
        self._waiters = waiters
        self.request_observers: list[journal.Observer] = []
        self.attempt_observers: list[dispatcher.Observer] = []
        self.task_observers: list[TaskObserver] = []
        self.control_observers: list[Callable[[str], None]] = []
        self._waiting = deque[Change](maxlen=MOST_BEHIND)
        self._telling: asyncio.Task[None] | None = None
        self._watchers = 0
        self._watched = False
        self._one_asks = asyncio.Lock()
        self._leaving: asyncio.Task[None] | None = None

    async def watch(self) -> None:
        """Be told of requests and attempts by other processes, until `leave`."""
        self._watchers += 1
        await self._ask()

    def leave(self) -> None:
        """Undo one `watch`."""
        self._watchers -= 1
        if not self._watchers and (self._leaving is None or self._leaving.done()):
            self._leaving = asyncio.get_running_loop().create_task(self._ask_later())

    async def _ask_later(self) -> None:
        await pause(LINGERS)
        await self._ask()

    async def _ask(self) -> None:
        async with self._one_asks:
            wanted = self._watchers > 0
            if wanted != self._watched:
                self._watched = wanted
                with suppress(StoreUnavailable):  # it does so when it is back
                    await self._store.watch(wanted)

    def tell(self, change: Change) -> None:
        """Tell of a change, as soon as its record is read."""
        observers = {
            "request": self.request_observers,
            "attempt": self.attempt_observers,
            "ended": self.task_observers,
            "control": self.control_observers,
            "planned": self._waiters.awaited(),
        }
        if not observers.get(change.kind):
            return
        self._waiting.append(change)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell_all())

    async def stop(self) -> None:
        """Tell nothing more."""
        ending = [task for task in (self._leaving, self._telling) if task is not None]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _tell_all(self) -> None:
        try:
            while self._waiting:
                try:
                    await self._tell(self._waiting.popleft())
                except StoreUnavailable:  # it says so itself; what is missed here is only not observed
                    continue
        finally:
            self._telling = None

    async def _tell(self, change: Change) -> None:
        if change.kind == "request":
            exchange = await self._store.entry(change.name)
            if exchange is not None:
                task = await self._journal.task_of(exchange)
                for on_request in self.request_observers:
                    on_request(exchange, task)
        elif change.kind == "attempt":
            delivery = await self._store.delivery(change.name)
            if delivery is not None and delivery.attempts:
                for on_attempt in self.attempt_observers:
                    on_attempt(delivery, delivery.attempts[-1])
        elif change.kind == "ended":
            task = await self._store.task(change.name)
            if task is not None:
                delivery = await self._store.delivery_of(task.id)
                for on_end in self.task_observers:
                    on_end(task, delivery)
        elif change.kind == "planned":
            await self._end_waits()
        else:
            for on_control in self.control_observers:
                on_control(change.name)

    async def _end_waits(self) -> None:
        """End the waits for tasks that have ended, if this process has missed that: it was thought to be dead, say."""
        for task_id in self._waiters.awaited():
            if not await self._store.is_open(task_id):
                self._waiters.end(task_id)
