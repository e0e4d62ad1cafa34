"""What other processes do on a store that several share: who waits and who watches hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from engine import world
from engine.world import T0, job, running, until
from mockserver.engine import elsewhere
from mockserver.engine.callbacks import Attempt, Outcome
from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.engine import Engine
from mockserver.engine.journal import Exchange
from mockserver.engine.problems import Problem, StoreUnavailable
from mockserver.engine.store import Change, Listener
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.tasks import Task

HOOK = "http://127.0.0.1:9/"


class Shared(MemoryStore):
    """A store in which others have been before: it has a state, and `tell` is what another process has done."""

    had: ServerState | None = None
    tell: Listener
    states: list[ServerState]
    watches: list[bool]

    async def open(self, listener: Listener) -> None:
        self.tell, self.states, self.watches = listener, [], []

    async def begin(self, state: ServerState) -> ServerState | None:  # type: ignore[override]
        return self.had

    async def put_state(self, state: ServerState) -> None:
        self.states.append(state)

    async def watch(self, wanted: bool) -> None:
        self.watches.append(wanted)


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "STORE", Shared)


@asynccontextmanager
async def shared(**plan: Any) -> AsyncIterator[tuple[Engine, Shared]]:
    async with running(**plan) as engine:
        assert isinstance(engine.store, Shared)
        yield engine, engine.store


def virtual(instant: float, seed: str = "test", autojump: bool = False) -> ServerState:
    return ServerState(ClockState("virtual", instant, 0.0), seed, seeded=True, autojump=autojump)


async def ended_elsewhere(engine: Engine, store: Shared, task: Task) -> None:
    """End a task as another process does."""
    sent = await engine.dispatcher.plan(task, HOOK, b"{}", engine.entropy)
    assert await store.settle(task, sent)
    store.tell(Change("ended", task.id))


@pytest.mark.asyncio
async def test_the_end_of_a_task_wakes_who_waits_for_it_and_is_told_to_who_observes_others() -> None:
    async with shared() as (engine, store):
        own: list[Any] = []
        others: list[Any] = []
        engine.task_observers.append(lambda *seen: own.append(seen))
        engine.elsewhere.task_observers.append(lambda *seen: others.append(seen))
        task = await engine.submit(job())
        waiting = asyncio.create_task(engine.wait(task))
        await asyncio.sleep(0)
        await ended_elsewhere(engine, store, task)
        await asyncio.wait_for(waiting, 1)
        await until(lambda: len(others) == 1)
        assert others == [(task, await store.delivery_of(task.id))]
        assert own == []


@pytest.mark.asyncio
async def test_an_end_that_comes_while_a_call_begins_to_wait_is_not_missed() -> None:
    async with shared() as (engine, store):
        task = await engine.submit(job())

        async def is_open(task_id: str) -> bool:
            await ended_elsewhere(engine, store, task)
            return True

        await asyncio.wait_for(engine.waiters.until_end(task.id, task.due, is_open), 1)


@pytest.mark.asyncio
async def test_an_attempt_is_a_change_and_is_told_with_its_callback() -> None:
    async with shared() as (engine, store):
        seen: list[Any] = []
        engine.elsewhere.attempt_observers.append(lambda *told: seen.append(told))
        task = await engine.submit(job())
        await ended_elsewhere(engine, store, task)
        before = await store.delivery_of(task.id)
        assert before is not None
        attempt = Attempt(T0, Outcome(200, 0.1))
        after = before.concluded(attempt, T0, engine.dispatcher.policy)
        assert await store.update_delivery(before, after)
        change = engine.waiters.next_change()
        store.tell(Change("attempt", before.id))
        await asyncio.wait_for(change, 1)
        await until(lambda: seen == [(after, attempt)])


@pytest.mark.asyncio
async def test_a_request_is_told_with_its_task_and_a_control_call_with_its_path() -> None:
    async with shared() as (engine, store):
        seen: list[Any] = []
        engine.elsewhere.request_observers.append(lambda *told: seen.append(told))
        engine.elsewhere.control_observers.append(seen.append)
        task = await engine.submit(job())
        exchange = Exchange("r", T0, "studio", "acct_1", "POST", "/", {}, status=200, task_id=task.id)
        await store.open_entry(exchange)
        store.tell(Change("request", "r"))
        store.tell(Change("control", "/_mock/faults"))
        await until(lambda: len(seen) == 2)
        assert seen == [(exchange, task), "/_mock/faults"]


@pytest.mark.asyncio
async def test_what_is_gone_again_or_can_not_be_read_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("the store is away")

    async with shared() as (engine, store):
        seen: list[Any] = []
        engine.elsewhere.task_observers.append(lambda *told: seen.append(told))
        engine.elsewhere.attempt_observers.append(lambda *told: seen.append(told))
        engine.elsewhere.control_observers.append(seen.append)
        monkeypatch.setattr(store, "task", away)
        for change in (Change("ended", "gone"), Change("attempt", "gone"), Change("control", "/_mock/clock")):
            store.tell(change)
        await until(lambda: seen == ["/_mock/clock"])


@pytest.mark.asyncio
async def test_nothing_is_read_while_nobody_observes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("nobody observes")

    async with shared() as (_, store):
        monkeypatch.setattr(store, "task", never)
        store.tell(Change("ended", "a"))
        await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_a_clock_that_another_process_has_moved_rings_the_alarms_of_this_one() -> None:
    async with shared() as (engine, store):
        waiting = asyncio.create_task(engine.waiters.sleep(5.0))
        await asyncio.sleep(0)
        store.tell(Change("state", state=virtual(T0 + 4.9)))
        await asyncio.sleep(0.01)
        assert (waiting.done(), engine.now()) == (False, T0 + 4.9)
        store.tell(Change("state", state=virtual(T0 + 5)))
        await asyncio.wait_for(waiting, 1)


@pytest.mark.asyncio
async def test_a_state_that_another_process_has_put_in_force_holds_here() -> None:
    async with shared() as (engine, store):
        store.tell(Change("state", state=virtual(T0 + 1, "other", autojump=True)))
        assert (engine.now(), engine.entropy.seed, engine.waiters.autojump) == (T0 + 1, "other", True)
        real = ServerState(ClockState("real", T0 + 7, 2.0), "other", seeded=False, autojump=False)
        store.tell(Change("state", state=real))
        assert (engine.clock.mode, engine.clock.speed, engine.entropy.seeded) == ("real", 2.0, False)
        assert T0 + 7 <= engine.now() < T0 + 8


@pytest.mark.asyncio
async def test_a_real_clock_is_not_set_back_by_what_it_took_to_hear_of_it() -> None:
    async with shared() as (engine, store):
        store.tell(Change("state", state=replace(virtual(T0), clock=ClockState("real", T0, 1.0))))
        clock = engine.clock
        store.tell(Change("state", state=replace(virtual(T0), clock=ClockState("real", T0 - 0.05, 1.0))))
        assert (engine.clock is clock, engine.now() >= T0) == (True, True)
        store.tell(Change("state", state=replace(virtual(T0), clock=ClockState("real", T0 - 50, 1.0))))
        assert engine.now() < T0


@pytest.mark.asyncio
async def test_a_reset_by_another_process_ends_waits_and_begins_anew() -> None:
    async with shared() as (engine, store):
        engine.known_keys.know("acct_1", "sk_key")
        task = await engine.submit(job())
        waiting = asyncio.create_task(engine.wait(task))
        delayed = asyncio.create_task(engine.waiters.sleep(5.0, "acct_1"))
        await asyncio.sleep(0)
        await store.reset(virtual(T0 + 3))
        store.tell(Change("reset", state=virtual(T0 + 3, "new")))
        await asyncio.wait_for(waiting, 1)
        with pytest.raises(Problem, match="was reset"):
            await delayed
        assert (engine.now(), engine.entropy.seed, engine.known_keys.all()) == (T0 + 3, "new", [])


@pytest.mark.asyncio
async def test_an_account_that_another_process_has_reset_is_forgotten_alone() -> None:
    async with shared() as (engine, store):
        task = await engine.submit(job())
        waiting = asyncio.create_task(engine.wait(task))
        delays = [asyncio.create_task(engine.waiters.sleep(5.0, name)) for name in ("acct_1", "acct_2")]
        await asyncio.sleep(0)
        gone = await store.reset_account("acct_1")
        store.tell(Change("forgotten", "acct_1", task_ids=gone))
        await asyncio.wait_for(waiting, 1)
        with pytest.raises(Problem, match="was reset"):
            await delays[0]
        assert not delays[1].done()
        delays[1].cancel()


@pytest.mark.asyncio
async def test_a_start_goes_on_with_what_the_store_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shared, "had", virtual(T0 + 50, "before", autojump=True))
    async with shared() as (engine, store):
        assert (engine.now(), engine.entropy.seed, engine.waiters.autojump) == (T0 + 50, "before", True)
        assert store.steering.routes() == ()


@pytest.mark.asyncio
async def test_a_clock_that_is_set_here_is_put_in_force_for_all() -> None:
    async with shared() as (engine, store):
        await engine.set_clock(None, autojump=True)
        await engine.set_clock(ClockState("real", T0, 3.0).clock(), autojump=None)
        assert [state.autojump for state in store.states] == [True, True]
        assert (store.states[0].clock, store.states[1].clock.speed) == (ClockState("virtual", T0, 0.0), 3.0)
        assert (engine.clock.speed, engine.waiters.autojump) == (3.0, True)


@pytest.mark.asyncio
async def test_the_store_is_asked_for_what_is_watched_as_long_as_anybody_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(elsewhere, "LINGERS", 0.01)
    async with shared() as (engine, store):
        for _ in range(2):
            await engine.elsewhere.watch()
        engine.elsewhere.leave()
        await asyncio.sleep(0.03)
        assert store.watches == [True]
        engine.elsewhere.leave()
        await engine.elsewhere.watch()
        await asyncio.sleep(0.03)
        assert store.watches == [True]
        engine.elsewhere.leave()
        await until(lambda: store.watches == [True, False])
