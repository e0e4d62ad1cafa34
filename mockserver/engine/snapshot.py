"""All of an engine's state as one value, to be kept and put back: a restored engine goes on as the old one would have.

The journal is left out: it is a record of what this process was asked, and it holds what clients sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import ClockState, Mode, ServerState
from mockserver.engine.engine import Engine
from mockserver.engine.ledger import AccountRow
from mockserver.engine.schedule import Event
from mockserver.engine.sinks import Sink
from mockserver.engine.store import Records
from mockserver.engine.store.steering import RuleCounts, SteeringRecords, StoredRule
from mockserver.engine.tasks import Task

LATEST = 100_000_000_000.0
"""The latest instant that a clock is put to, in Unix seconds."""

FORM = 3
"""The form of a snapshot; another number is not read."""


@dataclass(frozen=True, slots=True)
class SavedClock:
    """`now` in Unix seconds."""

    now: float
    mode: Mode
    speed: float
    autojump: bool


@dataclass(frozen=True, slots=True)
class State:
    """Everything but the journal and the fault rules: what the store keeps, and what is in force around it."""

    form: int
    clock: SavedClock
    seed: str
    seeded: bool
    anonymous_requests: int
    tasks: list[Task]
    deliveries: list[Delivery]
    accounts: list[AccountRow]
    held: list[tuple[str, str]]
    planned: list[Event]
    routes: list[tuple[str, str]]
    sinks: dict[str, Sink] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SavedRules:
    """The fault rules, each with its counts, in the order in which they were added, and how many ever were."""

    rules: Sequence[tuple[StoredRule, RuleCounts]] = ()
    added: int = 0


async def take(engine: Engine) -> tuple[State, SavedRules]:
    """The state at the instant of the call; what takes time is done in a thread.

    An attempt that is under way is planned again: its receiver may see it twice.
    """
    clock, entropy = engine.clock, engine.entropy
    shown = SavedClock(engine.now(), clock.mode, clock.speed, engine.waiters.autojump)
    records = await engine.store.dump()
    state = State(
        FORM,
        shown,
        entropy.seed,
        entropy.seeded,
        records.anonymous_requests,
        records.tasks,
        records.deliveries,
        records.accounts,
        records.held,
        records.planned,
        records.steering.routes,
        records.steering.sinks,
    )
    return state, SavedRules(records.steering.rules, records.steering.rules_added)


async def restore(engine: Engine, state: State, saved: SavedRules) -> None:
    """Put a state in place of everything that an engine has. Calls that wait are told of a reset."""
    steering = SteeringRecords(list(saved.rules), saved.added, state.routes, state.sinks)
    held, planned = state.held, state.planned
    records = Records(state.tasks, state.deliveries, state.accounts, held, planned, state.anonymous_requests, steering)
    clock = ClockState(state.clock.mode, state.clock.now, state.clock.speed)
    await engine.load(records, ServerState(clock, state.seed, state.seeded, state.clock.autojump))
