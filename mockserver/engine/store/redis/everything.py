"""All of the store: reset, reset by key, dump and load.

All keys of the records are under the number of a generation. A reset and a load go on with another number, at one
instant; a dump reads a copy under a number of its own. What is left of the old one is unlinked by and by.
"""

import asyncio
import logging

from mockserver.engine.clock import ServerState
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store import Records, codec
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.filling import commands_of
from mockserver.engine.store.redis.reading import Reading
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.redis.setting import Setting
from mockserver.engine.store.redis.steering import RedisSteering
from mockserver.engine.store.shared import need_amounts

SWITCH, SNAPSHOT, MAKE, CLEAR = script("switch"), script("snapshot"), script("make"), script("clear")
FORGET_ACCOUNT, FORGET_ENTRIES = script("forget_account"), script("forget_entries")

_PIECE = 500
_COPY_PATIENCE = 30.0
"""Real seconds that a copy of everything may take the server."""

log = logging.getLogger("mockserver")


class Everything:
    """The verbs of `Store` for all of it."""

    def __init__(self, database: Database, setting: Setting, steering: RedisSteering, form: codec.RuleForm) -> None:
        self._database = database
        self._run = database.run
        self._setting = setting
        self._steering = steering
        self._form = form
        self._clearing: asyncio.Task[None] | None = None

    async def reset(self, state: ServerState) -> None:
        await self._switch("", *layout.state_fields(state))

    async def _switch(self, generation: str, *fields: str | bytes) -> None:
        in_force = await self._run(SWITCH, generation, *fields)
        self._database.forget()
        self._database.put(in_force)
        self.clear_away()

    async def reset_account(self, account: str) -> list[str]:
        await self._database.refresh()
        rules = [rule.id for rule in self._steering.rules() if rule.account == account]
        if rules:
            await self._steering.remove_rules(rules)
        gone: list[str] = []
        newest, left = b"", 1
        while left:
            newest, left, ids = await self._run(FORGET_ACCOUNT, account, newest, _PIECE, *self._setting.opening)
            gone += map(layout.text, ids)
        place = b"-inf"
        while place:
            place = await self._run(FORGET_ENTRIES, account, place, _PIECE)
        return gone

    # a snapshot

    async def dump(self) -> Records:
        with self._database.patient(_COPY_PATIENCE):
            copy, owners, sinks = await self._run(SNAPSHOT)
        try:
            reading = Reading(self._database, copy.decode(), self._form)
            return await reading.records(owners, sinks)
        finally:
            await self._give_up(copy.decode())

    async def load(self, records: Records, state: ServerState) -> None:
        need_amounts(*[amount for row in records.accounts for amount in (row.opening, row.quota)], 0)
        made = (await self._run(MAKE)).decode()
        try:
            prefix = f"{self._database.root}:{made}:"
            for some in commands_of(records, prefix, self._setting, self._form):
                await self._database.commands(some)
            routes = codec.dump_routes(tuple(records.steering.routes))
            await self._switch(made, *layout.state_fields(state), "routes", routes)
        except BaseException:
            await self._give_up(made)
            raise

    async def _give_up(self, generation: str) -> None:
        try:
            await self._run(CLEAR, generation)
        except StoreUnavailable:
            return  # it is cleared away when this process is gone
        self.clear_away()

    # what is left of old generations

    def clear_away(self) -> None:
        """Begin to unlink what no generation in force needs, in the background."""
        if self._clearing is None or self._clearing.done():
            self._clearing = asyncio.get_running_loop().create_task(self._clear_all())

    async def stop(self) -> None:
        if self._clearing is not None:
            self._clearing.cancel()
            await asyncio.gather(self._clearing, return_exceptions=True)

    async def _clear_all(self) -> None:
        try:
            while old := await self._run(CLEAR, ""):
                for generation in old:
                    await self._clear(generation.decode())
        except StoreUnavailable:
            return  # the next reset, or the next process, goes on
        except Exception:
            log.exception("old records were not cleared away")

    async def _clear(self, generation: str) -> None:
        pattern, cursor = f"{self._database.root}:{generation}:*", b"0"
        while True:
            cursor, keys = await self._database.command("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            if keys:
                await self._database.command("UNLINK", *keys)
            if cursor == b"0":
                break
        await self._database.command("SREM", f"{self._database.root}:old", generation)
