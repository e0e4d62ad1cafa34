"""Runs due events, in real time or because the clock is advanced.

Ends of tasks and alarms run at once and never wait. Attempts wait for a receiver: in the background while time runs by
itself, and up to `SIDE_BY_SIDE` of one instant at once while the clock is being advanced. There each receiver gets its
callbacks one after the other, and attempts are put on record as they were planned, so that every run is the same.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal

from mockserver.engine.clock import Clock, pause
from mockserver.engine.schedule import DueEvents, Event, Queue

_Due = Event | tuple[float, Literal["alarm"], int]

PATIENCE = 5.0
"""Real seconds for which an advance waits for each attempt that was under way when it was called. Its caller may be the
receiver of one of these, and would otherwise wait for itself; it can be inside no attempt that began later."""

SIDE_BY_SIDE = 64
"""Attempts of one instant that are under way at once during an advance."""

CRASHED_ATTEMPT = "a callback attempt crashed"

_BREATH = 200
"""Events after which an advance lets other requests have a turn."""


Conclude = Callable[[], None]


class Busy(Exception):
    """The clock can't be advanced: an attempt is under way that does not end, maybe because it waits for the caller."""


class Stopping(Exception):
    """The clock is not advanced any further: the server is about to stop."""


class EventRunner:
    """Owns the clock and one timer, armed for what falls due next.

    Ends and attempts come from `events`, a store; `alarms` are the delays of calls that this process is answering.

    Args:
        end: ends a task, by its id and the time it was planned for.
        attempt: makes a callback's attempt, likewise; what it returns puts it on record.
        receiver: names who gets a callback, by its id: attempts for one receiver are made one after the other.
        ring: rings an alarm, by its number.
        attempt_at_once: makes an attempt that needs no connection, to a sink; else it does nothing and returns None.
    """

    def __init__(
        self,
        clock: Clock,
        events: DueEvents,
        end: Callable[[str, float], None],
        attempt: Callable[[str, float], Awaitable[Conclude | None]],
        ring: Callable[[int], None],
        receiver: Callable[[str], str] = str,
        attempt_at_once: Callable[[str, float], Conclude | None] = lambda *_: None,
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
        self._receiver = receiver
        self._attempt_at_once = attempt_at_once
        self._running: dict[asyncio.Task[Conclude | None], str] = {}
        self._advancing = asyncio.Lock()
        self._stopping = False

    def start(self) -> None:
        """Run what is due from now on, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.rearm()

    async def stop(self) -> None:
        """Stop the timer and break off attempts under way."""
        self._loop = None
        self._disarm()
        await self.cancel_attempts()

    def interrupt(self) -> None:
        """Break off an advance under way, with the attempts that it waits for: the server is about to stop."""
        self._stopping = True
        if self._advancing.locked():
            for task in self._running:
                task.cancel()

    async def cancel_attempts(self) -> None:
        """Cancel the attempts under way and wait until they are gone."""
        running = list(self._running)
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
                self._start_attempt(name, due, None).add_done_callback(self._attempt_ended)
            else:
                self._run_end(name, due)
        self.rearm()

    def _start_attempt(
        self, name: str, due: float, after: "asyncio.Task[Conclude | None] | None"
    ) -> "asyncio.Task[Conclude | None]":
        """Make an attempt in an asyncio task, once `after`, an attempt for the same receiver, has ended.

        `_running` maps the asyncio task to the delivery's id, or to "" while the attempt has not begun.
        """

        async def attempt() -> Conclude | None:
            if after is not None:
                await asyncio.wait({after})
                self._running[task] = name
            return await self._attempt(name, due)

        task = asyncio.ensure_future(attempt())
        self._running[task] = name if after is None else ""
        task.add_done_callback(lambda ended: self._running.pop(ended, None))
        return task

    def _attempt_ended(self, task: "asyncio.Task[Conclude | None]") -> None:
        """Put an attempt on record. One that crashed is a defect of this server, which the event loop is told of."""
        try:
            if not task.cancelled() and (conclude := task.result()) is not None:
                conclude()
        except Exception as error:
            if self._loop is None:
                raise
            self._loop.call_exception_handler({"message": CRASHED_ATTEMPT, "exception": error})
        self.rearm()

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

    async def advance(
        self, until: float | None = None, *, by: float | None = None, inside: str | None = None
    ) -> list[Event]:
        """Move the clock to `until` (Unix seconds), or `by` so many seconds from when it is this call's turn, running
        everything that falls due on the way, in order.

        With neither, go on until nothing is planned. Returns only when all of it has run, callbacks with their attempts
        included; what ran, in order. Several at a time queue. `inside` is the callback that the caller says it is the
        receiver of.

        Raises:
            Busy: an attempt that was under way at the call has not ended within `PATIENCE` seconds, or is `inside`.
            Stopping: the server was about to stop before all of it had run.
        """
        clock = self.clock
        if inside is not None and inside in self._running.values():
            raise Busy
        await self._take_turn()
        try:
            self._disarm()
            while self._running:  # attempts that began before this turn; the caller is not the receiver of one of them
                await asyncio.wait(set(self._running))
            until = until if by is None else clock.now() + by
            ran = await self._run_until(float("inf") if until is None else until, clock)
            if self._stopping:
                raise Stopping
            if until is not None:
                clock.move_to(until)
        finally:
            self._advancing.release()
            self.rearm()
        return ran

    async def _take_turn(self) -> None:
        """Wait for the attempts under way, then for the turn; `Busy` if one of these attempts hangs."""
        turn = asyncio.ensure_future(self._advancing.acquire())
        try:
            under_way = {task for task, name in self._running.items() if name}
            if under_way and (await asyncio.wait(under_way, timeout=PATIENCE))[1]:
                raise Busy
            await turn
        except BaseException:
            if not turn.cancel() and not turn.cancelled():
                self._advancing.release()
            raise

    async def _run_until(self, until: float, clock: Clock) -> list[Event]:
        """Run what falls due until `until`; end early if a reset has put another clock in place of `clock`."""
        ran: list[Event] = []
        steps = 0
        following: Event | None = None
        while self._goes_on(clock) and (event := following or self._claim(until)) is not None:
            following = None
            clock.move_to(event[0])
            if event[1] == "alarm":
                self._ring(event[2])
            elif event[1] == "finish":
                ran.append(event)
                self._run_end(event[2], event[0])
            elif self._attempted_at_once(event[2], event[0]):
                ran.append(event)
            else:
                following = await self._attempts_from(event, clock, ran)
            steps += 1
            if steps % _BREATH == 0:
                await pause(0)
        return ran

    def _attempted_at_once(self, name: str, due: float) -> bool:
        """Make an attempt that waits for nobody, and put it on record; False if it would have to wait."""
        try:
            conclude = self._attempt_at_once(name, due)
            if conclude is not None:
                conclude()
        except Exception as error:
            if self._loop is None:
                raise
            self._loop.call_exception_handler({"message": CRASHED_ATTEMPT, "exception": error})
            return True
        return conclude is not None

    async def _attempts_from(self, first: Event, clock: Clock, ran: list[Event]) -> Event | None:
        """Make the attempts that follow one another at one instant side by side, and put them on record in order.

        What an attempt plans for the same instant comes after them, as it does when they are made one by one.

        Returns:
            The event of this instant that comes next, if it is no attempt.
        """
        window: deque[asyncio.Task[Conclude | None]] = deque()
        latest: dict[str, asyncio.Task[Conclude | None]] = {}
        following: Event | None = first
        try:
            while True:
                while following is not None and following[1] == "attempt" and len(window) < SIDE_BY_SIDE:
                    name, receiver = following[2], self._receiver(following[2])
                    latest[receiver] = task = self._start_attempt(name, first[0], latest.get(receiver))
                    window.append(task)
                    ran.append(following)
                    following = self._events.claim_due(first[0]) if self._goes_on(clock) else None
                if not window:
                    return following
                await asyncio.wait({window[0]})
                self._attempt_ended(window.popleft())
                if not self._goes_on(clock):
                    following = None
        finally:
            for task in window:  # the advance was broken off
                task.add_done_callback(self._attempt_ended)

    def _goes_on(self, clock: Clock) -> bool:
        """Whether an advance that began with this clock goes on: no reset and no stop has come."""
        return self.clock is clock and not self._stopping

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
