"""One advance of the clock: what falls due on its way is run in order, each event at its own time.

Ends and alarms wait for nothing but the store. Attempts wait for a receiver: up to `SIDE_BY_SIDE` of one instant do so
at once. Each receiver gets its callbacks one after the other, and attempts are put on record as they were planned, so
that every run is the same. On a shared store the next event is claimed by the same way as what has been made is put on
record.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from math import inf
from typing import Literal

from mockserver.engine.attempts import Attempts, Conclude
from mockserver.engine.claims import Claims
from mockserver.engine.clock import Clock, ClockState, pause
from mockserver.engine.ends import Ends
from mockserver.engine.schedule import DueEvents, Event, EventKind, Queue
from mockserver.engine.together import all_of, beside

_Due = Event | tuple[float, Literal["ring"], int]

POLL = 0.02
"""Real seconds between two looks at what other processes do."""

_BREATH = 200
"""Events after which an advance lets other requests have a turn."""


class Advance:
    """Runs what falls due until `until` (Unix seconds), and moves the clock along.

    Args:
        events, claims, ends, attempts, alarms: what falls due, and what runs it.
        ring: rings an alarm, by its number.
        run_again: is told of an event that was claimed and could not be run.
        in_force: whether no reset has put another clock in place of `clock`.
        goes_on: whether no stop has come either.
        ahead: whether several ends may be prepared before the first of them is settled.
    """

    def __init__(
        self,
        clock: Clock,
        until: float,
        events: DueEvents,
        claims: Claims,
        ends: Ends,
        attempts: Attempts,
        alarms: Queue[int],
        ring: Callable[[int], None],
        run_again: Callable[[Event], None],
        in_force: Callable[[], bool],
        goes_on: Callable[[], bool],
        ahead: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._until = until
        self._events = events
        self._claims = claims
        self._ends = ends
        self._attempts = attempts
        self._alarms = alarms
        self._ring = ring
        self._run_again = run_again
        self._in_force = in_force
        self._goes_on = goes_on
        self._ahead = ahead
        self._ran: list[Event] = []
        self._planned = inf

    def notify_planned(self, due: float) -> None:
        """Say that something was planned for `due` (Unix seconds) while this runs."""
        self._planned = min(self._planned, due)

    async def run(self) -> list[Event]:
        """Run what falls due; what ran here, in order. Ends early once the advance is not to go on."""
        ran, steps = self._ran, 0
        following: _Due | None = None
        while self._goes_on():
            event = following or await self._claim()
            following = None
            if event is None:
                if await self._others_have_ended():
                    break
                continue
            if event[1] == "finish" and not self._events.shared:
                async with self._ends.running:  # a request that comes meanwhile waits for the end, as `run_due` does
                    await self._move_to(event)
                    ran.append(event)
                    await self._ends.run(event)
            elif event[1] == "finish":
                following = await self._run_ends(event)
            else:
                await self._move_to(event)
            if event[1] == "ring":
                self._ring(event[2])
            elif event[1] == "attempt":
                conclude = await self._attempts.make_at_once(event)
                if conclude is not None:
                    ran.append(event)
                    if self._events.shared:
                        following = await self._claim_beside([conclude()])
                    else:
                        await conclude()
                else:
                    claim = partial(self._claim_at_instant, event)
                    following = await self._attempts.make_side_by_side(event, claim, ran)
            steps += 1
            if steps % _BREATH == 0:
                await pause(0)
        if following is not None:
            self._put_back(following)
        return ran

    async def _run_ends(self, first: Event) -> _Due | None:
        """End a task on a shared store, those that come next too if they can be run side by side with it, with what
        they plan for at once; the event that comes next, if it was claimed by the same way."""
        async with self._ends.running:
            alarm = self._alarms.head()
            horizon = self._until if alarm is None else min(self._until, alarm[0])
            events, room = [first], self._ends.room() if self._ahead() else 1
            if room > 1 and self._events.may_be_due(horizon):
                events += await self._claim_more("finish", horizon, room - 1, first)
            prepared = await self._ends.prepare(events)
            last = prepared[-1][0][0]
            verbs: list[Awaitable[object]] = [self._ends.settle(one) for one in prepared]
            if self._moved(last):
                verbs.insert(0, self._events.put_clock(ClockState.of(self._clock)))
            planned = sum(attempts or 0 for _, _, attempts in prepared)
            if not planned:
                self._ran += [event for event, *_ in prepared]
                return await self._claim_beside(verbs)
            claiming = self._claims.claim_more("attempt", last, planned)
            attempts = await beside(verbs, claiming, lambda events: self._put_back(*events))
        made = [one for one in await all_of(map(self._make_at_once, attempts)) if one is not None]
        self._ran += sorted(
            [*[event for event, *_ in prepared], *[event for event, _ in made]], key=lambda event: event[0]
        )
        return await self._claim_beside([conclude() for _, conclude in made])

    async def _claim_more(self, kind: EventKind, until: float, most: int, first: Event) -> Sequence[Event]:
        """As `Claims.claim_more`; the `first` of them, which was claimed before, is run again if the store is away."""
        try:
            return await self._claims.claim_more(kind, until, most)
        except BaseException:
            self._put_back(first)
            raise

    async def _make_at_once(self, event: Event) -> tuple[Event, Conclude] | None:
        """An attempt that waits for nobody, and what puts it on record; one that would have to wait is made later."""
        conclude = await self._attempts.make_at_once(event)
        if conclude is not None:
            return event, conclude
        self._put_back(event)
        return None

    async def _claim_beside(self, verbs: Sequence[Awaitable[object]]) -> _Due | None:
        """Put on record what has been made of events; what comes next, if the store claims it by the same way.

        It was claimed as the store was after the records: if this process has planned something meanwhile that is due
        sooner, it is put back.
        """
        self._planned = inf
        following = await beside(verbs, self._claim(), self._put_back)
        if following is not None and self._planned < following[0]:
            self._put_back(following)
            return None
        return following

    def _put_back(self, *events: _Due | None) -> None:
        """Let events be run later that were claimed; an alarm rings now."""
        for event in events:
            if event is None:
                continue
            if event[1] == "ring":
                self._ring(event[2])
            else:
                self._run_again(event)

    async def _move_to(self, event: _Due) -> None:
        """Move the clock to an event; one that can't be reached is run again later."""
        try:
            if self._moved(event[0]):
                await self._events.put_clock(ClockState.of(self._clock))
        except BaseException:
            self._put_back(event)
            raise

    def _moved(self, instant: float) -> bool:
        """Move the clock forward in this process; whether the others are to be told."""
        if instant <= self._clock.now():
            return False
        self._clock.move_to(instant)
        return self._in_force()

    async def _others_have_ended(self) -> bool:
        """Whether nobody else is running an event, which may plan others; if somebody is, wait a little."""
        if self._ends.running.locked():
            async with self._ends.running:
                return False
        if await self._events.claimed_elsewhere():
            await pause(POLL)
            return False
        return True

    async def _claim(self) -> _Due | None:
        """The first of all events that is due by the end, an alarm after others of the same instant."""
        alarm = self._alarms.head() if len(self._alarms) else None
        if alarm is None or alarm[0] > self._until:
            return await self._claim_goes_on(self._until)
        event = await self._claim_goes_on(alarm[0])
        if event is not None or not self._goes_on():
            return event
        ringing = self._alarms.pop_due(alarm[0])
        return (ringing[0], "ring", ringing[1]) if ringing else await self._claim()

    async def _claim_at_instant(self, first: Event, most: int) -> Sequence[Event]:
        """What comes next at the time of an event, if this goes on: up to `most` of its kind, or one."""
        if self._events.shared and most > 1 and self._goes_on():
            more = await self._claims.claim_more("attempt", first[0], most)
            if more and self._goes_on():
                return more
            self._put_back(*more)
        one = await self._claim_goes_on(first[0])
        return () if one is None else (one,)

    async def _claim_goes_on(self, until: float) -> Event | None:
        """The first event of the store that is due at or before `until`, if this goes on."""
        event = await self._claims.claim(until) if self._goes_on() else None
        if event is not None and not self._goes_on():  # it may be of the time after a reset
            self._claims.put_back(event)
            return None
        return event
