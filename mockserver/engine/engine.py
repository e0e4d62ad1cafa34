"""The engine: takes jobs, holds money, plans, settles, and hands ended tasks to the courier.

It knows a provider only by its `ProviderPort`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from mockserver.engine.accounts import Accounts
from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import Clock, Draw, Entropy
from mockserver.engine.defect_log import DefectLog
from mockserver.engine.dispatcher import Dispatcher
from mockserver.engine.event_runner import EventRunner
from mockserver.engine.journal import Journal
from mockserver.engine.latency import Latency
from mockserver.engine.ledger import Currency, Ledger, Usage
from mockserver.engine.outbound import Routing, Sender
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.schedule import Schedule
from mockserver.engine.store import Store
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.tasks import Job, Task
from mockserver.engine.waiters import ALARM, Waiters


class ProviderPort(Protocol):
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
class EngineConfig:
    """What the engine is told at its start.

    `clock` makes a new clock, at the start and at each reset; `opening` are new accounts' balances in minor units.
    """

    clock: Callable[[], Clock]
    entropy: Entropy
    latency: Latency
    opening: Mapping[str, int]
    routing: Routing = field(default_factory=Routing)
    autojump: bool = False


class Engine:
    """Everything behind the wire of all providers. Call `start` and `stop` inside the event loop that serves."""

    def __init__(self, config: EngineConfig, providers: Mapping[str, ProviderPort]) -> None:
        self.config = config
        self.providers = providers
        self.schedule = Schedule()
        self.store: Store = MemoryStore()
        self.journal = Journal(self.store.exchanges)
        self.defects = DefectLog()
        self.dispatcher = Dispatcher(self.store, self.schedule, config.routing, Sender(timeout=10.0), [])
        self.event_runner = EventRunner(config.clock(), self.schedule, self._finish, self._attempt)
        self.waiters = Waiters(self.event_runner, self.schedule)
        self.begin(self.store, config.entropy)

    def begin(self, store: Store, entropy: Entropy) -> None:
        """Put everything that a reset forgets at its start."""
        self.store = self.dispatcher.store = store
        self.journal.entries = store.exchanges
        self.entropy = entropy
        self.waiters.autojump = self.config.autojump
        self.ledger = Ledger()
        self.accounts = Accounts(store, self.config.opening)
        self.anonymous_requests = 0

    @property
    def clock(self) -> Clock:
        return self.event_runner.clock

    def now(self) -> float:
        """Unix seconds by the engine's clock."""
        return self.event_runner.clock.now()

    def start(self) -> None:
        self.event_runner.start()

    async def stop(self) -> None:
        await self.event_runner.stop()
        await self.dispatcher.sender.close()

    def request_id(self, provider: str, account: str) -> str:
        """A UUID for a request: the n-th of its account ("" for a request without a valid key)."""
        if account:
            owner = self.accounts.get(provider, account)
            owner.requests += 1
            return self.entropy.draw("request", provider, account, owner.requests).uuid()
        self.anonymous_requests += 1
        return self.entropy.draw("request", provider, account, self.anonymous_requests).uuid()

    def submit(self, job: Job) -> Task:
        """Accept a job: hold its price, decide its outcome and its times, and plan its end.

        Raises:
            Problem: OUT_OF_BALANCE; then nothing has happened.
        """
        account = self.accounts.get(job.provider, job.account)
        draw = self.entropy.draw("task", job.provider, job.account, account.submissions)
        now = self.now()
        task_id = self.providers[job.provider].new_id(draw, now)
        self.ledger.hold(account, task_id, job.cost, now)
        account.submissions += 1
        planned = max(now, round(now + self._duration(job, draw), 6))
        task = Task(task_id, job, now, inf if job.stuck else planned, planned, job.failure)
        self.store.tasks.put(task_id, task)
        if job.trace_id:
            self.name(f"trace/{job.provider}/{job.account}/{job.trace_id}", task_id)
        if not job.stuck:
            self.schedule.finish(planned, task_id)
            self.event_runner.notify_planned(planned)
        return task

    def check_money(self, job: Job) -> None:
        """Make sure that a job's account can pay for it. Raises Problem(OUT_OF_BALANCE)."""
        self.accounts.get(job.provider, job.account).check(job.cost, self.now())

    def _duration(self, job: Job, draw: Draw) -> float:
        if job.delay is not None:
            return job.delay
        return draw.between(*self.config.latency.of(job.documented)) * job.slowness

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
        self.schedule.finishes.discard(task.id)
        self._finish(task.id, now)
        return ended

    async def wait(self, task: Task) -> None:
        """Until the task has ended and its money is settled, or a reset has forgotten it."""
        self.event_runner.run_due()
        if self.ledger.is_held(task.id):
            await self.waiters.until(task.due, task.id)

    def _finish(self, name: str, due: float) -> None:
        if not name.startswith(ALARM):
            self._settle(name, due)
        self.waiters.wake(name)

    def _settle(self, task_id: str, due: float) -> None:
        """Capture or release the money of a task that ends, and begin its callback."""
        task = self.store.tasks.get(task_id)
        if task is None or task.due != due or not self.ledger.is_held(task_id):
            return  # cancelled or reset since this end was planned
        if task.failure:
            self.ledger.release(task_id)
        else:
            amount = self.ledger.capture(task_id)
            self.accounts.get(task.job.provider, task.job.account).record(Usage(due, task, amount))
        self.store.tasks.retire(task_id)
        self._call_back(task)

    def _call_back(self, task: Task) -> None:
        body = self.providers[task.job.provider].callback_body
        if task.job.callback_url and body is not None:
            delivery = self.dispatcher.open(task, task.job.callback_url, body(task), self.entropy, task.due)
            self.name(f"delivery/{task.id}", delivery.id)
            self.event_runner.rearm()

    async def _attempt(self, name: str, due: float) -> None:
        delivery = self.store.deliveries.get(name)
        public_only = delivery is not None and self.providers[delivery.provider].public_callbacks_only
        try:
            await self.dispatcher.attempt(name, due, self.clock, public_only)
        except Exception as error:
            self.defects.add(f"a callback attempt of {name}", error, delivery.account if delivery else "")
            raise
        self.waiters.notify_change()

    def delivery_of(self, task_id: str) -> Delivery | None:
        """The callback of a task that has ended, if it asked for one and it is still kept."""
        return self.store.deliveries.get(self.store.names.get(f"delivery/{task_id}") or "")

    async def reset(self) -> None:
        """Forget every task, account, delivery and exchange, and start clock and chance afresh."""
        await self.event_runner.cancel_attempts()
        self.schedule.clear()
        self.dispatcher.clear()
        self.begin(MemoryStore(), self.config.entropy.renewed())
        self.dispatcher.routing = self.config.routing
        self.event_runner.restart(self.config.clock())
        self.waiters.cancel(self.waiters.waiting_for())
        self.waiters.notify_change()

    def reset_account(self, account: str) -> None:
        """Forget the tasks, the deliveries, the exchanges and the money of one key's hash, at every provider."""
        store = self.store
        tasks = [name for name, task in store.tasks.newest() if task.job.account == account]
        for name in tasks:
            self.ledger.holds.pop(name, None)
        store.tasks.remove(tasks)
        deliveries = [name for name, delivery in store.deliveries.newest() if delivery.account == account]
        for name in deliveries:
            self.schedule.attempts.discard(name)
        store.deliveries.remove(deliveries)
        store.exchanges.remove([name for name, exchange in store.exchanges.newest() if exchange.account == account])
        store.accounts.remove([name for name, owner in store.accounts.newest() if owner.id == account])
        store.names.remove([name for name, _ in store.names.newest() if f"/{account}/" in name])
        self.waiters.cancel([*tasks, *self.waiters.waiting_for(account)])

    def pending(self) -> tuple[int, int]:
        """How many tasks have not ended, and how many callback attempts are still planned."""
        return len(self.ledger.holds), len(self.schedule.attempts)
