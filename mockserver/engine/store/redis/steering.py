"""Fault rules with their counts, callback routes, and sinks: the verbs of `Steering`."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from mockserver.engine.outbound import Route
from mockserver.engine.sinks import RECEIPTS_KEPT, RECEIPTS_LENGTH, RECEIVED_KEPT, SINKS_KEPT, Received, Reply, Sink
from mockserver.engine.store import codec
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.matches import Matches, counts_of
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.steering import R, RuleCounts, StoredRule

ADD_RULE, REMOVE_RULES, RULE_COUNTS = script("add_rule"), script("remove_rules"), script("rule_counts")
CHANGE_ROUTES, PUT_SINK, DELIVER = script("change_routes"), script("put_sink"), script("deliver")
IS_SCRIPTED = script("is_scripted")
SINK, SINK_NAMES = script("sink"), script("sink_names")

_SIDE_BY_SIDE = 32


class RedisSteering:
    """`Steering` on a server."""

    def __init__(self, database: Database, form: codec.RuleForm) -> None:
        self._database = database
        self._run = database.run
        self._form = form
        self._matches = Matches(database)

    def rules(self) -> Sequence[StoredRule]:
        return self._database.copy.current.rules

    def routes(self) -> tuple[Route, ...]:
        return self._database.copy.current.routes

    async def rule_counts(self, rule_id: str) -> RuleCounts:
        return counts_of(await self._run(RULE_COUNTS, rule_id))

    async def add_rule(self, rule_of: Callable[[int], R]) -> R:
        while True:
            number = self._database.rules_added + 1
            rule = rule_of(number)
            added, in_force = await self._run(ADD_RULE, number, rule.id, codec.dump_rule(self._form, rule))
            self._database.put(in_force)
            if added:
                return rule

    async def remove_rules(self, ids: Collection[str]) -> int:
        removed, in_force = await self._run(REMOVE_RULES, *ids)
        self._database.put(in_force)
        return int(removed)

    async def count_match(self, rule_id: str, fires: Callable[[RuleCounts], bool]) -> bool:
        return await self._matches.count(rule_id, fires)

    async def change_routes(self, change: Callable[[tuple[Route, ...]], tuple[Route, ...]]) -> tuple[Route, ...]:
        while True:
            before = self.routes()
            after = change(before)
            changed, in_force = await self._run(CHANGE_ROUTES, codec.dump_routes(before), codec.dump_routes(after))
            self._database.put(in_force)
            if changed:
                return after

    async def sinks(self) -> Mapping[str, Sink]:
        names = await self._run(SINK_NAMES)
        found: dict[str, Sink] = {}
        for start in range(0, len(names), _SIDE_BY_SIDE):
            some = names[start : start + _SIDE_BY_SIDE]
            for name, sink in zip(some, await asyncio.gather(*map(self._sink, some)), strict=True):
                if sink is not None:
                    found[layout.text(name)] = sink
        return found

    async def sink(self, name: str) -> Sink | None:
        return await self._sink(name)

    async def is_scripted(self, name: str) -> bool:
        return bool(await self._run(IS_SCRIPTED, name))

    async def _sink(self, name: str | bytes) -> Sink | None:
        return sink_of(await self._run(SINK, name))

    async def put_sink(self, name: str, script: Sequence[Reply] = ()) -> None:
        await self._run(PUT_SINK, name, SINKS_KEPT, *[reply_value(reply) for reply in script])

    async def deliver(self, name: str, received: Received) -> Reply:
        bounds = SINKS_KEPT, RECEIVED_KEPT, RECEIPTS_KEPT, RECEIPTS_LENGTH
        answer = await self._run(DELIVER, name, codec.dump_received(received), len(received.body), *bounds)
        return reply_of(answer) if answer is not None else Reply()


def reply_value(reply: Reply) -> bytes:
    return codec.dump_script((reply,))


def reply_of(value: bytes) -> Reply:
    return codec.load_script(value)[0]


def sink_of(answer: Any) -> Sink | None:
    """A sink from its script, what it received, and how much of that was dropped."""
    if answer is None:
        return None
    script, received, dropped = answer
    return Sink(
        tuple([reply_of(value) for value in script]),
        tuple([codec.load_received(layout.body(value)) for value in received]),
        int(dropped),
    )
