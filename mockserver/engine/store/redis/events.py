"""What is due: the verbs of `DueEvents`, for events that each process claims."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mockserver.engine.clock import ClockState
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import Event, EventKind
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.redis.setting import Setting

NEXT_DUE, CLAIM_DUE, GIVE_BACK = script("next_due"), script("claim_due"), script("give_back")
BEGIN_ADVANCE, END_ADVANCE = script("begin_advance"), script("end_advance")
CLAIMED_ELSEWHERE, PLAN_ALARM, DROP_ALARM = script("claimed_elsewhere"), script("plan_alarm"), script("drop_alarm")

_KINDS: dict[bytes, EventKind] = {b"f": "finish", b"a": "attempt", b"alarm": "alarm"}


class Events:
    """The verbs of `DueEvents`."""

    def __init__(self, database: Database, setting: Setting) -> None:
        self._database = database
        self._setting = setting
        self._unwanted: set[str] = set()
        self._advance_ends = False

    async def next_due(self) -> float | None:
        end, attempt = await self._database.run(NEXT_DUE)
        self._setting.heard_of_end(end)
        return earliest(end, attempt)

    def may_be_due(self, now: float) -> bool:
        return self._setting.earliest_end <= now

    async def claim_due(self, now: float, *, attempts: bool = True) -> Event | None:
        asked = await self._database.ask(CLAIM_DUE, repr(now), int(attempts))
        try:
            answer = await self._database.answer(asyncio.shield(asked), CLAIM_DUE, repr(now), int(attempts))
        except asyncio.CancelledError:
            asked.add_done_callback(self._refuse)
            raise
        kind, due, name, end = answer
        self._setting.heard_of_end(end)
        if kind is None:
            return None
        if kind != b"alarm":
            self._database.claimed.add(_claim(kind, name))
        return float(due), _KINDS[kind], layout.text(name)

    def _refuse(self, asked: "asyncio.Future[Any]") -> None:
        """Give back what was claimed for a caller that did not wait for it."""
        answer = None if asked.cancelled() or asked.exception() else asked.result()
        if isinstance(answer, list) and answer[0] in (b"f", b"a"):
            self._unwanted.add(_claim(answer[0], answer[2]))

    async def tidy(self) -> None:
        """Do what could not be done when it should have been: with every beat."""
        if self._unwanted:
            await self._database.run(GIVE_BACK, *self._unwanted)
            self._unwanted.clear()
        if self._advance_ends:
            await self._database.run(END_ADVANCE)
            self._advance_ends = False

    async def begin_advance(self) -> bool:
        await self.tidy()
        self._database.advances = bool(await self._database.run(BEGIN_ADVANCE))
        if self._database.advances:
            await self._database.refresh()
        return self._database.advances

    async def end_advance(self) -> None:
        self._database.advances, self._advance_ends = False, True
        with suppress(StoreUnavailable):
            await self._database.run(END_ADVANCE)
            self._advance_ends = False

    async def claimed_elsewhere(self) -> Sequence[str]:
        return [layout.text(name) for name in await self._database.run(CLAIMED_ELSEWHERE)]

    async def put_clock(self, state: ClockState) -> None:
        await self._database.put_state(*layout.clock_fields(state))

    async def plan_alarm(self, due: float, name: str) -> None:
        await self._database.run(PLAN_ALARM, repr(due), name)

    async def drop_alarm(self, name: str) -> None:
        await self._database.run(DROP_ALARM, name)


def _claim(kind: bytes, name: bytes) -> str:
    return layout.text(kind + name)


def earliest(*due: bytes) -> float | None:
    """The first of some instants as the server tells them; empty ones are none."""
    return min([float(one) for one in due if one], default=None)
