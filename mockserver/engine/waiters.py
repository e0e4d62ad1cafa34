"""Waits: a call for its task's end, a fault for its delay, a watcher for any change at all."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from math import isinf

from mockserver.engine.event_runner import Busy, EventRunner, Stopping
from mockserver.engine.problems import Kind, Problem, StoreUnavailable
from mockserver.engine.schedule import DueEvents

RESET, STOPPING = "was reset", "is stopping"
"""Why a wait can end early, after "the server"."""


class Waiters:
    """Calls that wait: for the end of a task, or for an alarm, which is set for an instant of the clock.

    `events`, a store, is told of the alarms: an advance by another process stops at them too.
    With `autojump`, whoever waits under a virtual clock moves the clock to what it waits for.
    """

    def __init__(self, event_runner: EventRunner, events: DueEvents) -> None:
        self.autojump = False
        self._event_runner = event_runner
        self._events = events
        self._ends: dict[str, list[asyncio.Future[None]]] = {}
        self._alarms: dict[int, tuple[str, asyncio.Future[None]]] = {}
        self._numbers = count()
        self.interruption = RESET
        self._change: asyncio.Future[None] | None = None

    async def until_end(self, task_id: str, due: float, is_open: Callable[[str], Awaitable[bool]]) -> None:
        """Until a task, which is planned to end at `due` (Unix seconds), has ended or was forgotten.

        `is_open` says whether there is anything to wait for; an end that comes while it looks is not missed.
        """
        future = asyncio.get_running_loop().create_future()
        self._ends.setdefault(task_id, []).append(future)
        if await is_open(task_id):
            await self._wait(future, due)
        elif future in self._ends.get(task_id, ()):
            self._ends[task_id].remove(future)
            if not self._ends[task_id]:
                del self._ends[task_id]

    async def sleep(self, seconds: float, account: str = "") -> None:
        """Until so many seconds of the clock have passed, for a call of an account.

        Raises:
            Problem: UNAVAILABLE if a reset forgot the account in the meantime.
        """
        if seconds <= 0:
            return
        due, number = self._event_runner.clock.now() + seconds, next(self._numbers)
        future = asyncio.get_running_loop().create_future()
        self._alarms[number] = account, future
        self._event_runner.alarms.push(due, number, number)
        try:
            await self._events.plan_alarm(due, str(number))
            await self._wait(future, due)
        finally:
            self._event_runner.alarms.discard(number)
            self._alarms.pop(number, None)
            with suppress(StoreUnavailable):
                await self._events.drop_alarm(str(number))

    async def _wait(self, future: asyncio.Future[None], due: float) -> None:
        self._event_runner.notify_planned(due)
        if self.autojump and self._event_runner.clock.mode == "virtual" and not isinf(due):
            await self._jump(due)
        await future

    async def _jump(self, due: float) -> None:
        try:
            await self._event_runner.advance(due)
        except Busy:  # a receiver waits for this call to end: move the clock, and let callbacks follow later
            await self._event_runner.jump(due)
        except Stopping:  # whoever waits is told by `interrupt`
            return

    def next_change(self) -> asyncio.Future[None]:
        """Done as soon as anything happens after this call: a task ends, or an attempt of a callback is made."""
        if self._change is None or self._change.done():
            self._change = asyncio.get_running_loop().create_future()
        return asyncio.shield(self._change)

    def notify_change(self) -> None:
        """Say that something has happened."""
        if self._change is not None and not self._change.done():
            self._change.set_result(None)

    def end(self, task_id: str) -> None:
        """Say that a task has ended, or that a reset has forgotten it."""
        self.notify_change()
        for future in self._ends.pop(task_id, ()):
            if not future.done():
                future.set_result(None)

    def ring(self, number: int) -> None:
        """Say that the instant of an alarm has come."""
        self.notify_change()
        _, future = self._alarms.get(number, ("", None))
        if future is not None and not future.done():
            future.set_result(None)

    def forget(self, account: str | None, task_ids: list[str]) -> None:
        """Say that a reset has forgotten tasks, and an account (all of them if None): its calls' delays end at once."""
        for task_id in [name for name in task_ids if name in self._ends]:
            self.end(task_id)
        problem = Problem(Kind.UNAVAILABLE, f"the server {self.interruption} while this call was under way")
        for owner, future in self._alarms.values():
            if account in (None, owner) and not future.done():
                future.set_exception(problem)
        self.notify_change()

    def interrupt(self) -> None:
        """End every wait, so that the calls that wait are answered: the server is about to stop."""
        self.interruption = STOPPING
        self.forget(None, self.awaited())

    def awaited(self) -> list[str]:
        """The tasks whose end is waited for."""
        return list(self._ends)
