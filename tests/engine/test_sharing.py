"""Two engines on one store, as two processes of a server are: what one does, the other hears of, waits for, goes on
with or takes over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from engine.store.processes import Member
from engine.world import T0, Studio, job, until
from mockserver.engine.clock import Clock, Entropy, SystemClock, VirtualClock, monotonic
from mockserver.engine.engine import Engine, EngineConfig
from mockserver.engine.latency import Latency
from mockserver.engine.store import Change, Wanted

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def engines(
    path: Path, count: int = 2, clock: Callable[[], Clock] = VirtualClock, latency: str = "documented"
) -> AsyncIterator[list[Engine]]:
    """Engines on one file, started and in the end stopped."""
    made = []
    async with AsyncExitStack() as stack:
        for _ in range(count):
            config = EngineConfig(clock, Entropy("test"), Latency.parse(latency), Member(path))
            engine = Engine(config, {"studio": Studio()})
            await engine.start()
            stack.push_async_callback(engine.stop)
            made.append(engine)
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def test_a_wait_at_one_ends_with_an_advance_at_the_other(path: Path) -> None:
    async with engines(path) as (here, there):
        task = await here.submit(job(callback_url="http://127.0.0.1/_mock/sink/app"))
        waiting = asyncio.ensure_future(there.wait(task))
        ran = await here.event_runner.advance(T0 + 10)
        await asyncio.wait_for(waiting, 5)
        assert [kind for _, kind, _ in ran] == ["finish", "attempt"]
        await there.store.refresh()
        assert there.now() == T0 + 10
        received = await there.store.steering.sink("app")
        assert received is not None
        assert len(received.received) == 1


async def test_the_ends_that_are_due_are_settled_side_by_side(path: Path) -> None:
    async with engines(path, 1, latency="instant") as (engine,):
        tasks = await asyncio.gather(*[engine.submit(job(cost=1)) for _ in range(200)])
        await engine.event_runner.run_due()
        account = await engine.store.account("studio", "acct_1")
        assert (account.held, account.captured) == (0, 200)
        usage = await engine.store.usage("studio", "acct_1")
        assert [record.task.id for record in usage] == [task.id for task in tasks]


async def test_a_process_that_has_missed_an_end_sees_it_at_its_next_look(path: Path) -> None:
    async with engines(path) as (here, there):
        task = await here.submit(job())
        waiting = asyncio.ensure_future(there.wait(task))
        await asyncio.sleep(0)
        member = there.store
        assert isinstance(member, Member)
        await member._rounds.stop()
        await here.cancel(task)
        there._changed_elsewhere(Change("planned"))
        await asyncio.wait_for(waiting, 5)


async def test_what_a_dead_process_had_planned_ends_in_time(path: Path) -> None:
    async with engines(path, clock=SystemClock, latency="0.2-0.2") as (here, there):
        member, began = there.store, monotonic()
        assert isinstance(member, Member)
        task = await there.submit(job())
        await there.event_runner.stop()
        await member.die()
        member.close = nothing  # type: ignore[method-assign]
        while await here.store.is_open(task.id):
            assert monotonic() - began < 2.0
            await asyncio.sleep(0.01)


async def nothing() -> None:
    """In place of the end of a process that has none."""


async def test_a_reset_at_one_is_a_reset_at_the_other(path: Path) -> None:
    async with engines(path) as (here, there):
        await there.submit(job())
        await here.event_runner.advance(T0 + 5)
        await here.reset()
        await until(lambda: there.now() == T0)
        assert await there.store.tasks(Wanted(), 9) == ([], None)
        assert there.entropy.seed == here.entropy.seed
