"""The engine: takes jobs, holds money, plans, settles, and hands ended tasks to the courier.

It knows a provider only by its `Terms`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import Clock, Draw, Entropy
from mockserver.engine.courier import Courier
from mockserver.engine.driver import Driver
from mockserver.engine.latency import Latency
from mockserver.engine.ledger import Account, Currency, Ledger, Usage
from mockserver.engine.outbound import Routing, Sender
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.schedule import Schedule
from mockserver.engine.store import Store
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.tasks import PENDING_SHARE, Job, Task


class Terms(Protocol):
    """What the engine must know of a provider."""

    @property
    def name(self) -> str: ...
    @property
    def currency(self) -> Currency: ...
    @property
    def public_callbacks_only(self) -> bool:
        """Whether callbacks go to globally routable addresses alone."""

    @property
    def new_id(self) -> Callable[[Draw, float], str]:
        """A task id from the call's chance and its time (Unix seconds)."""

    @property
    def callback_body(self) -> Callable[[Task], bytes] | None:
        """What is posted when a task has ended, where there are callbacks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the engine is told at its start. `clock` makes a new clock, at the start and at each reset."""

    clock: Callable[[], Clock]
    entropy: Entropy
    latency: Latency
    opening: Mapping[str, int]
    routing: Routing = Routing()


@lru_cache(maxsize=4096)
def account_id(key: str) -> str:
    """The name of an account: a short hash of its API key, which itself is kept nowhere."""
    return "acct_" + sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:12]


class Engine:
    """Everything behind the wire of all providers. Call `start` and `stop` inside the event loop that serves."""

    def __init__(self, plan: Plan, terms: Mapping[str, Terms]) -> None:
        self.plan = plan
        self.terms = terms
        self.entropy = plan.entropy
        self.store: Store = MemoryStore()
        self.ledger = Ledger()
        self.schedule = Schedule()
        self.courier = Courier(self.store, self.schedule, plan.routing, Sender(timeout=10.0), [])
        self.driver = Driver(plan.clock(), self.schedule, self._finish, self._attempt)
        self._strangers = 0
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    @property
    def clock(self) -> Clock:
        return self.driver.clock

    def now(self) -> float:
        """Unix seconds by the engine's clock."""
        return self.driver.clock.now()

    def start(self) -> None:
        self.driver.start()

    async def stop(self) -> None:
        await self.driver.stop()
        await self.courier.sender.close()

    def account(self, provider: str, account: str) -> Account:
        """The account of a key's hash at a provider, opened if it is new."""
        name = f"{provider}/{account}"
        found = self.store.accounts.get(name)
        if found is None:
            found = self.account_or_new(provider, account)
            self.store.accounts.put(name, found)
        return found

    def account_or_new(self, provider: str, account: str) -> Account:
        """The account, or how it would open: looking at one does not open it."""
        opening = self.plan.opening[provider]
        return self.store.accounts.get(f"{provider}/{account}") or Account(provider, account, opening, opening)

    def request_id(self, provider: str, account: str) -> str:
        """A UUID for a request: the n-th of its account ("" for a request without a valid key)."""
        if account:
            owner = self.account(provider, account)
            owner.requests += 1
            return self.entropy.draw("request", provider, account, owner.requests).uuid("id")
        self._strangers += 1
        return self.entropy.draw("request", provider, account, self._strangers).uuid("id")

    def submit(self, job: Job) -> Task:
        """Accept a job: hold its price, decide its outcome and its times, and plan its end.

        Raises:
            Problem: OUT_OF_BALANCE; then nothing has happened.
        """
        account = self.account(job.provider, job.account)
        draw = self.entropy.draw("task", job.provider, job.account, account.submissions)
        now = self.now()
        task_id = self.terms[job.provider].new_id(draw, now)
        self.ledger.hold(account, task_id, job.cost)
        account.submissions += 1
        due = now + self._duration(job, draw)
        task = Task(task_id, job, now, now + PENDING_SHARE * (due - now), due, due, job.failure)
        self.store.tasks.put(task_id, task)
        if job.trace_id:
            self.name(f"trace/{job.provider}/{job.account}/{job.trace_id}", task_id)
        self.schedule.finish(due, task_id)
        self.driver.nudge()
        return task

    def _duration(self, job: Job, draw: Draw) -> float:
        if job.delay is not None:
            return job.delay
        return draw.between("latency", *self.plan.latency.of(job.documented))

    def name(self, name: str, meaning: str) -> None:
        """Remember what a name stands for; a name given again means the newer thing, and the oldest are forgotten."""
        new = self.store.names.get(name) is None
        self.store.names.put(name, meaning)
        if new:
            self.store.names.retire(name)

    def find(self, provider: str, task_id: str) -> Task | None:
        """A task of a provider, whoever's it is."""
        task = self.store.tasks.get(task_id)
        return task if task is not None and task.job.provider == provider else None

    def cancel(self, task: Task) -> Task:
        """End a task that has not ended: its money is released and its callback sent. Raises Problem(CONFLICT)."""
        now = self.now()
        if task.ended_at(now):
            raise Problem(Kind.CONFLICT, "the task has ended already")
        ended = task.cancelled(now)
        self.store.tasks.put(task.id, ended)
        self._finish(task.id, now)
        return ended

    async def wait(self, task: Task) -> None:
        """Until the task has ended and its money is settled."""
        if self.ledger.is_held(task.id):
            future = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(task.id, []).append(future)
            await future

    def _finish(self, task_id: str, due: float) -> None:
        task = self.store.tasks.get(task_id)
        if task is None or task.due != due or not self.ledger.is_held(task_id):
            return  # cancelled or reset since this end was planned
        job = task.job
        if task.failure:
            self.ledger.release(task_id)
        else:
            amount = self.ledger.capture(task_id)
            self.ledger.record(self.account(job.provider, job.account), Usage(due, task, amount))
        self.store.tasks.retire(task_id)
        self._call_back(task)
        self._wake(task_id)

    def _call_back(self, task: Task) -> None:
        body = self.terms[task.job.provider].callback_body
        if task.job.callback_url and body is not None:
            delivery = self.courier.open(task, task.job.callback_url, body(task), self.entropy, task.due)
            self.name(f"delivery/{task.id}", delivery.id)
            self.driver.nudge()

    def _wake(self, task_id: str) -> None:
        for future in self._waiting.pop(task_id, ()):
            if not future.done():
                future.set_result(None)

    async def _attempt(self, name: str, due: float) -> None:
        delivery = self.store.deliveries.get(name)
        public_only = delivery is not None and self.terms[delivery.provider].public_callbacks_only
        await self.courier.attempt(name, due, self.clock, public_only)

    def delivery_of(self, task_id: str) -> Delivery | None:
        """The callback of a task that has ended, if it asked for one and it is still kept."""
        return self.store.deliveries.get(self.store.names.get(f"delivery/{task_id}") or "")

    async def reset(self) -> None:
        """Forget every task, account, delivery and exchange, and start clock and chance afresh."""
        await self.driver.break_off()
        self.store = self.courier.store = MemoryStore()
        self.ledger = Ledger()
        self._strangers = 0
        self.schedule.clear()
        self.entropy = self.entropy.renewed()
        self.driver.restart(self.plan.clock())
        for task_id in list(self._waiting):
            self._wake(task_id)

    def pending(self) -> tuple[int, int]:
        """How many tasks have not ended, and how many attempts are still planned."""
        return len(self.schedule.finishes), len(self.schedule.attempts)
