"""Generations: the verbs from a submission to the end of its task."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from mockserver.engine.callbacks import Delivery
from mockserver.engine.ledger import USAGE_KEPT
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.store import DRAWS
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.connection import Part
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.numbers import Count, Numbers
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.redis.setting import Setting
from mockserver.engine.tasks import Job, Task

SUBMIT, SETTLE = script("submit"), script("settle")
RECORD, NAMED, IS_OPEN = script("record"), script("named"), script("is_open")

_MOST_CANDIDATES = 32
"""Tasks that are planned at once for numbers that follow one another, while others submit for the same account."""

Plan = Callable[[Job, float, int, int], Task]


class Generations:
    """The verbs of `Store` for tasks."""

    def __init__(self, database: Database, setting: Setting, numbers: Numbers) -> None:
        self._run = database.run
        self._claimed = database.claimed
        self._setting = setting
        self._numbers = numbers

    async def submit(self, job: Job, now: float, plan: Plan) -> Task:
        count = self._numbers.count(f"{job.provider}/{job.account}")
        count.in_flight += 1
        try:
            task = await self._accept(job, now, plan, count)
        finally:
            count.in_flight -= 1
        if not job.stuck:
            self._setting.planned_end(task.due)
        return task

    async def _accept(self, job: Job, now: float, plan: Plan, count: Count) -> Task:
        """Plan tasks until one is for the account's true number, and its id is free."""
        number, misses = count.take()
        candidates, draws = 1, dict[int, int]()
        while True:
            planned = [plan(job, now, it, draws.get(it, 0)) for it in range(number, number + candidates)]
            said, *told = await self._send(job, now, number, planned)
            if said == b"number":
                number, misses = count.missed(int(told[0]), misses)
                candidates = min(2 * candidates, _MOST_CANDIDATES)
            elif said == b"taken":
                number = int(told[0])
                draws[number] = draws.get(number, 0) + 1
                if draws[number] == DRAWS:
                    raise Problem(Kind.UNAVAILABLE, "no task id is free")
            elif said == b"accepted":
                return planned[int(told[0]) - number]
            else:
                if count.in_flight == 1:
                    count.following = number
                self._refuse(said, told, job, now)

    async def _send(self, job: Job, now: float, number: int, planned: list[Task]) -> list[Any]:
        bounds, key = self._setting.bounds, self._setting.keys.key_of(job.account)
        names = layout.names_of(planned[0], key)
        parts: list[Part] = []
        for place, task in enumerate(planned):
            parts += number + place, task.id, "" if job.stuck else repr(task.due), layout.task_value(task, names, key)
        answer: list[Any] = await self._run(
            SUBMIT,
            job.provider,
            job.account,
            self._setting.fresh(job.provider, job.account),
            bounds.accounts,
            bounds.tasks,
            job.cost,
            layout.month_of(now),
            *names,
            *parts,
        )
        return answer

    def _refuse(self, said: bytes, told: list[Any], job: Job, now: float) -> NoReturn:
        if said == b"full":
            bound = self._setting.bounds.tasks
            raise Problem(Kind.UNAVAILABLE, f"{bound} generations are under way, as many as --keep-tasks allows")
        refuse_short(job, told[0], now)

    async def settle(self, task: Task, deliveries: Sequence[Delivery] = ()) -> bool:
        job, key, bounds = task.job, self._setting.keys.key_of(task.job.account), self._setting.bounds
        parts: list[Part] = []
        for delivery in deliveries:
            due = "" if delivery.next_attempt is None else repr(delivery.next_attempt)
            parts += delivery.id, layout.delivery_value(delivery, key), int(delivery.ended), due
        held_back: list[Part] = []
        while True:
            answer = await self._run(
                SETTLE,
                job.provider,
                job.account,
                task.id,
                job.cost,
                int(task.failure is not None),
                repr(task.due),
                layout.task_value(task, layout.names_of(task, key), key),
                self._setting.fresh(job.provider, job.account),
                bounds.accounts,
                bounds.tasks,
                bounds.callbacks,
                USAGE_KEPT,
                len(deliveries),
                int(bool(deliveries) and deliveries[0].held_back),
                *parts,
                *held_back,
            )
            if not isinstance(answer, list):
                self._claimed.discard(f"f{task.id}")
                return bool(answer)
            held_back = _released(answer, max(task.due, deliveries[0].next_attempt or task.due))

    async def task(self, task_id: str) -> Task | None:
        return layout.task_of(await self._run(RECORD, "task", task_id))

    async def is_open(self, task_id: str) -> bool:
        return bool(await self._run(IS_OPEN, task_id))

    async def traced(self, provider: str, account: str, trace_id: str) -> Task | None:
        name = layout.trace_name(provider, trace_id, self._setting.keys.key_of(account))
        return layout.task_of(await self._run(NAMED, account, name))

    async def replayed(self, provider: str, account: str, idempotency_key: str) -> Task | None:
        name = layout.idempotency_name(provider, idempotency_key, self._setting.keys.key_of(account))
        return layout.task_of(await self._run(NAMED, account, name))


def refuse_short(job: Job, fields: list[bytes], now: float) -> NoReturn:
    """Raise what an account's row says that does not cover a job."""
    layout.row_of(f"{job.provider}/{job.account}", fields).check(job.cost, now)
    raise RuntimeError("the scripts and AccountRow disagree on what an account covers")


def _released(found: list[bytes], due: float) -> list[Part]:
    """What `settle` is sent for callbacks held back (ids and records): each as it was read, and as it goes on."""
    parts: list[Part] = []
    for place in range(0, len(found), 2):
        name, before = found[place : place + 2]
        delivery = layout.delivery_of(before or None)
        if delivery is None or not delivery.held_back:
            parts += name, before, b"", b""
            continue
        after = replace(delivery, held_back=False, next_attempt=due)
        new_due = "" if delivery.next_attempt == due else repr(due)
        parts += name, before, layout.delivery_value(after), new_due
    return parts
