"""Runs due events, as real time passes or because the clock is advanced.

While time runs by itself, ends of tasks and alarms run at once, and attempts in the background, where they wait for
their receivers. `advance.py` runs what falls due while the clock is being advanced.

Several processes may share the events and the clock. Each event is claimed by one of them, and one at a time advances
the clock. What the store fails to do for a claimed event is done again every `RETRY` seconds, until it works.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Any

from mockserver.engine import attempts
from mockserver.engine.advance import POLL, Advance
from mockserver.engine.attempts import Attempts, Conclude, never_at_once, own_name
from mockserver.engine.claims import Claims
from mockserver.engine.clock import Clock, ClockState, monotonic, pause
from mockserver.engine.ends import CRASHED_END, End, Ends
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import DueEvents, Event, Queue

PATIENCE = 5.0
"""Real seconds for which an advance waits for each attempt that was under way when it was called. Its caller may be the
receiver of one of these, and would otherwise wait for itself; it can be inside no attempt that began later."""

CRASHED_ATTEMPT = "a callback attempt crashed"


class Busy(Exception):
    """The clock can't be advanced: an attempt is under way that does not end, maybe because it waits for the caller."""


class Stopping(Exception):
    """The clock is not advanced any further: the server is about to stop."""


class EventRunner:
    """Owns the clock and one timer, armed for what falls due next.

    Ends and attempts come from `events`, a store; `alarms` are the delays of calls that this process is answering.

    Args:
        end: as for `Ends`.
        attempt, receiver, attempt_at_once: as for `Attempts`.
        ring: rings an alarm, by its number.
        ahead: whether several ends may be prepared before the first of them is settled.
    """

    def __init__(
        self,
        clock: Clock,
        events: DueEvents,
        end: End,
        attempt: Callable[[str, float], Awaitable[Conclude | None]],
        ring: Callable[[int], None],
        receiver: Callable[[str], Awaitable[str]] = own_name,
        attempt_at_once: Callable[[str, float], Awaitable[Conclude | None]] = never_at_once,
        ahead: Callable[[], bool] = lambda: True,
    ) -> None:
        self.clock = clock
        self.alarms = Queue[int]()
        self._events = events
        self._claims = Claims(events)
        self._ends = Ends(end, self._run_again, lambda error: self._report(CRASHED_END, error))
        self._ring = ring
        self._ahead = ahead
        self._attempts = Attempts(
            attempt,
            attempt_at_once,
            receiver,
            self._run_again,
            lambda error: self._report(CRASHED_ATTEMPT, error),
            self.wake,
            together=events.shared,
        )
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._missed = False
        self._advance: Advance | None = None
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
        self._stopping = self._attempts.stopping = True
        if self._advancing.locked():
            self._attempts.break_off()

    async def cancel_attempts(self) -> None:
        """Cancel the attempts under way and wait until they are gone."""
        await asyncio.gather(*self.abandon_attempts(), return_exceptions=True)

    def abandon_attempts(self) -> list[asyncio.Task[Any]]:
        """Cancel the attempts under way, and forget the events that were to be run again; what was cancelled."""
        self._claims.forget()
        return self._attempts.abandon()

    def restart(self, clock: Clock) -> None:
        """Go on with another clock, or with this one that was moved."""
        self._disarm()
        self.clock = clock
        self.wake()

    def notify_planned(self, due: float) -> None:
        """Say that something was planned for `due` (Unix seconds)."""
        if self._advance is not None:
            self._advance.notify_planned(due)
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
        due, alarm = await self._claims.next_due(), self.alarms.head()
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
                        self._set_timer(POLL, due)
                    else:
                        self._arm(due)
                if not self._missed:
                    return
        finally:
            self._ticking = None

    def _retry_later(self) -> None:
        self._set_timer(attempts.RETRY, self.clock.now())

    async def _run_all_due(self) -> None:
        """Run what is due, attempts in the background, unless the clock is being advanced."""
        now = self.clock.now()
        while not self._advancing.locked():
            async with self._ends.running:
                event = await self._claims.claim(now)
                if event is not None and event[1] == "finish":
                    await self._ends.run(event)
            if event is None:
                break
            if event[1] == "attempt":
                self._attempts.make_alone(event)
            elif event[1] == "finish":
                await self.run_due()  # the others, many at once: no other process advances the clock
        if not self._advancing.locked():
            self._ring_due(now)

    def _run_again(self, event: Event) -> None:
        """Run an event again that the store failed at."""
        self._claims.put_back(event)
        self._retry_later()

    def _report(self, message: str, error: Exception) -> None:
        """Tell the event loop of a defect of this server; without a loop, raise it."""
        if self._loop is None:
            raise error
        self._loop.call_exception_handler({"message": message, "exception": error})

    def may_be_due(self) -> bool:
        """Whether `run_due` may have something to do, as far as this process knows."""
        now = self.clock.now()
        return self._events.may_be_due(now) or self._ends.running.locked() or self.alarms.is_due(now)

    async def run_due(self) -> None:
        """End the tasks that are due, and ring the alarms that are."""
        now = self.clock.now()
        async with self._ends.running:
            while ends := await self._claims.claim_ends(now):
                await self._ends.run_all(ends)
        self._ring_due(now)

    def _ring_due(self, now: float) -> None:
        while len(self.alarms) and (alarm := self.alarms.pop_due(now)) is not None:
            self._ring(alarm[1])

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
        if inside is not None and self._attempts.is_under_way(inside):
            raise Busy
        await self._wait_elsewhere(await self._events.claimed_elsewhere(), inside)
        await self._take_turn()
        try:
            await self._take_shared_turn()
            until = until if by is None else clock.now() + by
            ran = await self._run_until(inf if until is None else until, clock)
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
            await pause(POLL)
            now = await self._events.claimed_elsewhere()
            claimed = [name for name in claimed if name in now]

    async def _take_turn(self) -> None:
        """Wait for the attempts under way, then for the turn; `Busy` if one of these attempts hangs."""
        turn = asyncio.ensure_future(self._advancing.acquire())
        try:
            under_way = self._attempts.begun()
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
            await pause(POLL)
        self._disarm()
        if self._ticking is not None:
            await asyncio.wait({self._ticking})
        await self._attempts.wait()

    async def _run_until(self, until: float, clock: Clock) -> list[Event]:
        """Run what falls due until `until`; end early if a reset has put another clock in place of `clock`."""
        self._advance = Advance(
            clock,
            until,
            self._events,
            self._claims,
            self._ends,
            self._attempts,
            self.alarms,
            self._ring,
            self._run_again,
            lambda: self.clock is clock,
            lambda: self.clock is clock and not self._stopping,
            self._ahead,
        )
        try:
            return await self._advance.run()
        finally:
            self._advance = None

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
