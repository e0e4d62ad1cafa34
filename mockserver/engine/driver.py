"""Makes time happen: runs what falls due, by real time or because the clock is advanced.

State events (a task ends) run at once and never wait. Attempts wait for a receiver: in the background while time runs by
itself, one after the other while the clock is being advanced, so that the order of events is the same every time.
"""

import asyncio
from collections.abc import Awaitable, Callable

from mockserver.engine.clock import Clock, pause
from mockserver.engine.schedule import Schedule

Ran = tuple[float, str, str]
"""What ran: its time (Unix seconds), "finish" or "attempt", and the id of the task or delivery."""

_BREATH = 200
"""Events after which an advance lets other requests have a turn."""


class Driver:
    """Owns the clock. One timer, armed for what falls due next."""

    def __init__(
        self,
        clock: Clock,
        schedule: Schedule,
        finish: Callable[[str, float], None],
        attempt: Callable[[str, float], Awaitable[None]],
    ) -> None:
        self.clock = clock
        self._schedule = schedule
        self._finish = finish
        self._attempt = attempt
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._advancing = asyncio.Lock()

    def start(self) -> None:
        """Run what is due from now on, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.nudge()

    async def stop(self) -> None:
        """Stop the timer and break off attempts under way."""
        self._loop = None
        self._disarm()
        await self.break_off()

    async def break_off(self) -> None:
        """Cancel the attempts under way and wait until they are gone."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def restart(self, clock: Clock) -> None:
        """Go on with another clock."""
        self._disarm()
        self.clock = clock
        self.nudge()

    def nudge(self) -> None:
        """Say that something was planned: arm the timer for what falls due next, if that is sooner than it is armed."""
        due = self._schedule.next_due()
        if self._loop is None or due is None or self._advancing.locked():
            return
        if self._armed_for is not None and self._armed_for <= due:
            return
        delay = self.clock.real_delay(due)
        if delay is not None:
            self._disarm()
            self._armed_for = due
            self._timer = self._loop.call_later(delay, self._tick)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._armed_for = None

    def _tick(self) -> None:
        self._timer = self._armed_for = None
        if self._advancing.locked():
            return
        self.settle()
        now = self.clock.now()
        while (due := self._schedule.attempts.pop_due(now)) is not None:
            self._spawn(due[1], due[0])
        self.nudge()

    def _spawn(self, name: str, due: float) -> None:
        task = asyncio.ensure_future(self._attempt(name, due))
        self._running.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and self._loop is not None:
            self._loop.call_exception_handler({"message": "a callback attempt crashed", "exception": error})
        self.nudge()

    def settle(self) -> None:
        """Bring state events that are due up to date."""
        now = self.clock.now()
        while (due := self._schedule.finishes.pop_due(now)) is not None:
            self._finish(due[1], due[0])

    async def advance(self, until: float) -> list[Ran]:
        """Move the clock to `until` (Unix seconds), running everything that falls due on the way, in order.

        Returns only when all of it has run, callbacks with their attempts included; what ran, in order.
        """
        ran: list[Ran] = []
        async with self._advancing:
            self._disarm()
            while self._running:
                await asyncio.wait(self._running)
            while (event := self._pop(until)) is not None:
                due, kind, name = event
                self.clock.move_to(due)
                if kind == "finish":
                    self._finish(name, due)
                else:
                    await self._attempt(name, due)
                ran.append(event)
                if len(ran) % _BREATH == 0:
                    await pause(0)
            self.clock.move_to(until)
        self.nudge()
        return ran

    def _pop(self, until: float) -> Ran | None:
        queue = self._schedule.first()
        due = queue.pop_due(until) if queue else None
        if due is None:
            return None
        return due[0], "finish" if queue is self._schedule.finishes else "attempt", due[1]
