"""Who waits for what: a call for its task's end, a fault for its delay, a watcher for any change at all."""

import asyncio
from itertools import count
from math import isinf

from mockserver.engine.event_runner import Busy, EventRunner
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.schedule import Schedule

ALARM = "alarm/"
"""What the names of planned awakenings begin with, among the planned ends of tasks."""


class Waiters:
    """Things that are waited for, by name.

    With `autojump`, whoever waits under a virtual clock moves the clock to what it waits for.
    """

    def __init__(self, event_runner: EventRunner, schedule: Schedule) -> None:
        self.autojump = False
        self._event_runner = event_runner
        self._schedule = schedule
        self._futures: dict[str, list[asyncio.Future[None]]] = {}
        self._alarms = count()
        self._forgotten: set[str] = set()
        self._change: asyncio.Future[None] | None = None

    async def until(self, due: float, name: str) -> None:
        """Until `name`, which is planned for `due` (Unix seconds), has happened or was forgotten."""
        future = asyncio.get_running_loop().create_future()
        self._futures.setdefault(name, []).append(future)
        self._event_runner.rearm()
        if self.autojump and self._event_runner.clock.mode == "virtual" and not isinf(due):
            await self._jump(due)
        await future

    async def _jump(self, due: float) -> None:
        try:
            await self._event_runner.advance(due)
        except Busy:  # somebody waits for us while being delivered to: go ahead without the deliveries on the way
            self._event_runner.clock.move_to(due)
            self._event_runner.run_due()

    async def sleep(self, seconds: float, account: str = "") -> None:
        """Until so many seconds of the clock have passed, for a call of an account.

        Raises:
            Problem: UNAVAILABLE if a reset forgot the account in the meantime.
        """
        due, name = self._event_runner.clock.now() + seconds, f"{ALARM}{account}/{next(self._alarms)}"
        if seconds > 0:
            self._schedule.finish(due, name)
            await self.until(due, name)
            if name in self._forgotten:
                self._forgotten.discard(name)
                raise Problem(Kind.UNAVAILABLE, "the server was reset while this call was under way")

    async def wait_for_change(self) -> None:
        """Until anything has happened: a task has ended, or a callback attempt was made."""
        if self._change is None or self._change.done():
            self._change = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._change)

    def notify_change(self) -> None:
        """Say that something has happened."""
        if self._change is not None and not self._change.done():
            self._change.set_result(None)

    def wake(self, name: str) -> None:
        """Say that `name` has happened."""
        self.notify_change()
        for future in self._futures.pop(name, ()):
            if not future.done():
                future.set_result(None)

    def cancel(self, waiting_for: list[str]) -> None:
        """Say that these things will not happen: a reset has forgotten them."""
        self._forgotten.update(name for name in waiting_for if name in self._futures and name.startswith(ALARM))
        for name in waiting_for:
            self._schedule.finishes.discard(name)
            self.wake(name)

    def waiting_for(self, account: str | None = None) -> list[str]:
        """Everything that is waited for; or the delays of one account's calls."""
        start = "" if account is None else f"{ALARM}{account}/"
        return [name for name in self._futures if name.startswith(start)]
