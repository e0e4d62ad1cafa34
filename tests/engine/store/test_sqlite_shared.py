"""Several processes on one file: each thing once, whichever of them does it, and whatever dies when."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from engine.store.processes import Member, member, other, submit
from engine.store.test_store import STATE, Rule, callback, exchange
from engine.world import T0, until
from mockserver.engine.callbacks import DOCUMENTED, Attempt, Outcome
from mockserver.engine.clock import ClockState
from mockserver.engine.ledger import AccountChange
from mockserver.engine.schedule import Event
from mockserver.engine.sinks import Received
from mockserver.engine.store import Wanted
from mockserver.engine.store.shared import INTERRUPTED
from mockserver.engine.store.steering import RuleCounts
from mockserver.engine.tasks import Job, Task

pytestmark = pytest.mark.asyncio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def test_what_one_has_done_another_reads(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        task = await submit(here, "a", trace_id="t")
        await here.open_entry(exchange("r1", "acct_1"))
        assert await there.task("a") == await there.traced("studio", "acct_1", "t") == task
        assert (await there.account("studio", "acct_1")).held == 25
        assert await there.count_request("studio", "acct_1") == 1
        assert await here.count_request("studio", "acct_1") == 2
        assert not await there.open_entry(exchange("r1", "acct_2"))
        await there.settle(task, [callback(task)])
        assert [await here.settle(task), await here.is_open("a")] == [False, False]
        assert await here.dump() == await there.dump()


async def test_ids_depend_on_the_order_of_an_account_alone(path: Path) -> None:
    numbers: list[int] = []

    def plan(asked: Job, now: float, number: int, draws: int) -> Task:
        numbers.append(number)
        return Task(f"{asked.account} {number}", asked, now, T0, T0, None)

    async with member(path) as here, member(path) as there:
        for store in (here, there, there, here):
            task = await submit(store, "unused", account="acct_2", cost=0)
            await store.settle(task)
            await store.reset_account("acct_2")
            await store.submit(replace(task.job, account="acct_1"), T0, plan)
    assert numbers == [0, 1, 2, 3]


async def test_an_event_is_claimed_once(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        names = [f"task {number}" for number in range(30)]
        await asyncio.gather(*[submit(here, name, due=T0, cost=1) for name in names])
        claimed: list[Event] = []

        async def claim(store: Member) -> None:
            while (event := await store.claim_due(T0)) is not None:
                claimed.append(event)

        await asyncio.gather(*map(claim, (here, there, here, there)))
        assert sorted(name for _, _, name in claimed) == sorted(names)
        assert sorted([*await here.claimed_elsewhere(), *await there.claimed_elsewhere()]) == sorted(names)


async def test_ends_are_claimed_side_by_side_in_order(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        for number in range(5):
            await submit(here, str(number), due=T0 + number)
        await there.refresh()
        assert [here.may_be_due(T0), there.may_be_due(T0), there.may_be_due(T0 - 1)] == [True, True, False]
        assert [name for _, _, name in await there.claim_ends(T0 + 2)] == ["0", "1", "2"]
        assert (await here.claim_ends(T0 + 2), here.may_be_due(T0 + 2), await here.next_due()) == ([], False, T0 + 3)


async def test_more_is_claimed_up_to_an_alarm_of_another_process_and_never_while_one_advances(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        for number in range(5):
            await submit(here, str(number), due=T0 + number)
        await there.plan_alarm(T0 + 2, "1")
        await here.begin_advance()
        assert await there.claim_more("finish", T0 + 9, 9) == []
        assert [name for _, _, name in await here.claim_more("finish", T0 + 9, 9)] == ["0", "1", "2"]
        assert await here.claim_due(T0 + 9) == (T0 + 2, "alarm", "1")
        assert [name for _, _, name in await here.claim_more("finish", T0 + 9, 1)] == ["3"]


async def test_what_a_dead_process_had_claimed_is_done_by_another(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        done = await submit(here, "done", due=T0)
        await here.settle(done, [callback(done)])
        await submit(here, "open", due=T0 + 1)
        await there.begin_advance()
        await there.plan_alarm(T0 + 9, "1")
        assert [(await there.claim_due(T0 + 5) or ("", "", ""))[2] for _ in range(2)] == ["cb done", "open"]
        assert sorted(await here.claimed_elsewhere()) == ["cb done", "open"]
        await there.die()
        await here.watch_for(1.2)
        assert (await here.claim_due(T0 + 5), await here.begin_advance()) == (None, False)
        await here.watch_for(0.8)
        assert (await here.begin_advance(), await here.claimed_elsewhere()) == (True, [])
        assert here.may_be_due(T0 + 1)
        assert [await here.claim_due(T0 + 9) for _ in range(3)] == [
            (T0, "attempt", "cb done"),
            (T0 + 1, "finish", "open"),
            None,
        ]
        delivery = await here.delivery("cb done")
        assert delivery is not None
        assert (delivery.attempts, delivery.failures) == ((Attempt(T0 + 5, Outcome(None, 0.0, INTERRUPTED)),), 0)
        assert "planned" in [change.kind for change in here.changes]


async def test_a_process_that_was_only_slow_can_not_conclude_what_was_taken_over(path: Path) -> None:
    async with member(path) as here, member(path) as slow:
        task = await submit(slow, "a", due=T0)
        await slow.settle(task, [callback(task)])
        assert await slow.claim_due(T0) == (T0, "attempt", "cb a")
        before = await slow.delivery("cb a")
        assert before is not None
        await slow._rounds.stop()
        await here.watch_for(2.0)
        late = before.concluded(Attempt(T0, Outcome(200, 0.0)), T0, DOCUMENTED)
        assert not await slow.update_delivery(before, late)
        assert await here.claim_due(T0) == (T0, "attempt", "cb a")
        await slow.keep()
        await here.keep()
        assert len(await slow.claimed_elsewhere()) == 1  # it lives again, as another would


async def test_nobody_dies_while_the_machine_sleeps(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        await submit(there, "a", due=T0)
        await there.claim_due(T0)
        here.clockwork.now += 3600
        await here.keep()
        await there.keep()
        await here.keep()
        assert await here.claimed_elsewhere() == ["a"]


async def test_a_process_that_ends_leaves_what_it_had_claimed(path: Path) -> None:
    async with member(path) as here:
        async with member(path) as there:
            await submit(here, "a", due=T0)
            await there.claim_ends(T0)
            await there.begin_advance()
        await here.refresh()
        assert here.may_be_due(T0)
        assert (await here.claim_due(T0), await here.begin_advance()) == ((T0, "finish", "a"), True)


async def test_one_process_advances_at_a_time_and_has_attempts_and_alarms_to_itself(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        task = await submit(here, "a", due=T0)
        await here.settle(task, [callback(task)])
        await submit(here, "b", due=T0)
        await there.plan_alarm(T0, "7")
        await there.plan_alarm(T0, "8")
        await there.drop_alarm("8")
        assert [await here.begin_advance(), await there.begin_advance()] == [True, False]
        assert await there.claim_due(T0) is None
        assert list(await there.claim_ends(T0)) == [(T0, "finish", "b")]
        assert await there.next_due() is None
        assert [await here.claim_due(T0) for _ in range(3)] == [(T0, "attempt", "cb a"), (T0, "alarm", "7"), None]
        await there.end_advance()
        assert not await there.begin_advance()
        await here.end_advance()
        assert await there.begin_advance()


async def test_the_clock_is_one_for_all(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        await here.put_clock(ClockState("virtual", T0 + 5, 0.0))
        await there.count_request("studio", "acct_1")
        told = [change.state for change in there.changes if change.kind == "state"]
        assert [state and (state.clock.instant, state.seed) for state in told] == [(T0 + 5, "test")]
        await there.put_state(replace(STATE, autojump=True))
        await until(lambda: bool(here.heard("state")))
        assert here.changes[-1].state is not None
        assert here.changes[-1].state.autojump


async def test_rules_and_routes_are_in_force_at_all_with_their_first_verb(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        await here.steering.add_rule(lambda number: Rule(f"fault-{number}"))
        await here.steering.change_routes(lambda _: (("http://a", "http://b"),))
        await there.count_request("studio", "")
        assert (there.steering.rules(), there.steering.routes()) == ((Rule("fault-1"),), (("http://a", "http://b"),))
        assert await there.steering.remove_rules({"fault-1"}) == 1
        await here.refresh()
        assert here.steering.rules() == ()


async def test_a_rule_is_counted_over_all(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        await here.steering.add_rule(lambda number: Rule(f"fault-{number}"))

        def first_three(counts: RuleCounts) -> bool:
            return counts.fired < 3

        fired = [await store.steering.count_match("fault-1", first_three) for store in (here, there) * 4]
        assert fired == [True, True, True, False, False, False, False, False]
        assert await there.steering.rule_counts("fault-1") == RuleCounts(8, 3)


async def test_each_hears_what_the_others_have_done_and_nothing_of_its_own(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        await there.watch(True)
        entry = exchange("r1", "acct_1")
        await here.open_entry(entry)
        task = await submit(here, "a", due=T0)
        await here.settle(task, [callback(task)])
        before = await here.delivery("cb a")
        assert before is not None
        await here.update_delivery(before, before.concluded(Attempt(T0, Outcome(200, 0.0)), T0, DOCUMENTED))
        await here.close_entry(entry, replace(entry, status=200))
        await here.announce_control("/_mock/faults")
        await here.reset_account("acct_1")
        await here.reset(STATE)
        await until(lambda: bool(there.heard("reset")))
        told = [(change.kind, change.name, tuple(change.task_ids)) for change in there.changes]
        assert [one for one in told if one[0] not in ("planned", "state")] == [
            ("ended", "a", ()),
            ("attempt", "cb a", ()),
            ("request", "r1", ()),
            ("control", "/_mock/faults", ()),
            ("forgotten", "acct_1", ("a",)),
            ("reset", "", ()),
        ]
        assert [change.kind for change in here.changes if change.kind not in ("planned", "state")] == []


async def answer(store: Member, name: str) -> None:
    """Take a request and answer it."""
    entry = exchange(name, "acct_1")
    await store.open_entry(entry)
    await store.close_entry(entry, replace(entry, status=200))


async def test_requests_are_told_only_while_a_living_process_watches(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        await answer(here, "before")
        await there.watch(True)
        await there.keep()
        await here.reset(STATE)
        await answer(here, "watched")
        await there.watch(False)
        await answer(here, "after")
        await there.watch(True)
        await until(lambda: there.heard("request") == ["watched"])
        await there.die()
        await here.watch_for(2.4)
        async with member(path) as late:
            await answer(here, "late")
            await here.announce_control("/")
            await until(lambda: late.heard("control") == ["/"])
            assert late.heard("request") == []


async def test_a_load_is_a_reset_for_the_others(path: Path, tmp_path: Path) -> None:
    async with member(path) as here, member(path) as there, member(tmp_path / "other.db") as source:
        await submit(source, "a")
        await submit(there, "b")
        await here.load(await source.dump(), replace(STATE, seed="loaded"))
        await until(lambda: bool(there.heard("reset")))
        assert (await there.task("b"), await there.dump()) == (None, await source.dump())
        assert here.heard("state", "reset") == []


async def test_sinks_record_what_any_process_delivers(path: Path) -> None:
    async with member(path) as here, member(path) as there:
        for store in (here, there, here):
            await store.steering.deliver("app", Received(T0, {}, store.place.path.name))
        assert len((await there.steering.sinks())["app"].received) == 3


# other processes in earnest


@pytest.mark.parametrize(("task", "most"), [("spend", 10), ("fire", 3)])
async def test_four_processes_racing_get_exactly_what_there_is(path: Path, task: str, most: int) -> None:
    async with member(path) as store, AsyncExitStack() as stack:
        await store.change_account("studio", "acct_1", AccountChange(balance=10), T0)
        await store.steering.add_rule(lambda number: Rule(f"fault-{number}"))
        racing = [await stack.enter_async_context(other(task, path, str(number))) for number in range(4)]
        for process in racing:
            assert await process.says() == "ready"
        for process in racing:
            process.go()
        assert sum([int(await process.says()) for process in racing]) == most
        account = await store.account("studio", "acct_1")
        spent = 10 if task == "spend" else 0
        assert (account.balance, account.held, account.submissions) == (10 - spent, spent, spent)
        assert (await store.steering.rule_counts("fault-1")).fired == (3 if task == "fire" else 0)


async def test_what_a_killed_process_had_claimed_is_done_within_two_seconds(path: Path) -> None:
    async with member(path) as store:
        task = await submit(store, "done", due=T0)
        await store.settle(task, [callback(task)])
        await submit(store, "open", due=T0 + 1)
        async with other("claim", path, "0") as claiming:
            while await claiming.says() != "claimed":
                pass
            assert await store.claim_due(T0 + 100) is None
            await claiming.kill()
        store._watch._now = asyncio.get_running_loop().time
        began, found = asyncio.get_running_loop().time(), list[Event]()
        async with asyncio.timeout(5):
            while len(found) < 2:
                event = await store.claim_due(T0 + 100)
                found += [event] if event is not None else []
                await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() - began < 2.0
        assert found == [(T0, "attempt", "cb done"), (T0 + 1, "finish", "open")]
        assert [task.id for task in (await store.tasks(Wanted(), 9))[0]] == ["open", "done"]
