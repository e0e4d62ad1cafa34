"""Runs due events, in real time or because the clock is advanced.

Ends of tasks and alarms run at once and never wait. Attempts wait for a receiver: in the background while time runs by
itself, one after the other while the clock is being advanced, so that the order of events is the same every time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from mockserver.engine.clock import Clock, pause
from mockserver.engine.schedule import DueEvents, Event, Queue

_Due = Event | tuple[float, Literal["alarm"], int]

PATIENCE = 5.0
"""Real seconds for which an advance waits behind one and the same attempt before it takes itself for the cause: a
receiver that advances the clock while it is being delivered to would otherwise wait for itself."""

CRASHED_ATTEMPT = "a callback attempt crashed"

_BREATH = 200
"""Events after which an advance lets other requests have a turn."""


class Busy(Exception):
    """The clock can't be advanced: an attempt is under way that does not end, maybe because it waits for the caller."""


class EventRunner:
    """Owns the clock and one timer, armed for what falls due next.

    Ends and attempts come from `events`, a store; `alarms` are the delays of calls that this process is answering.

    Args:
        end: ends a task, by its id and the time it was planned for.
        attempt: makes a callback's attempt, likewise.
        ring: rings an alarm, by its number.
    """

    def __init__(
        self,
        clock: Clock,
        events: DueEvents,
        end: Callable[[str, float], None],
        attempt: Callable[[str, float], Awaitable[None]],
        ring: Callable[[int], None],
    ) -> None:
        self.clock = clock
        self.alarms = Queue[int]()
        self._events = events
        self._end = end
        self._attempt = attempt
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._advancing = asyncio.Lock()
        self._inline: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run what is due from now on, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.rearm()

    async def stop(self) -> None:
        """Stop the timer and break off attempts under way."""
        self._loop = None
        self._disarm()
        await self.cancel_attempts()

    async def cancel_attempts(self) -> None:
        """Cancel the attempts under way and wait until they are gone."""
        running = [*self._running, *([self._inline] if self._inline else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def restart(self, clock: Clock) -> None:
        """Go on with another clock."""
        self._disarm()
        self.clock = clock
        self.rearm()

    def notify_planned(self, due: float) -> None:
        """Say that something was planned for `due` (Unix seconds)."""
        if self._armed_for is None or due < self._armed_for:
            self.rearm()

    def rearm(self) -> None:
        """Arm the timer for what falls due next, if that is sooner than it is armed for."""
        due = self.next_due()
        if self._loop is None or due is None or self._advancing.locked():
            return
        if self._armed_for is not None and self._armed_for <= due:
            return
        delay = self.clock.real_delay(due)
        if delay is not None:
            self._disarm()
            self._armed_for = due
            self._timer = self._loop.call_later(delay, self._tick)

    def next_due(self) -> float | None:
        """When something falls due next, in Unix seconds; None if nothing is planned."""
        due, alarm = self._events.next_due(), self.alarms.head()
        if alarm is None:
            return due
        return alarm[0] if due is None else min(due, alarm[0])

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._armed_for = None

    def _tick(self) -> None:
        self._timer = self._armed_for = None
        if self._advancing.locked():
            return
        self.run_due()
        now = self.clock.now()
        while (event := self._events.claim_due(now)) is not None:
            due, kind, name = event
            if kind == "attempt":
                self._keep_running(asyncio.ensure_future(self._attempt(name, due)))
            else:
                self._run_end(name, due)
        self.rearm()

    def _keep_running(self, task: asyncio.Task[None]) -> None:
        """Let an attempt go on in the background."""
        self._running.add(task)
        task.add_done_callback(self._attempt_ended)

    def _attempt_ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._report_crash(task)
        self.rearm()

    def _report_crash(self, task: asyncio.Task[None]) -> None:
        """Tell the event loop of an attempt that crashed: that is a defect of this server, and nobody awaits it."""
        if not task.cancelled() and (error := task.exception()) is not None and self._loop is not None:
            self._loop.call_exception_handler({"message": CRASHED_ATTEMPT, "exception": error})

    def run_due(self) -> None:
        """End the tasks that are due, and ring the alarms that are."""
        now = self.clock.now()
        while (event := self._events.claim_due(now, attempts=False)) is not None:
            self._run_end(event[2], event[0])
        while len(self.alarms) and (alarm := self.alarms.pop_due(now)) is not None:
            self._ring(alarm[1])

    def _run_end(self, task_id: str, due: float) -> None:
        """End a task. A crash is a defect of this server, but may not stop the clock for the others."""
        try:
            self._end(task_id, due)
        except Exception as error:
            if self._loop is None:
                raise
            self._loop.call_exception_handler({"message": "the end of a task crashed", "exception": error})

    async def advance(self, until: float | None = None, *, by: float | None = None) -> list[Event]:
        """Move the clock to `until` (Unix seconds), or `by` so many seconds from when it is this call's turn, running
        everything that falls due on the way, in order.

        With neither, go on until nothing is planned. Returns only when all of it has run, callbacks with their attempts
        included; what ran, in order. Several at a time queue.

        Raises:
            Busy: an attempt that is under way has not ended within `PATIENCE` real seconds.
        """
        clock = self.clock
        await self._take_turn()
        try:
            self._disarm()
            await self._wait_for_attempts()
            until = until if by is None else clock.now() + by
            ran = await self._run_until(float("inf") if until is None else until, clock)
            if until is not None:
                clock.move_to(until)
        finally:
            self._advancing.release()
            self.rearm()
        return ran

    async def _take_turn(self) -> None:
        """Take the turn; `Busy` if the one whose turn it is hangs in one attempt."""
        turn = asyncio.ensure_future(self._advancing.acquire())
        try:
            while not turn.done():
                hanging = self._inline
                await asyncio.wait({turn}, timeout=PATIENCE)
                if not turn.done() and hanging is not None and hanging is self._inline:
                    raise Busy
        except BaseException:
            if not turn.cancel() and not turn.cancelled():
                self._advancing.release()
            raise

    async def _wait_for_attempts(self) -> None:
        """Wait for the attempts under way in the background."""
        while running := set(self._running):
            _, hanging = await asyncio.wait(running, timeout=PATIENCE)
            if hanging == running:
                raise Busy

    async def _run_until(self, until: float, clock: Clock) -> list[Event]:
        """Run what falls due, as long as it is this clock's: a reset on the way begins with another."""
        ran: list[Event] = []
        steps = 0
        while self.clock is clock and (event := self._claim(until)) is not None:
            clock.move_to(event[0])
            if event[1] == "alarm":
                self._ring(event[2])
            else:
                ran.append(event)
                if event[1] == "finish":
                    self._run_end(event[2], event[0])
                else:
                    await self._attempt_inline(event[2], event[0])
            steps += 1
            if steps % _BREATH == 0:
                await pause(0)
        return ran

    def _claim(self, until: float) -> _Due | None:
        """The first of all events that is due at or before `until`, an alarm after others of the same instant."""
        alarm = self.alarms.head() if len(self.alarms) else None
        if alarm is None or alarm[0] > until:
            return self._events.claim_due(until)
        event = self._events.claim_due(alarm[0])
        if event is not None:
            return event
        ringing = self.alarms.pop_due(until)
        return (ringing[0], "alarm", ringing[1]) if ringing else None

    async def _attempt_inline(self, name: str, due: float) -> None:
        attempt = self._inline = asyncio.ensure_future(self._attempt(name, due))
        try:
            await asyncio.wait({attempt})
            self._report_crash(attempt)
        finally:
            self._inline = None
            if not attempt.done():
                self._keep_running(attempt)
