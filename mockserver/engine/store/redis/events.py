"""What is due: the verbs of `DueEvents`, for events that each process claims."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mockserver.engine.clock import ClockState
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import Event, EventKind
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.connection import Part
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.scripts import Script, script
from mockserver.engine.store.redis.setting import Setting

NEXT_DUE, GIVE_BACK = script("next_due"), script("give_back")
CLAIM_DUE, CLAIM_MORE, CLAIM_ENDS = script("claim_due"), script("claim_more"), script("claim_ends")
BEGIN_ADVANCE, END_ADVANCE = script("begin_advance"), script("end_advance")
CLAIMED_ELSEWHERE, PLAN_ALARM, DROP_ALARM = script("claimed_elsewhere"), script("plan_alarm"), script("drop_alarm")

_SIDE_BY_SIDE = 32
"""Ends that are claimed at once."""

_KINDS: dict[bytes, EventKind] = {b"f": "finish", b"a": "attempt", b"alarm": "alarm"}
_QUEUES = {"finish": ("f", "a"), "attempt": ("a", "f")}
"""The queue of a kind, and the other one."""


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

    async def claim_due(self, now: float) -> Event | None:
        return next(iter(await self._claim(CLAIM_DUE, repr(now))), None)

    async def claim_more(self, kind: EventKind, until: float, most: int) -> Sequence[Event]:
        return await self._claim(CLAIM_MORE, *_QUEUES[kind], repr(until), most)

    async def claim_ends(self, now: float) -> Sequence[Event]:
        return await self._claim(CLAIM_ENDS, repr(now), _SIDE_BY_SIDE)

    async def _claim(self, script: Script, *arguments: Part) -> list[Event]:
        """The events that a script has claimed. They are given back if the caller does not wait for them."""
        asked = await self._database.ask(script, *arguments)
        try:
            end, *told = await self._database.answer(asyncio.shield(asked), script, *arguments)
        except asyncio.CancelledError:
            asked.add_done_callback(self._refuse)
            raise
        self._setting.heard_of_end(end)
        self._database.claimed.update(_claims(told))
        return [
            (float(due), _KINDS[kind], layout.text(name))
            for kind, due, name in zip(told[::3], told[1::3], told[2::3], strict=True)
        ]

    def _refuse(self, asked: "asyncio.Future[Any]") -> None:
        answer = None if asked.cancelled() or asked.exception() else asked.result()
        if isinstance(answer, list):
            self._unwanted.update(_claims(answer[1:]))

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


def _claims(told: list[bytes]) -> set[str]:
    """How claims are named among those of this process: "f" or "a" and the id. Alarms are not claimed."""
    return {layout.text(kind + name) for kind, name in zip(told[::3], told[2::3], strict=True) if kind != b"alarm"}


def earliest(*due: bytes) -> float | None:
    """The first of some instants as the server tells them; empty ones are none."""
    return min([float(one) for one in due if one], default=None)
