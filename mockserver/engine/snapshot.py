"""All of an engine's state as one value, to be kept and put back: a restored engine goes on as the old one would have.

The journal is left out: it is a record of what this process was asked, and it holds what clients sent.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Literal, TypeVar

from mockserver.engine.accounts import row
from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import Clock, Entropy, Mode, SystemClock, VirtualClock
from mockserver.engine.engine import Engine, ProviderPort
from mockserver.engine.ledger import USAGE_KEPT, Account, Hold
from mockserver.engine.outbound import Routing, parse_route
from mockserver.engine.sinks import RECEIVED_KEPT, Sink
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.tasks import Task
from mockserver.engine.waiters import ALARM

T = TypeVar("T")

LATEST = 100_000_000_000.0
"""The latest instant that a clock is put to, in Unix seconds."""

FORM = 2
"""The form of a snapshot; another number is not read."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """`now` in Unix seconds."""

    now: float
    mode: Mode
    speed: float
    autojump: bool

    def clock(self) -> Clock:
        return VirtualClock(self.now) if self.mode == "virtual" else SystemClock(self.now, self.speed)


@dataclass(frozen=True, slots=True)
class HoldState:
    """Money (minor units) held for a task."""

    task_id: str
    provider: str
    account: str
    amount: int
    month: str


@dataclass(frozen=True, slots=True)
class State:
    """Everything but the journal. `planned` are the events to come, in order: (due, "finish" or "attempt", id)."""

    form: int
    clock: ClockState
    seed: str
    seeded: bool
    anonymous_requests: int
    tasks: list[Task]
    deliveries: list[Delivery]
    accounts: list[Account]
    holds: list[HoldState]
    names: list[tuple[str, str]]
    planned: list[tuple[float, Literal["finish", "attempt"], str]]
    routes: list[tuple[str, str]]
    sinks: dict[str, Sink] = field(default_factory=dict)
    held_back: dict[str, list[str]] = field(default_factory=dict)


def take(engine: Engine) -> State:
    """The state at this instant. An attempt that is under way is planned again: its receiver may see it twice."""
    store, clock = engine.store, engine.clock
    holds = [
        HoldState(task_id, hold.account.provider, hold.account.id, hold.amount, hold.month)
        for task_id, hold in engine.ledger.holds.items()
    ]
    return State(
        form=FORM,
        clock=ClockState(engine.now(), clock.mode, clock.speed, engine.waiters.autojump),
        seed=engine.entropy.seed,
        seeded=engine.entropy.seeded,
        anonymous_requests=engine.anonymous_requests,
        tasks=_oldest(store.tasks.newest()),
        deliveries=_oldest(store.deliveries.newest()),
        accounts=_oldest(store.accounts.newest()),
        holds=holds,
        names=list(store.names.newest())[::-1],
        planned=_planned(engine),
        routes=list(engine.dispatcher.routing.routes),
        sinks=engine.dispatcher.sinks.by_name,
        held_back=engine.dispatcher.reorder_queue,
    )


def _oldest(rows: Iterator[tuple[str, T]]) -> list[T]:
    """The records, the oldest first."""
    return [value for _, value in rows][::-1]


def check(state: State, providers: Mapping[str, ProviderPort]) -> None:
    """Make sure that a state hangs together. Raises ValueError saying where it does not."""
    if state.form != FORM:
        raise ValueError(f"it has the form {state.form}; this server reads {FORM}")
    clock = state.clock
    if not 0 <= clock.now <= LATEST or (clock.mode == "real" and not 0 < clock.speed < inf):
        raise ValueError("its clock is out of bounds")
    owners = {task.job.provider for task in state.tasks} | {delivery.provider for delivery in state.deliveries}
    owners |= {account.provider for account in state.accounts}
    if not owners <= providers.keys():
        raise ValueError(f"it has another provider than {', '.join(providers)}")
    _check_times(state)
    _check_money(state)
    for source, destination in state.routes:
        parse_route(f"{source}={destination}")


def _check_times(state: State) -> None:
    times = [time for task in state.tasks for time in (task.created, task.starts, task.planned)]
    times += [task.due for task in state.tasks if not task.job.stuck] + [due for due, _, _ in state.planned]
    if not all(isfinite(time) for time in times):
        raise ValueError("a time is not finite")


def _check_money(state: State) -> None:
    accounts = {(account.provider, account.id): account for account in state.accounts}
    tasks = {task.id for task in state.tasks}
    held = Counter[tuple[str, str]]()
    for hold in state.holds:
        if (hold.provider, hold.account) not in accounts or hold.task_id not in tasks:
            raise ValueError("money is held for an unknown task or account")
        held[hold.provider, hold.account] += hold.amount
    for owner, account in accounts.items():
        if account.held != held[owner] or account.opening != account.balance + account.held + account.captured:
            raise ValueError("an account does not add up")


async def restore(engine: Engine, state: State) -> None:
    """Put a state in place of everything that an engine has. Calls that wait are told of a reset."""
    await engine.reset()
    store = MemoryStore()
    engine.begin(store, Entropy(state.seed, seeded=state.seeded))
    engine.anonymous_requests, engine.waiters.autojump = state.anonymous_requests, state.clock.autojump
    _put_accounts(engine, state)
    held = {hold.task_id for hold in state.holds}
    for task in state.tasks:
        store.tasks.put(task.id, task)
        if task.id not in held:
            store.tasks.retire(task.id)
    for delivery in state.deliveries:
        store.deliveries.put(delivery.id, delivery)
        if delivery.ended:
            store.deliveries.retire(delivery.id)
    for name, meaning in state.names:
        engine.name(name, meaning)
    _plan(engine, state)
    engine.dispatcher.routing = Routing(tuple(state.routes), engine.dispatcher.routing.egress)
    engine.dispatcher.reorder_queue.update(state.held_back)
    for name, sink in state.sinks.items():
        engine.dispatcher.sinks.put(name, Sink(sink.script, deque(sink.received, maxlen=RECEIVED_KEPT), sink.dropped))
    engine.event_runner.restart(state.clock.clock())


def _put_accounts(engine: Engine, state: State) -> None:
    for account in state.accounts:
        account.usage = deque(account.usage, maxlen=USAGE_KEPT)
        engine.store.accounts.put(row(account.provider, account.id), account)
    for hold in state.holds:
        account = engine.accounts.get(hold.provider, hold.account)
        engine.ledger.holds[hold.task_id] = Hold(account, hold.amount, hold.month)


def _planned(engine: Engine) -> list[tuple[float, Literal["finish", "attempt"], str]]:
    """What is planned, in order; an attempt that is under way comes last at its time."""
    finishes = [(*entry, "finish") for entry in engine.schedule.finishes.entries() if not entry[2].startswith(ALARM)]
    attempts = [(*entry, "attempt") for entry in engine.schedule.attempts.entries()]
    known = {name for _, _, name, _ in attempts}
    under_way = [
        (delivery.next_attempt, inf, name, "attempt")
        for name, delivery in engine.store.deliveries.newest()
        if not delivery.ended and name not in known and delivery.next_attempt is not None
    ]
    events = sorted([*finishes, *attempts, *under_way], key=lambda event: event[:2])
    return [(due, "finish" if kind == "finish" else "attempt", name) for due, _, name, kind in events]


def _plan(engine: Engine, state: State) -> None:
    for due, kind, name in state.planned:
        plan = engine.schedule.finish if kind == "finish" else engine.schedule.attempt
        plan(due, name)
