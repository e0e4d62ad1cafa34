"""Runs due events, in real time or because the clock is advanced.

Ends of tasks and alarms run at once and wait for nothing but the store. Attempts wait for a receiver: in the background
while time runs by itself, and up to `SIDE_BY_SIDE` of one instant at once while the clock is being advanced. There each
receiver gets its callbacks one after the other, and attempts are put on record as they were planned, so that every run
is the same.

Several processes may share the events and the clock. Each event is claimed by one of them, and one at a time advances
the clock. What the store fails to do for a claimed event is done again every `RETRY` seconds, until it works.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

from mockserver.engine.clock import Clock, ClockState, monotonic, pause
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import DueEvents, Event, Queue

T = TypeVar("T")

_Due = Event | tuple[float, Literal["ring"], int]

PATIENCE = 5.0
"""Real seconds for which an advance waits for each attempt that was under way when it was called. Its caller may be the
receiver of one of these, and would otherwise wait for itself; it can be inside no attempt that began later."""

SIDE_BY_SIDE = 64
"""Attempts of one instant that are under way at once during an advance."""

CRASHED_ATTEMPT = "a callback attempt crashed"

RETRY = 0.4
"""Real seconds after which something is tried again that the store could not do."""

_POLL = 0.02
"""Real seconds between two looks at what other processes do."""

_BREATH = 200
"""Events after which an advance lets other requests have a turn."""


Conclude = Callable[[], Awaitable[None]]


class Busy(Exception):
    """The clock can't be advanced: an attempt is under way that does not end, maybe because it waits for the caller."""


class Stopping(Exception):
    """The clock is not advanced any further: the server is about to stop."""


async def _never_at_once(name: str, due: float) -> Conclude | None:
    return None


async def _own_name(name: str) -> str:
    return name


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
        end: Callable[[str, float], Awaitable[None]],
        attempt: Callable[[str, float], Awaitable[Conclude | None]],
        ring: Callable[[int], None],
        receiver: Callable[[str], Awaitable[str]] = _own_name,
        attempt_at_once: Callable[[str, float], Awaitable[Conclude | None]] = _never_at_once,
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
        self._running: dict[asyncio.Task[Any], str] = {}
        self._recording: set[asyncio.Task[None]] = set()
        self._failed: deque[Event] = deque()
        self._ticking: asyncio.Task[None] | None = None
        self._missed = False
        self._ending = asyncio.Lock()
        self._advancing = asyncio.Lock()
        self._stopping = False

    def start(self) -> None:
        """Run what is due from now on, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.wake()

    async def stop(self) -> None:
        """Stop the timer and break off attempts under way."""
        self._loop = None
        self._disarm()
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        await self.cancel_attempts()

    def interrupt(self) -> None:
        """Break off an advance under way, with the attempts that it waits for: the server is about to stop."""
        self._stopping = True
        if self._advancing.locked():
            for task in self._running:
                task.cancel()

    async def cancel_attempts(self) -> None:
        """Cancel the attempts under way and wait until they are gone."""
        await asyncio.gather(*self.abandon_attempts(), return_exceptions=True)

    def abandon_attempts(self) -> list[asyncio.Task[Any]]:
        """Cancel the attempts under way, and forget the events that were to be run again; what was cancelled."""
        cancelled = [*self._running, *self._recording]
        for task in cancelled:
            task.cancel()
        self._failed.clear()
        return cancelled

    def restart(self, clock: Clock) -> None:
        """Go on with another clock, or with this one that was moved."""
        self._disarm()
        self.clock = clock
        self.wake()

    def notify_planned(self, due: float) -> None:
        """Say that something was planned for `due` (Unix seconds)."""
        if self._armed_for is None or due < self._armed_for:
            self._arm(due)

    def _arm(self, due: float | None) -> None:
        """Arm the timer for `due`, if that is sooner than it is armed for."""
        if due is None or (self._armed_for is not None and self._armed_for <= due):
            return
        delay = self.clock.real_delay(due)
        if delay is not None:
            self._set_timer(delay, due)

    def _set_timer(self, delay: float, due: float) -> None:
        if self._loop is not None and not self._advancing.locked():
            self._disarm()
            self._armed_for = due
            self._timer = self._loop.call_later(delay, self._fire)

    async def next_due(self) -> float | None:
        """When something falls due next, in Unix seconds; None if nothing is planned."""
        due, alarm = await self._events.next_due(), self.alarms.head()
        if alarm is None:
            return due
        return alarm[0] if due is None else min(due, alarm[0])

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._armed_for = None

    def _fire(self) -> None:
        self._timer = self._armed_for = None
        self.wake()

    def wake(self) -> None:
        """Run what is due, in an asyncio task of which there is one at a time, and arm the timer for what is next."""
        if self._loop is None or self._advancing.locked():
            return
        if self._ticking is None:
            self._ticking = self._loop.create_task(self._tick())
        else:
            self._missed = True

    async def _tick(self) -> None:
        try:
            while True:
                self._missed = False
                now = self.clock.now()
                try:
                    await self._run_all_due()
                    due = await self.next_due()
                except StoreUnavailable:
                    self._retry_later()
                except Exception as error:  # noqa: BLE001  # `_report` tells the event loop
                    self._report("running what is due crashed", error)
                    self._retry_later()
                else:
                    if due is not None and due <= now:  # it is for another process, which advances the clock
                        self._set_timer(_POLL, due)
                    else:
                        self._arm(due)
                if not self._missed:
                    return
        finally:
            self._ticking = None

    def _retry_later(self) -> None:
        self._set_timer(RETRY, self.clock.now())

    async def _run_all_due(self) -> None:
        """Run what is due, attempts in the background, unless the clock is being advanced."""
        now = self.clock.now()
        while not self._advancing.locked() and (event := await self._next_failed_or_due(now)) is not None:
            _, kind, name = event
            if kind == "attempt":
                self._run_in_background(self._attempt_alone(event), name)
            elif kind == "finish":
                async with self._ending:
                    await self._run_end(event)
                await self.run_due()  # the others, many at once: no other process advances the clock
        if not self._advancing.locked():
            self._ring_due(now)

    async def _next_failed_or_due(self, now: float) -> Event | None:
        """The first event that the store failed at, or else that is due."""
        return self._failed.popleft() if self._failed else await self._events.claim_due(now)

    async def _attempt_alone(self, event: Event) -> None:
        """Make an attempt and put it on record. One that crashes is a defect, which the event loop is told of."""
        try:
            await self._record(await self._attempt(event[2], event[0]))
        except StoreUnavailable:
            self._run_again(event)
            return
        except Exception as error:  # noqa: BLE001  # `_report` tells the event loop
            self._report(CRASHED_ATTEMPT, error)
        self.wake()

    async def _record(self, conclude: Conclude | None) -> None:
        """Put an attempt that was made on record, as soon as the store can."""
        while conclude is not None:
            try:
                await conclude()
            except StoreUnavailable:
                if self._stopping:
                    raise
                await pause(RETRY)
            else:
                return

    def _run_again(self, event: Event) -> None:
        self._failed.append(event)
        self._retry_later()

    def _report(self, message: str, error: Exception) -> None:
        """Tell the event loop of a defect of this server; without a loop, raise it."""
        if self._loop is None:
            raise error
        self._loop.call_exception_handler({"message": message, "exception": error})

    def _start_attempt(
        self, name: str, due: float, after: "asyncio.Task[Conclude | None] | None"
    ) -> "asyncio.Task[Conclude | None]":
        """Make an attempt in an asyncio task, once `after`, an attempt for the same receiver, has ended."""

        async def attempt() -> Conclude | None:
            if after is not None:
                await asyncio.wait({after})
                self._running[task] = name
            return await self._attempt(name, due)

        task = self._run_in_background(attempt(), name if after is None else "")
        return task

    def _run_in_background(self, attempt: Coroutine[Any, Any, T], name: str) -> "asyncio.Task[T]":
        """Run an attempt; `_running` maps its task to the delivery's id, or to "" while the attempt has not begun."""
        task = asyncio.ensure_future(attempt)
        self._running[task] = name
        task.add_done_callback(lambda ended: self._running.pop(ended, None))
        return task

    async def _attempt_ended(self, task: "asyncio.Task[Conclude | None]", event: Event) -> None:
        """Put an attempt of an advance on record, as `_attempt_alone` does for others."""
        try:
            if not task.cancelled():
                await self._record(task.result())
        except StoreUnavailable:
            self._run_again(event)
            raise
        except Exception as error:  # noqa: BLE001  # `_report` tells the event loop
            self._report(CRASHED_ATTEMPT, error)

    def _record_later(self, task: "asyncio.Task[Conclude | None]", event: Event) -> None:
        """Put an attempt on record when it has ended, whose advance was broken off."""

        async def record() -> None:
            with suppress(StoreUnavailable):
                await self._attempt_ended(task, event)
            self.wake()

        def ended(_: object) -> None:
            if not task.cancelled():
                recording = asyncio.ensure_future(record())
                self._recording.add(recording)
                recording.add_done_callback(self._recording.discard)

        task.add_done_callback(ended)

    def may_be_due(self) -> bool:
        """Whether `run_due` may have something to do, as far as this process knows."""
        now = self.clock.now()
        return self._events.may_be_due(now) or ((alarm := self.alarms.head()) is not None and alarm[0] <= now)

    async def run_due(self) -> None:
        """End the tasks that are due, and ring the alarms that are."""
        now = self.clock.now()
        async with self._ending:
            while ends := self._failed_ends() or await self._events.claim_ends(now):
                await self._run_ends(ends)
        self._ring_due(now)

    def _failed_ends(self) -> list[Event]:
        """Take out the ends that the store failed at."""
        ends = [event for event in self._failed if event[1] == "finish"]
        if ends:
            self._failed = deque(event for event in self._failed if event[1] != "finish")
        return ends

    async def _run_ends(self, ends: Sequence[Event]) -> None:
        """End tasks side by side, beginning in their order."""
        if len(ends) == 1:
            await self._run_end(ends[0])
            return
        for outcome in await asyncio.gather(*map(self._run_end, ends), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def _ring_due(self, now: float) -> None:
        while len(self.alarms) and (alarm := self.alarms.pop_due(now)) is not None:
            self._ring(alarm[1])

    async def _run_end(self, event: Event) -> None:
        """End a task. A crash is a defect of this server, but may not stop the clock for the others."""
        try:
            await self._end(event[2], event[0])
        except (StoreUnavailable, asyncio.CancelledError):
            self._run_again(event)
            raise
        except Exception as error:  # noqa: BLE001  # `_report` tells the event loop
            self._report("the end of a task crashed", error)

    async def advance(
        self, until: float | None = None, *, by: float | None = None, inside: str | None = None
    ) -> list[Event]:
        """Move the clock to `until` (Unix seconds), or `by` so many seconds from when it is this call's turn, running
        everything that falls due on the way, in order.

        With neither, go on until nothing is planned. Returns only when all of it has run, callbacks with their attempts
        included; what ran here, in order. Several at a time queue, also at other processes. `inside` is the callback
        that the caller says it is the receiver of.

        Raises:
            Busy: an attempt that was under way at the call has not ended within `PATIENCE` seconds, or is `inside`.
            Stopping: the server was about to stop before all of it had run.
        """
        clock = self.clock
        if inside is not None and inside in self._running.values():
            raise Busy
        await self._wait_elsewhere(await self._events.claimed_elsewhere(), inside)
        await self._take_turn()
        try:
            await self._take_shared_turn()
            until = until if by is None else clock.now() + by
            ran = await self._run_until(float("inf") if until is None else until, clock)
            if self._stopping:
                raise Stopping
            if until is not None:
                await self._move(clock, until)
        finally:
            try:
                await self._events.end_advance()
            finally:
                self._advancing.release()
                self.wake()
        return ran

    async def _wait_elsewhere(self, claimed: Sequence[str], inside: str | None) -> None:
        """Wait for what other processes had claimed at the call. Raises Busy."""
        if inside is not None and inside in claimed:
            raise Busy
        end = monotonic() + PATIENCE
        while claimed:
            if monotonic() > end:
                raise Busy
            await pause(_POLL)
            now = await self._events.claimed_elsewhere()
            claimed = [name for name in claimed if name in now]

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

    async def _take_shared_turn(self) -> None:
        """Wait until no other process advances, and for what began before this turn: of that, the caller is not the
        receiver."""
        while not await self._events.begin_advance():
            if self._stopping:
                raise Stopping
            await pause(_POLL)
        self._disarm()
        if self._ticking is not None:
            await asyncio.wait({self._ticking})
        while self._running:
            await asyncio.wait(set(self._running))

    async def _move(self, clock: Clock, instant: float) -> None:
        """Move a clock forward, for all processes, unless a reset has put another one in its place."""
        if instant > clock.now():
            clock.move_to(instant)
            if self.clock is clock:
                await self._events.put_clock(ClockState.of(clock))

    async def jump(self, instant: float) -> None:
        """Move the clock forward without its callbacks: they are attempted in the background."""
        await self._move(self.clock, instant)
        await self.run_due()

    async def _run_until(self, until: float, clock: Clock) -> list[Event]:
        """Run what falls due until `until`; end early if a reset has put another clock in place of `clock`."""
        ran: list[Event] = []
        steps = 0
        following: Event | None = None
        while self._goes_on(clock):
            event = following or await self._claim(until)
            following = None
            if event is None:
                if await self._others_have_ended():
                    break
                continue
            await self._move(clock, event[0])
            if event[1] == "ring":
                self._ring(event[2])
            elif event[1] == "finish":
                ran.append(event)
                async with self._ending:
                    await self._run_end(event)
            elif event[1] == "attempt":
                if await self._attempted_at_once(event):
                    ran.append(event)
                else:
                    following = await self._attempts_from(event, clock, ran)
            steps += 1
            if steps % _BREATH == 0:
                await pause(0)
        return ran

    async def _others_have_ended(self) -> bool:
        """Whether nobody else is running an event, which may plan others; if somebody is, wait a little."""
        if self._ending.locked():
            async with self._ending:
                return False
        if await self._events.claimed_elsewhere():
            await pause(_POLL)
            return False
        return True

    async def _attempted_at_once(self, event: Event) -> bool:
        """Make an attempt that waits for nobody, and put it on record; False if it would have to wait."""
        try:
            conclude = await self._attempt_at_once(event[2], event[0])
            await self._record(conclude)
        except StoreUnavailable:
            self._run_again(event)
            raise
        except Exception as error:  # noqa: BLE001  # `_report` tells the event loop
            self._report(CRASHED_ATTEMPT, error)
            return True
        return conclude is not None

    async def _attempts_from(self, first: Event, clock: Clock, ran: list[Event]) -> Event | None:
        """Make the attempts that follow one another at one instant side by side, and put them on record in order.

        What an attempt plans for the same instant comes after them, as it does when they are made one by one.

        Returns:
            The event of this instant that comes next, if it is no attempt.
        """
        window: deque[tuple[asyncio.Task[Conclude | None], Event]] = deque()
        latest: dict[str, asyncio.Task[Conclude | None]] = {}
        following: Event | None = first
        try:
            while True:
                while following is not None and following[1] == "attempt" and len(window) < SIDE_BY_SIDE:
                    name, receiver = following[2], await self._receiver(following[2])
                    latest[receiver] = task = self._start_attempt(name, first[0], latest.get(receiver))
                    window.append((task, following))
                    ran.append(following)
                    following = await self._events.claim_due(first[0]) if self._goes_on(clock) else None
                if not window:
                    return following
                await asyncio.wait({window[0][0]})
                await self._attempt_ended(*window.popleft())
                if not self._goes_on(clock):
                    following = None
        finally:
            for task, event in window:  # the advance was broken off
                self._record_later(task, event)

    def _goes_on(self, clock: Clock) -> bool:
        """Whether an advance that began with this clock goes on: no reset and no stop has come."""
        return self.clock is clock and not self._stopping

    async def _claim(self, until: float) -> _Due | None:
        """The first of all events that is due at or before `until`, an alarm after others of the same instant."""
        alarm = self.alarms.head() if len(self.alarms) else None
        if alarm is None or alarm[0] > until:
            return await self._next_failed_or_due(until)
        event = await self._next_failed_or_due(alarm[0])
        if event is not None:
            return event
        ringing = self.alarms.pop_due(alarm[0])
        return (ringing[0], "ring", ringing[1]) if ringing else await self._claim(until)
