"""An event runner in play: events that note when they run, attempts that can be held, a store that can be away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mockserver.engine.attempts import Conclude
from mockserver.engine.clock import Clock, ClockState, VirtualClock
from mockserver.engine.ends import Ending
from mockserver.engine.event_runner import EventRunner
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import Event, EventKind, Schedule


class Events:
    """The events of a schedule, with what other processes on the same store would do to them.

    `elsewhere` is what others have claimed, `others_advance` for how many more looks another one advances, `alarms` are
    those of others, `withheld` is what is due and given to others alone.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.clocks: list[float] = []
        self.elsewhere: list[str] = []
        self.others_advance = 0
        self.turns: list[str] = []
        self.alarms: list[float] = []
        self.withheld: float | None = None
        self.claims = 0
        self.fails_clock: Callable[[], None] = lambda: None

    @property
    def shared(self) -> bool:
        return Pace.suspends

    def may_be_due(self, now: float) -> bool:
        return True

    async def next_due(self) -> float | None:
        await _turn()
        return self.schedule.next_due() if self.withheld is None else self.withheld

    async def claim_ends(self, now: float) -> Sequence[Event]:
        await _turn()
        ends = []
        while (event := self.schedule.claim_end(now)) is not None:
            ends.append(event)
        return ends

    async def claim_due(self, now: float) -> Event | None:
        await _turn()
        self.claims += 1
        due = self.schedule.next_due()
        if self.turns[-1:] == ["begin"] and self.alarms and self.alarms[0] <= now and (not due or due > self.alarms[0]):
            return self.alarms.pop(0), "alarm", "another process's"
        return self.schedule.claim_due(now)

    async def claim_more(self, kind: EventKind, until: float, most: int) -> Sequence[Event]:
        await _turn()
        return self.schedule.claim_more(kind, until, most)

    async def begin_advance(self) -> bool:
        await _turn()
        self.others_advance -= 1
        if self.others_advance < 0:
            self.turns.append("begin")
        return self.others_advance < 0

    async def end_advance(self) -> None:
        await _turn()
        self.turns.append("end")

    async def claimed_elsewhere(self) -> Sequence[str]:
        await _turn()
        return list(self.elsewhere)

    async def put_clock(self, state: ClockState) -> None:
        await _turn()
        self.fails_clock()
        self.clocks.append(state.instant)

    async def plan_alarm(self, due: float, name: str) -> None:
        """Nobody looks at it here."""

    async def drop_alarm(self, name: str) -> None:
        """Nobody looks at it here."""


class Pace:
    """Whether the events let others have a turn at each verb."""

    suspends = False


async def _turn() -> None:
    if Pace.suspends:
        await asyncio.sleep(0)


class Play:
    """An event runner whose events are written down as (time, what, name). `then` says what else happens at each."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.seen: list[tuple[float, str, str]] = []
        self.then: dict[str, Callable[[], Any]] = {}
        self.plans = True
        self.schedule = Schedule()
        self.events = Events(self.schedule)
        first = clock or VirtualClock(0.0)
        self.event_runner = EventRunner(
            first, self.events, self._end, self._attempt, self._ring, attempt_at_once=self._attempt_at_once
        )

    @property
    def names(self) -> list[str]:
        return [name for _, _, name in self.seen]

    def _note(self, what: str, name: str) -> Any:
        self.seen.append((round(self.event_runner.clock.now(), 3), what, name))
        return self.then.get(name, lambda: None)()

    async def _end(self, name: str, due: float) -> Ending:
        """The end of a task whose name begins with "quiet" plans nothing; "here" plans an attempt of such a name."""

        async def settle() -> None:
            self._note("finish", name)
            if name.startswith("here"):
                self.schedule.plan_attempt(due, name)

        async def attempts_at_once() -> int | None:
            return {"quiet": 0, "here": 1}.get(name.split()[0])

        return Ending(settle, attempts_at_once)

    def _ring(self, number: int) -> None:
        self._note("alarm", str(number))

    async def _attempt_at_once(self, name: str, due: float) -> Conclude | None:
        """An attempt whose name begins with "here" needs no connection."""
        if not name.startswith("here"):
            return None
        self._note("attempt", name)

        async def conclude() -> None:
            if self.plans:
                self.schedule.plan_end(due, f"planned by {name}")

        return conclude

    async def _attempt(self, name: str, due: float) -> None:
        made = self._note("attempt", name)
        if made is not None:
            await made

    def forget(self) -> None:
        """Forget what is planned, as a reset does."""
        while self.schedule.claim_due(float("inf")) is not None:
            continue

    def plan(self, finishes: dict[str, float], attempts: dict[str, float]) -> None:
        for name, due in finishes.items():
            self.schedule.plan_end(due, name)
        for name, due in attempts.items():
            self.schedule.plan_attempt(due, name)
        self.event_runner.wake()


@asynccontextmanager
async def played(clock: Clock | None = None) -> AsyncIterator[Play]:
    play = Play(clock)
    play.event_runner.start()
    try:
        yield play
    finally:
        await play.event_runner.stop()


async def after_a_while(seconds: float, act: Callable[[], None]) -> None:
    await asyncio.sleep(seconds)
    act()


async def hang(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        ended.append("cancelled")
        raise


async def crash() -> None:
    raise RuntimeError("boom")


def listen(reported: list[str]) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(f"{context['message']}: {context['exception']}"))


class Away:
    """Fails so many times, and then no more."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise StoreUnavailable("the store is away")


def plan_soon(play: Play) -> None:
    """Plan an end as another call of this process does, once the store has told what comes next."""
    play.event_runner.notify_planned(2.0)
    play.schedule.plan_end(2.0, "soon")
