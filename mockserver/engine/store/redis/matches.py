"""Counts the matches of fault rules: what waits for one rule's counts is counted together, in one round trip."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.steering import NO_MATCHES, RuleCounts

COUNT_MATCHES = script("count_matches")

Fires = Callable[[RuleCounts], bool]


@dataclass(slots=True)
class _Queue:
    """Matches of one rule that are to be counted, and the counts that it had last."""

    counts: RuleCounts = NO_MATCHES
    waiting: list[tuple[Fires, "asyncio.Future[bool]"]] = field(default_factory=list)
    counting: "asyncio.Task[None] | None" = None


class Matches:
    """Counts by rule, as this process has seen them last: a guess, which the store accepts if it is right."""

    def __init__(self, database: Database) -> None:
        self._run = database.run
        self._queues: dict[str, _Queue] = {}

    async def count(self, rule_id: str, fires: Fires) -> bool:
        """Count a match; whether the rule fired, by `fires`, which is told the counts with this match."""
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(rule_id, _Queue())
        answer: asyncio.Future[bool] = loop.create_future()
        queue.waiting.append((fires, answer))
        if queue.counting is None:
            queue.counting = loop.create_task(self._count_all(rule_id, queue))
        return await answer

    async def _count_all(self, rule_id: str, queue: _Queue) -> None:
        while queue.waiting:
            waiting, queue.waiting = queue.waiting, []
            try:
                answers = await self._counted(rule_id, queue, [fires for fires, _ in waiting])
            except Exception as error:  # noqa: BLE001  # whoever waits is told
                answers = [error] * len(waiting)
            for (_, answer), fired in zip(waiting, answers, strict=True):
                if answer.done():
                    continue
                if isinstance(fired, Exception):
                    answer.set_exception(fired)
                else:
                    answer.set_result(fired)
        queue.counting = None
        if rule_id in self._queues and queue.counts is NO_MATCHES:
            del self._queues[rule_id]

    async def _counted(self, rule_id: str, queue: _Queue, matches: list[Fires]) -> list[bool | Exception]:
        while True:
            answers, after = _decided(matches, queue.counts)
            said = await self._run(COUNT_MATCHES, rule_id, _text(queue.counts), _text(after))
            if said is None:
                queue.counts = NO_MATCHES
                return [False] * len(matches)
            if said == 1:
                queue.counts = after
                return answers
            queue.counts = counts_of(said)


def _decided(matches: list[Fires], counts: RuleCounts) -> tuple[list[bool | Exception], RuleCounts]:
    """Which of some matches fire, one after the other, and the counts after them."""
    answers: list[bool | Exception] = []
    matched, fired = counts.matched, counts.fired
    for fires in matches:
        try:
            answer = fires(RuleCounts(matched + 1, fired))
        except Exception as error:  # noqa: BLE001  # whoever waits is told
            answers.append(error)
            continue
        answers.append(answer)
        matched, fired = matched + 1, fired + answer
    return answers, RuleCounts(matched, fired)


def _text(counts: RuleCounts) -> str:
    return f"{counts.matched} {counts.fired}"


def counts_of(value: bytes | None) -> RuleCounts:
    """Counts as they are kept; none for a rule that has not matched."""
    return RuleCounts(*map(int, value.split())) if value is not None else NO_MATCHES
