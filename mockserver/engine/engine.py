"""The engine: accepts jobs, holds their money, plans their tasks, ends them, and has their callbacks delivered.

It knows a provider only by its `ProviderPort`, and changes state only through its `Store`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from math import inf
from typing import Protocol

from mockserver.engine.accounts import KnownKeys
from mockserver.engine.addresses import split_origin
from mockserver.engine.attempts import Conclude
from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import Clock, ClockState, Draw, Entropy, ServerState
from mockserver.engine.defect_log import DefectLog
from mockserver.engine.dispatcher import Dispatcher
from mockserver.engine.elsewhere import Elsewhere, TaskObserver
from mockserver.engine.ends import Ending
from mockserver.engine.event_runner import EventRunner
from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.journal import Exchange, Journal
from mockserver.engine.latency import Latency
from mockserver.engine.ledger import Currency
from mockserver.engine.outbound import Routing, Sender
from mockserver.engine.problems import Kind, Problem, StoreUnavailable
from mockserver.engine.store import BEGUN, DRAWS, Change, Records, Store
from mockserver.engine.tasks import Failure, Job, Task
from mockserver.engine.waiters import Waiters

log = logging.getLogger("mockserver")

CLOCK_JITTER = 0.1
"""Seconds that a clock which others have set may be behind this process's: what it took to hear of it."""


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


@fast_dataclass
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
        self.known_keys = KnownKeys(config.store.bounds.accounts)
        self.journal = Journal(self.store)
        self.defects = DefectLog()
        self.dispatcher = Dispatcher(self.store, config.routing, Sender(), [], public_only=self._public_only)
        self.event_runner = EventRunner(
            config.clock(),
            self.store,
            self._end,
            self._attempt,
            self._ring,
            self._receiver,
            self._attempt_at_once,
            lambda: not self.store.steering.rules(),  # they count callbacks in order
        )
        self.waiters = Waiters(self.event_runner, self.store)
        self.waiters.autojump = config.autojump
        self.task_observers: list[TaskObserver] = []
        self.elsewhere = Elsewhere(self.store, self.journal, self.waiters)
        self.begun: Callable[[], Awaitable[None]] | None = None
        """Puts in force what the settings want besides routes, after the store came back empty."""
        self._restoring: asyncio.Task[None] | None = None
        self._full = False

    @property
    def clock(self) -> Clock:
        return self.event_runner.clock

    def now(self) -> float:
        """Unix seconds by the engine's clock."""
        return self.event_runner.clock.now()

    def state(self) -> ServerState:
        """The clock, the seed and autojump as they are in force here."""
        return ServerState(
            ClockState.of(self.clock), self.entropy.seed, self.entropy.seeded, autojump=self.waiters.autojump
        )

    async def start(self) -> bool:
        """Open the store, go on with what it has, and run what is due from now on.

        Returns:
            Whether the store was empty: then the routes of the start are in force, and nothing else is.

        Raises:
            StoreUnavailable: the store can't be opened.
        """
        await self.store.open(self._changed_elsewhere)
        found = await self.store.begin(self.state())
        if found is None:
            await self.dispatcher.restore_routes()
        else:
            self._go_on_with(found)
        self.event_runner.start()
        return found is None

    async def stop(self) -> None:
        if self._restoring is not None:
            self._restoring.cancel()
            await asyncio.gather(self._restoring, return_exceptions=True)
        await self.event_runner.stop()
        await self.elsewhere.stop()
        await self.dispatcher.sender.close()
        await self.store.close()

    async def open_exchange(
        self, counted: str, provider: str, account: str, method: str, path: str, headers: Mapping[str, str]
    ) -> Exchange:
        """Put a request on record that has arrived. Its id is a UUID: it is the n-th of the account `counted` ("" for a
        request without a valid key)."""
        store, series = self.store, ("request", provider, counted)
        for _ in range(DRAWS):
            name = self.entropy.draw_nth(series, await store.count_request(provider, counted)).uuid()
            exchange = Exchange(name, self.event_runner.clock.now(), provider, account, method, path, headers)
            if await store.open_entry(exchange):
                return exchange
        raise RuntimeError("no request id is free")

    async def submit(self, job: Job) -> Task:
        """Accept a job: hold its price, decide its outcome and its times, and plan its end.

        Raises:
            Problem: OUT_OF_BALANCE; UNAVAILABLE when no more tasks can be held. Then nothing has happened.
        """
        now = self.event_runner.clock.now()
        try:
            task = await self.store.submit(job, now, self._plan)
        except StoreUnavailable:
            raise
        except Problem as problem:
            if problem.kind is Kind.UNAVAILABLE and not self._full:
                self._full = True
                log.warning("submissions are refused (503): %s", problem.detail)
            raise
        self._full = False
        if task.due <= now and not job.callback_url:  # it is this one's turn: what fell due before has ended
            try:
                await self._settle(task, ())
            except StoreUnavailable:
                self.event_runner.notify_planned(task.due)
        elif not job.stuck:
            self.event_runner.notify_planned(task.due)
        return task

    def _plan(self, job: Job, now: float, number: int, draws: int) -> Task:
        """The task of an account's `number`-th generation, counted from 0; `draws` ids of it were taken already."""
        series = ("task", job.provider, job.account)
        draw = self.entropy.draw(*series, number, draws) if draws else self.entropy.draw_nth(series, number)
        task_id = self.providers[job.provider].new_id(draw, now)
        duration = job.delay
        if duration is None:
            shortest, longest = self.config.latency.of(job.documented)
            duration = draw.between(shortest, longest) * job.slowness if longest else 0.0
        # to microseconds, and not by `round`, which goes by way of a text; an end that is rounded up from now would
        # never come while a virtual clock stands still
        planned = max(now, int((now + duration) * 1e6 + 0.5) / 1e6) if duration else now
        return Task(task_id, job, now, inf if job.stuck else planned, planned, job.failure)

    async def check_money(self, job: Job) -> None:
        """Make sure that a job's account can pay for it. Raises Problem(OUT_OF_BALANCE)."""
        await self.store.check_money(job, self.now())

    async def find(self, provider: str, task_id: str) -> Task | None:
        """A task of a provider, whoever's it is."""
        task = await self.store.task(task_id)
        return task if task is not None and task.job.provider == provider else None

    async def cancel(self, task: Task) -> Task:
        """End a task that has not ended: its money is released and its callback sent. Raises Problem(CONFLICT)."""
        return await self.end_now(task, Failure(Kind.CANCELLED))

    async def end_now(self, task: Task, failure: Failure | None) -> Task:
        """End a task at this instant: completed, or failed. Raises Problem(CONFLICT) if it has ended already."""
        now = self.now()
        ended = task.ended(now, failure)
        if task.ended_at(now) or not await self.store.is_open(task.id):
            raise Problem(Kind.CONFLICT, "the task has ended already")
        if not await self._settle(ended, await self._callbacks(ended)):
            raise Problem(Kind.CONFLICT, "the task has ended already")
        return ended

    async def wait(self, task: Task) -> Task | None:
        """Until the task has ended and its money is settled; the task as it has ended.

        None if it has not: a reset has forgotten it, or the server is about to stop.
        """
        store, name = self.store, task.id
        if await store.is_open(name):
            if self.event_runner.may_be_due():
                await self.event_runner.run_due()
            if await store.is_open(name):
                await self.waiters.until_end(name, task.due, store.is_open)
                if await store.is_open(name):
                    return None
            await store.refresh()  # the process that has ended it may have moved the clock
        elif task.due <= task.created:
            return task
        return await store.task(name)

    async def _end(self, task_id: str, due: float) -> Ending | None:
        """What ends a task that is due; one that was cancelled or reset since this end was planned is left alone."""
        task = await self.store.task(task_id)
        if task is None or task.due != due:
            return None
        deliveries = await self._callbacks(task) if task.job.callback_url else []
        return Ending(
            partial(self._settle, task, deliveries), partial(self.dispatcher.attempts_at_once, deliveries, due)
        )

    async def _callbacks(self, task: Task) -> list[Delivery]:
        """The callback that a task's end opens, if it has one, and its copies."""
        url, body = task.job.callback_url, self.providers[task.job.provider].callback_body
        if not url or body is None:
            return []
        return await self.dispatcher.plan(task, url, body(task), self.entropy)

    async def _settle(self, task: Task, deliveries: Sequence[Delivery]) -> bool:
        """End a task: settle its money and open its callback. False if it has ended before."""
        if not await self.store.settle(task, deliveries):
            return False
        if deliveries:
            planned = [one.next_attempt for one in deliveries if one.next_attempt is not None]
            self.event_runner.notify_planned(min(planned, default=task.due))  # else it may release others
        self.waiters.end(task.id)
        for observer in self.task_observers:
            observer(task, deliveries[0] if deliveries else None)
        return True

    def _ring(self, alarm: int) -> None:
        self.waiters.ring(alarm)

    def _public_only(self, provider: str) -> bool:
        return self.providers[provider].public_callbacks_only

    async def _receiver(self, name: str) -> str:
        """Who gets a callback: the origin that it is posted to."""
        delivery = await self.store.delivery(name)
        return split_origin(delivery.routed or "")[0] if delivery is not None else ""

    async def _attempt(self, name: str, due: float) -> Conclude:
        try:
            conclude = await self.dispatcher.attempt(name, due, self.clock)
        except StoreUnavailable:
            raise
        except Exception as error:
            await self._record_crashed_attempt(name, error)
            raise
        return partial(self._put_on_record, conclude)

    async def _attempt_at_once(self, name: str, due: float) -> Conclude | None:
        try:
            conclude = await self.dispatcher.attempt_at_once(name, due)
        except StoreUnavailable:
            raise
        except Exception as error:
            await self._record_crashed_attempt(name, error)
            raise
        return None if conclude is None else partial(self._put_on_record, conclude)

    async def _record_crashed_attempt(self, name: str, error: Exception) -> None:
        delivery = await self.store.delivery(name)
        self.defects.add(f"a callback attempt of {name}", error, delivery.account if delivery else "")

    async def _put_on_record(self, conclude: Conclude) -> None:
        await conclude()
        self.waiters.notify_change()

    async def set_clock(self, clock: Clock | None, autojump: bool | None) -> None:
        """Go on with another clock, and with another `autojump`; None leaves it as it is."""
        jumps = self.waiters.autojump if autojump is None else autojump
        state = replace(self.state(), clock=ClockState.of(clock or self.clock), autojump=jumps)
        await self.store.put_state(state)
        self.waiters.autojump = jumps
        if clock is not None:
            self.event_runner.restart(clock)

    async def reset(self) -> None:
        """Forget every task, account, delivery and exchange, and start clock and chance afresh."""
        await self.event_runner.cancel_attempts()
        entropy, clock, jumps = self.config.entropy.renewed(), self.config.clock(), self.config.autojump
        await self.store.reset(ServerState(ClockState.of(clock), entropy.seed, entropy.seeded, jumps))
        self._begin_anew(clock, entropy, autojump=jumps)
        await self.dispatcher.restore_routes()

    async def load(self, records: Records, state: ServerState) -> None:
        """Put records and a state in place of everything. Calls that wait are told of a reset."""
        await self.event_runner.cancel_attempts()
        await self.store.load(records, state)
        self._begin_anew(state.clock.clock(), Entropy(state.seed, seeded=state.seeded), autojump=state.autojump)

    def _begin_anew(self, clock: Clock, entropy: Entropy, *, autojump: bool) -> None:
        """Leave behind what this process knew of the records that are gone; the store has others already."""
        self.event_runner.abandon_attempts()  # those that began while the store was at it
        self.known_keys.clear()
        self.entropy = entropy
        self.waiters.autojump = autojump
        self._full = False
        self.event_runner.restart(clock)
        self.waiters.forget(None, self.waiters.awaited())

    async def reset_account(self, account: str) -> None:
        """Forget the tasks, the deliveries, the exchanges and the money of one key's hash, at every provider."""
        self.waiters.forget(account, await self.store.reset_account(account))

    def _go_on_with(self, state: ServerState) -> None:
        """Adopt a state that another process, or this server before its restart, has put in force."""
        if (state.seed, state.seeded) != (self.entropy.seed, self.entropy.seeded):
            self.entropy = Entropy(state.seed, seeded=state.seeded)
        self.waiters.autojump = state.autojump
        told, clock = state.clock, self.clock
        if (told.mode, told.speed) == (clock.mode, clock.speed) and told.instant > clock.now() - CLOCK_JITTER:
            clock.move_to(told.instant)
        else:
            clock = told.clock()
        self.event_runner.restart(clock)

    async def _restore(self) -> None:
        """Put in force again what the settings did, in a store that came back empty."""
        try:
            await self.dispatcher.restore_routes()
            if self.begun is not None:
                await self.begun()
        except StoreUnavailable as problem:
            log.warning("the routes and scenarios of the start are not in force again: %s", problem.detail)

    def _changed_elsewhere(self, change: Change) -> None:
        """Take note of what another process has done."""
        if change.kind == "reset" and change.state is not None:
            state = change.state
            self._begin_anew(state.clock.clock(), Entropy(state.seed, seeded=state.seeded), autojump=state.autojump)
            if change.name == BEGUN:
                self._restoring = asyncio.get_running_loop().create_task(self._restore())
        elif change.kind == "state" and change.state is not None:
            self._go_on_with(change.state)
        elif change.kind == "forgotten":
            self.waiters.forget(change.name, list(change.task_ids))
        elif change.kind == "ended":
            self.waiters.end(change.name)
        elif change.kind == "attempt":
            self.waiters.notify_change()
        elif change.kind == "planned":
            self.event_runner.wake()
        self.elsewhere.tell(change)
