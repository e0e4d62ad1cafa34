"""What this process claims of the events, which it may share with others."""

from collections.abc import Awaitable, Sequence
from math import inf, nextafter

from mockserver.engine.schedule import DueEvents, Event, EventKind


class Claims:
    """Claims events one by one. Those that were put back, because they could not be run, or not yet, are claimed before
    others of their time."""

    def __init__(self, events: DueEvents) -> None:
        self._events = events
        self._put_back: list[Event] = []

    async def claim(self, now: float) -> Event | None:
        """As `DueEvents.claim_due`."""
        if not self._put_back:
            return await self._events.claim_due(now)
        own = min((event for event in self._put_back if event[0] <= now), key=lambda event: event[0], default=None)
        if own is None:
            return await self._events.claim_due(now)
        sooner = await self._events.claim_due(nextafter(own[0], -inf))
        if sooner is not None:
            return sooner
        if own not in self._put_back:  # another one has claimed it meanwhile, or a reset forgot it
            return await self.claim(now)
        self._put_back.remove(own)
        return own

    async def claim_more(self, kind: EventKind, until: float, most: int) -> Sequence[Event]:
        """As `DueEvents.claim_more`, unless what was put back may come before."""
        if any(event[0] <= until for event in self._put_back):
            return ()
        return await self._events.claim_more(kind, until, most)

    def claim_ends(self, now: float) -> Awaitable[Sequence[Event]]:
        """As `DueEvents.claim_ends`."""
        return self._claim_put_back(now) if self._put_back else self._events.claim_ends(now)

    async def _claim_put_back(self, now: float) -> Sequence[Event]:
        ends = [event for event in self._put_back if event[1] == "finish" and event[0] <= now]
        if not ends:
            return await self._events.claim_ends(now)
        self._put_back = [event for event in self._put_back if event not in ends]
        return ends

    async def next_due(self) -> float | None:
        """As `DueEvents.next_due`."""
        due = await self._events.next_due()
        own = min((event[0] for event in self._put_back), default=None)
        return due if own is None else own if due is None else min(due, own)

    def put_back(self, event: Event) -> None:
        """Keep an event that was claimed and not run, to be run later."""
        if event not in self._put_back:
            self._put_back.append(event)

    def forget(self) -> None:
        """Drop what was put back: a reset has forgotten it."""
        self._put_back.clear()
