"""All of an engine's state as one value, to be kept and put back: a restored engine goes on as the old one would have.

The journal is left out: it is a record of what this process was asked, and it holds what clients sent.
"""

from collections import deque
from dataclasses import dataclass, field, fields, replace

from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import Clock, Entropy, Mode, SystemClock, VirtualClock
from mockserver.engine.engine import Engine
from mockserver.engine.ledger import USAGE_KEPT, AccountRow
from mockserver.engine.schedule import Event
from mockserver.engine.sinks import RECEIVED_KEPT, Sink
from mockserver.engine.store import Records
from mockserver.engine.tasks import Task

LATEST = 100_000_000_000.0
"""The latest instant that a clock is put to, in Unix seconds."""

FORM = 3
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
class State:
    """Everything but the journal: the store's `Records` field by field, and what is in force around it."""

    form: int
    clock: ClockState
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

    @property
    def records(self) -> Records:
        """What the store is given."""
        accounts = self.accounts
        for row in accounts:
            row.usage = deque(row.usage, maxlen=USAGE_KEPT)
        return Records(self.tasks, self.deliveries, accounts, self.held, self.planned, self.anonymous_requests)


def take(engine: Engine) -> State:
    """The state at this instant. An attempt that is under way is planned again: its receiver may see it twice."""
    clock, records = engine.clock, engine.store.dump()
    return State(
        form=FORM,
        clock=ClockState(engine.now(), clock.mode, clock.speed, engine.waiters.autojump),
        seed=engine.entropy.seed,
        seeded=engine.entropy.seeded,
        routes=list(engine.dispatcher.routing.routes),
        sinks=engine.dispatcher.sinks.by_name,
        **{part.name: getattr(records, part.name) for part in fields(Records)},
    )


async def restore(engine: Engine, state: State) -> None:
    """Put a state in place of everything that an engine has. Calls that wait are told of a reset."""
    await engine.reset()
    engine.store.load(state.records)
    engine.entropy = Entropy(state.seed, seeded=state.seeded)
    engine.waiters.autojump = state.clock.autojump
    engine.dispatcher.routing = replace(engine.dispatcher.routing, routes=tuple(state.routes))
    for name, sink in state.sinks.items():
        engine.dispatcher.sinks.put(name, Sink(sink.script, deque(sink.received, maxlen=RECEIVED_KEPT), sink.dropped))
    engine.event_runner.restart(state.clock.clock())
