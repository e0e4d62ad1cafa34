"""The engine: accepts jobs, holds their money, plans their tasks, ends them, and has their callbacks delivered.

It knows a provider only by its `ProviderPort`, and changes state only through its `Store`.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Protocol

from mockserver.engine.accounts import KnownKeys
from mockserver.engine.addresses import split_origin
from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import Clock, Draw, Entropy
from mockserver.engine.defect_log import DefectLog
from mockserver.engine.dispatcher import Dispatcher
from mockserver.engine.event_runner import Conclude, EventRunner
from mockserver.engine.journal import Journal
from mockserver.engine.latency import Latency
from mockserver.engine.ledger import Currency
from mockserver.engine.outbound import Routing, Sender
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.store import DRAWS, Store
from mockserver.engine.tasks import Failure, Job, Task
from mockserver.engine.waiters import Waiters

log = logging.getLogger("mockserver")

TaskObserver = Callable[[Task, Delivery | None], None]
"""Is called with each task that has ended, and its callback, if it has one."""


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
    """What the engine is told at its start. `clock` makes a new clock, at the start and at each reset."""

    clock: Callable[[], Clock]
    entropy: Entropy
    latency: Latency
    store: Store
    routing: Routing = field(default_factory=Routing)
    autojump: bool = False


class Engine:
    """Everything behind the wire of all providers. Call `start` and `stop` inside the event loop that serves."""

    def __init__(self, config: EngineConfig, providers: Mapping[str, ProviderPort]) -> None:
        self.config = config
        self.providers = providers
        self.store = config.store
        self.entropy = config.entropy
        self.known_keys = KnownKeys(config.store.kept()["accounts"].bound)
        self.journal = Journal(self.store)
        self.defects = DefectLog()
        self.dispatcher = Dispatcher(self.store, config.routing, Sender(), [])
        self.event_runner = EventRunner(
            config.clock(), self.store, self._end, self._attempt, self._ring, self._receiver, self._attempt_at_once
        )
        self.waiters = Waiters(self.event_runner)
        self.waiters.autojump = config.autojump
        self.task_observers: list[TaskObserver] = []
        self._full = False

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
        for _ in range(DRAWS):
            number = self.store.count_request(provider, account)
            name = self.entropy.draw("request", provider, account, number).uuid()
            if self.store.entry(name) is None:
                return name
        raise RuntimeError("no request id is free")

    def submit(self, job: Job) -> Task:
        """Accept a job: hold its price, decide its outcome and its times, and plan its end.

        Raises:
            Problem: OUT_OF_BALANCE; UNAVAILABLE when no more tasks can be held. Then nothing has happened.
        """
        now = self.event_runner.clock.now()
        try:
            task = self.store.submit(job, now, self._plan)
        except Problem as problem:
            if problem.kind is Kind.UNAVAILABLE and not self._full:
                self._full = True
                log.warning("submissions are refused (503): %s", problem.detail)
            raise
        self._full = False
        if not job.stuck:
            self.event_runner.notify_planned(task.due)
        return task

    def _plan(self, job: Job, now: float, number: int, draws: int) -> Task:
        """The task of an account's `number`-th generation, counted from 0; `draws` ids of it were taken already."""
        draw = self.entropy.draw("task", job.provider, job.account, number)
        if draws:
            draw = self.entropy.draw("task", job.provider, job.account, number, draws)
        task_id = self.providers[job.provider].new_id(draw, now)
        duration = job.delay
        if duration is None:
            duration = draw.between(*self.config.latency.of(job.documented)) * job.slowness
        # an end that is rounded up from now would never come while a virtual clock stands still
        planned = max(now, round(now + duration, 6)) if duration else now
        return Task(task_id, job, now, inf if job.stuck else planned, planned, job.failure)

    def check_money(self, job: Job) -> None:
        """Make sure that a job's account can pay for it. Raises Problem(OUT_OF_BALANCE)."""
        self.store.check_money(job, self.now())

    def find(self, provider: str, task_id: str) -> Task | None:
        """A task of a provider, whoever's it is."""
        task = self.store.task(task_id)
        return task if task is not None and task.job.provider == provider else None

    def cancel(self, task: Task) -> Task:
        """End a task that has not ended: its money is released and its callback sent. Raises Problem(CONFLICT)."""
        return self.end_now(task, Failure(Kind.CANCELLED))

    def end_now(self, task: Task, failure: Failure | None) -> Task:
        """End a task at this instant: completed, or failed. Raises Problem(CONFLICT) if it has ended already."""
        now = self.now()
        ended = task.ended(now, failure)
        if task.ended_at(now) or not self._settle(ended):
            raise Problem(Kind.CONFLICT, "the task has ended already")
        return ended

    async def wait(self, task: Task) -> None:
        """Until the task has ended and its money is settled, or a reset has forgotten it."""
        self.event_runner.run_due()
        if self.store.is_open(task.id):
            await self.waiters.until_end(task.id, task.due)

    def _end(self, task_id: str, due: float) -> None:
        """End a task that is due; one that was cancelled or reset since this end was planned is left alone."""
        task = self.store.task(task_id)
        if task is not None and task.due == due:
            self._settle(task)

    def _settle(self, task: Task) -> bool:
        """End a task: settle its money and open its callback. False if it has ended before."""
        if not self.store.is_open(task.id):
            return False
        url, body = task.job.callback_url, self.providers[task.job.provider].callback_body
        deliveries: list[Delivery] = []
        if url and body is not None:
            deliveries = self.dispatcher.plan(task, url, body(task), self.entropy)
        settled = self.store.settle(task, deliveries)
        if deliveries:
            self.event_runner.rearm()
        self.waiters.end(task.id)
        for observer in self.task_observers if settled else ():
            observer(task, deliveries[0] if deliveries else None)
        return settled

    def _ring(self, alarm: int) -> None:
        self.waiters.ring(alarm)

    def _receiver(self, name: str) -> str:
        """Who gets a callback: the origin that it is posted to."""
        delivery = self.store.delivery(name)
        return split_origin(delivery.routed or "")[0] if delivery is not None else ""

    async def _attempt(self, name: str, due: float) -> Conclude:
        delivery = self.store.delivery(name)
        public_only = delivery is not None and self.providers[delivery.provider].public_callbacks_only
        try:
            conclude = await self.dispatcher.attempt(name, due, self.clock, public_only)
        except Exception as error:
            self._record_crashed_attempt(name, error)
            raise
        return partial(self._put_on_record, conclude)

    def _attempt_at_once(self, name: str, due: float) -> Conclude | None:
        try:
            conclude = self.dispatcher.attempt_at_once(name, due)
        except Exception as error:
            self._record_crashed_attempt(name, error)
            raise
        return None if conclude is None else partial(self._put_on_record, conclude)

    def _record_crashed_attempt(self, name: str, error: Exception) -> None:
        delivery = self.store.delivery(name)
        self.defects.add(f"a callback attempt of {name}", error, delivery.account if delivery else "")

    def _put_on_record(self, conclude: Conclude) -> None:
        conclude()
        self.waiters.notify_change()

    async def reset(self) -> None:
        """Forget every task, account, delivery and exchange, and start clock and chance afresh."""
        await self.event_runner.cancel_attempts()
        self.store.reset()
        self.dispatcher.restore_routes()
        self.known_keys.clear()
        self.entropy = self.config.entropy.renewed()
        self.waiters.autojump = self.config.autojump
        self._full = False
        self.event_runner.restart(self.config.clock())
        self.waiters.forget(None, self.waiters.awaited())

    def reset_account(self, account: str) -> None:
        """Forget the tasks, the deliveries, the exchanges and the money of one key's hash, at every provider."""
        self.waiters.forget(account, self.store.reset_account(account))
