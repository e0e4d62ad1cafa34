"""Several stores on one server, as several processes would have them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from engine.world import T0, job
from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import ClockState, Entropy, ServerState, pause
from mockserver.engine.store import Bounds, Change
from mockserver.engine.store.codec import RuleForm
from mockserver.engine.store.redis import RedisStore
from mockserver.engine.tasks import Job, Task
from support.valkey import Valkey

OPENING = {"studio": 1000, "lab": 50}
STATE = ServerState(ClockState("virtual", T0, 0.0), "test", seeded=True, autojump=False)


@dataclass(frozen=True)
class Rule:
    """A fault rule as a store knows it."""

    id: str
    account: str | None = None


RULES = RuleForm(lambda rule: {"account": rule.account}, lambda name, fields: Rule(name, fields["account"]))


class Process(RedisStore):
    """A store as one process has it; `changes` are those of the others."""

    def __init__(self, url: str, **bounds: int) -> None:
        super().__init__(url, OPENING, Bounds(**bounds), RULES)
        self.changes: list[Change] = []

    async def begin_anew(self, state: ServerState = STATE) -> ServerState | None:
        await self.open(self.changes.append)
        return await self.begin(state)

    async def die(self) -> None:
        """End as a process does that is killed: nothing is given back."""
        await self._life.stop()
        await self._database.close()

    def told(self, kind: str) -> list[str]:
        """The names of the changes of a kind."""
        return [change.name for change in self.changes if change.kind == kind]


@asynccontextmanager
async def processes(server: Valkey, count: int, **bounds: int) -> AsyncIterator[list[Process]]:
    """Stores on one server under one prefix, begun, and closed in the end."""
    url = server.url()
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            store = Process(url, **bounds)
            stack.push_async_callback(store.close)
            await store.begin_anew()
            made.append(store)
        yield made


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await pause(0.005)


async def until_awaited(condition: Callable[[], Awaitable[Any]], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await pause(0.01)


def planner(seed: str = "test", due: float = T0 + 10) -> Callable[[Job, float, int, int], Task]:
    """Plans tasks as the engine does: the id depends on seed, account, number and draw."""
    entropy = Entropy(seed)

    def plan(asked: Job, now: float, number: int, draws: int) -> Task:
        name = entropy.draw("task", asked.provider, asked.account, number, draws).uuid()
        return Task(name, asked, now, inf if asked.stuck else due, due, asked.failure)

    return plan


async def submit(store: RedisStore, due: float = T0 + 10, **changes: Any) -> Task:
    return await store.submit(job(**changes), T0, planner(due=due))


def callback(task: Task, **changes: Any) -> Delivery:
    """The callback of a task that ends, its attempt planned for then."""
    url = "http://127.0.0.1:9/"
    made = Delivery(f"cb {task.id}", task.id, "studio", task.job.account, url, url, b"{}", task.due)
    return replace(made, **{"next_attempt": task.due, **changes})


async def ended_with_callback(store: RedisStore, due: float = T0, **changes: Any) -> Delivery:
    """The callback of a task that has ended."""
    task = await submit(store, due=due, **changes)
    delivery = callback(task)
    assert await store.settle(task, [delivery])
    return delivery


async def all_due(store: RedisStore, until: float = inf) -> list[tuple[float, str, str]]:
    """Everything that is due, claimed in its order."""
    found: list[tuple[float, str, str]] = []
    while (event := await store.claim_due(until)) is not None:
        found.append(event)
    return found
