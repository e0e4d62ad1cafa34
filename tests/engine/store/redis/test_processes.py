"""Several processes on one server: what each may do, and what happens when one dies."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from engine.store.redis.shared import (
    STATE,
    Process,
    Rule,
    all_due,
    callback,
    ended_with_callback,
    planner,
    processes,
    submit,
    until,
    until_awaited,
)
from engine.world import T0, job
from mockserver.engine.callbacks import DOCUMENTED, Attempt, Outcome, State
from mockserver.engine.clock import ClockState, ServerState, monotonic, pause
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import AccountChange
from mockserver.engine.problems import Problem
from mockserver.engine.store import Pending, Wanted
from mockserver.engine.store.shared import INTERRUPTED
from mockserver.engine.store.steering import RuleCounts
from support.valkey import Valkey

pytestmark = pytest.mark.asyncio

OK = Outcome(200, 0.0)


# one ledger


async def test_what_one_process_does_the_others_have(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        task = await submit(here)
        assert (await there.task(task.id), await there.is_open(task.id)) == (task, True)
        assert await there.settle(task)
        assert not await here.settle(task)
        account = await here.account("studio", "acct_1")
        assert (account.balance, account.held, account.captured) == (975, 0, 25)
        assert [usage.task for usage in await here.usage("studio", "acct_1")] == [task]


async def test_a_second_process_goes_on_with_the_state_of_the_first(valkey: Valkey) -> None:
    url = valkey.url()
    first, second = Process(url), Process(url)
    other = ServerState(ClockState("real", T0 + 500, 2.0), "another", seeded=False, autojump=True)
    try:
        assert await first.begin_anew() is None
        found = await second.begin_anew(other)
        assert found is not None
        assert replace(found, clock=replace(found.clock, at=0.0)) == STATE
    finally:
        await first.close()
        await second.close()


async def test_generations_of_one_account_are_numbered_in_order_by_whichever_process(valkey: Valkey) -> None:
    async with processes(valkey, 3) as stores:
        asked = job(cost=1)
        tasks = await asyncio.gather(*[store.submit(asked, T0, planner()) for _ in range(30) for store in stores])
        expected = {planner()(asked, T0, number, 0).id for number in range(90)}
        assert {task.id for task in tasks} == expected
        assert (await stores[0].account("studio", "acct_1")).submissions == 90


async def test_an_account_that_others_hammer_gets_its_turn(valkey: Valkey) -> None:
    async with processes(valkey, 3) as (here, *others):
        done = False

        async def hammer(store: Process) -> None:
            while not done:
                await store.submit(job(cost=0), T0, planner())

        hammers = [asyncio.ensure_future(hammer(store)) for store in others for _ in range(8)]
        try:
            async with asyncio.timeout(20.0):
                for _ in range(20):
                    await here.submit(job(cost=0), T0, planner())
        finally:
            done = True
        await asyncio.gather(*hammers)


async def test_racers_over_several_processes_spend_exactly_what_there_is(valkey: Valkey) -> None:
    async with processes(valkey, 4) as stores:
        await stores[0].change_account("studio", "acct_1", AccountChange(balance=10), T0)

        async def spend(store: Process) -> bool:
            try:
                await store.submit(job(cost=1), T0, planner())
            except Problem:
                return False
            return True

        bought = await asyncio.gather(*[spend(store) for _ in range(50) for store in stores])
        account = await stores[1].account("studio", "acct_1")
        assert (sum(bought), account.balance, account.held, account.submissions) == (10, 0, 10, 10)


async def test_calls_of_one_account_in_one_turn_cost_one_round_trip_each(valkey: Valkey) -> None:
    async with processes(valkey, 1) as (store,):
        planned = list[int]()

        def plan(*asked: object) -> object:
            planned.append(int(str(asked[2])))
            return planner()(*asked)  # type: ignore[arg-type]

        await asyncio.gather(*[store.submit(job(cost=0), T0, plan) for _ in range(20)])  # type: ignore[arg-type]
        assert planned == list(range(20))


# what is due


async def test_each_event_is_claimed_once(valkey: Valkey) -> None:
    async with processes(valkey, 2) as stores:
        tasks = [await submit(stores[0], cost=0) for _ in range(60)]
        claimed = await asyncio.gather(*[all_due(store) for store in stores for _ in range(4)])
        assert Counter(name for found in claimed for _, _, name in found) == Counter(task.id for task in tasks)
        assert all(claimed)


async def test_what_others_have_claimed_is_told_until_it_is_concluded(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        task = await submit(here)
        delivery = await ended_with_callback(here)
        await all_due(here)
        assert sorted(await there.claimed_elsewhere()) == sorted([task.id, delivery.id])
        assert await here.claimed_elsewhere() == []
        await here.settle(task)
        await here.update_delivery(delivery, delivery.concluded(Attempt(T0, OK), T0, DOCUMENTED))
        assert await there.claimed_elsewhere() == []


async def test_a_dead_process_is_relieved_within_two_seconds_and_its_attempt_made_again(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        dead = there
        task = await submit(dead)
        delivery = await ended_with_callback(dead)
        assert len(await all_due(dead)) == 2
        await pause(0.5)  # both have seen one another
        await dead.die()
        died = monotonic()
        await until_awaited(lambda: _pending(here, attempts=1), 3.0)
        assert monotonic() - died < 2.1
        lost = replace(delivery, attempts=(Attempt(T0, Outcome(None, 0.0, INTERRUPTED)),))
        assert await here.delivery(delivery.id) == lost
        assert await all_due(here) == [(T0, "attempt", delivery.id), (T0 + 10, "finish", task.id)]
        assert here.told("planned")


async def _pending(store: Process, attempts: int) -> bool:
    return (await store.pending()).attempts == attempts


async def test_a_process_that_was_only_slow_can_no_longer_conclude_its_attempt(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, slow):
        delivery = await ended_with_callback(slow)
        assert await slow.claim_due(T0) is not None
        await here._life.take_over(slow._database.me)
        concluded = delivery.concluded(Attempt(T0, OK), T0, DOCUMENTED)
        assert not await slow.update_delivery(delivery, concluded)
        event = await here.claim_due(T0)
        kept = await here.delivery(delivery.id)
        assert (event, kept and kept.state) == ((T0, "attempt", delivery.id), State.WAITING)


async def test_a_process_has_its_name_from_when_it_opens_its_store(valkey: Valkey) -> None:
    made = Process(valkey.url())
    before = made._database.process
    try:
        await made.begin_anew()
        assert made._database.process not in ("", before)
        assert made._database.me == f"{made._database.process}:1"
    finally:
        await made.close()


async def test_a_process_that_stops_gives_back_what_it_has_claimed(valkey: Valkey) -> None:
    url = valkey.url()
    here, leaving = Process(url), Process(url)
    try:
        await here.begin_anew()
        await leaving.begin_anew()
        task = await submit(leaving)
        assert await leaving.claim_due(T0 + 10) is not None
        await leaving.close()
        assert await here.claim_due(T0 + 10) == (T0 + 10, "finish", task.id)
    finally:
        await here.close()


async def test_a_claim_that_nobody_waited_for_is_given_back(valkey: Valkey) -> None:
    async with processes(valkey, 1) as (store,):
        task = await submit(store)
        claim = asyncio.ensure_future(store.claim_due(T0 + 10))
        await asyncio.sleep(0)
        claim.cancel()
        await asyncio.gather(claim, return_exceptions=True)
        await until_awaited(lambda: _due(store, T0 + 10))
        assert await store.claim_due(T0 + 10) == (T0 + 10, "finish", task.id)


async def test_ends_are_claimed_many_at_once_in_order(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        tasks = [await submit(here, cost=0, due=T0 + 10 - place % 2) for place in range(50)]
        expected = [(task.due, "finish", task.id) for task in sorted(tasks, key=lambda task: task.due)]
        first, second, third = [await store.claim_ends(T0 + 10) for store in (here, there, here)]
        assert [*first, *second] == expected
        assert (len(first), third, await here.claim_ends(T0 + 8)) == (32, [], [])
        assert not here.may_be_due(T0 + 100)


async def _due(store: Process, instant: float) -> bool:
    return await store.next_due() == instant


# advances


async def test_one_process_at_a_time_advances(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        assert [await here.begin_advance(), await there.begin_advance()] == [True, False]
        await there.end_advance()
        assert not await there.begin_advance()
        await here.end_advance()
        assert await there.begin_advance()


async def test_while_one_advances_others_get_nothing_but_ends_that_a_call_asks_for(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        task = await submit(here)
        delivery = await ended_with_callback(here)
        await here.begin_advance()
        assert await all_due(there) == []
        assert await there.claim_ends(T0 + 10) == [(T0 + 10, "finish", task.id)]
        assert await all_due(here) == [(T0, "attempt", delivery.id)]


async def test_an_advance_stops_at_the_alarms_of_others_after_what_is_due_then(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        task = await submit(here)
        await there.plan_alarm(T0 + 10, "1")
        await there.plan_alarm(T0 + 4, "2")
        await there.plan_alarm(T0 + 5, "3")
        await there.drop_alarm("3")
        await here.plan_alarm(T0 + 1, "1")
        assert await here.next_due() == T0 + 10
        assert await there.claim_due(T0 + 9) is None
        await here.begin_advance()
        assert await all_due(here) == [(T0 + 4, "alarm", "2"), (T0 + 10, "finish", task.id), (T0 + 10, "alarm", "1")]


async def test_an_advance_of_a_dead_process_ends_with_it(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, dead):
        await dead.plan_alarm(T0 + 1, "1")
        await dead.begin_advance()
        await pause(0.5)
        await dead.die()
        await until_awaited(here.begin_advance, 2.5)
        assert await here.claim_due(T0 + 9) is None


# what is in force


async def test_what_one_process_puts_in_force_the_others_have_with_their_next_request(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        rule = await here.steering.add_rule(lambda number: Rule(f"fault-{number}"))
        await here.steering.change_routes(lambda routes: (("http://a", "http://b"), *routes))
        await there.count_request("studio", "acct_1")
        assert (there.steering.rules(), there.steering.routes()) == ((rule,), (("http://a", "http://b"),))
        other = await there.steering.add_rule(lambda number: Rule(f"fault-{number}"))
        assert other.id == "fault-2"
        await here.refresh()
        assert here.steering.rules() == (rule, other)
        await there.steering.remove_rules({"fault-1"})
        await here.count_request("studio", "")
        assert here.steering.rules() == (other,)


async def test_a_rule_for_three_times_fires_three_times_in_all(valkey: Valkey) -> None:
    async with processes(valkey, 2) as stores:
        await stores[0].steering.add_rule(lambda number: Rule("fault"))
        await stores[1].refresh()

        def fires(counts: RuleCounts) -> bool:
            return counts.fired < 3

        matches = [store.steering.count_match("fault", fires) for _ in range(40) for store in stores]
        fired = await asyncio.gather(*matches)
        assert sum(fired) == 3
        assert await stores[1].steering.rule_counts("fault") == RuleCounts(80, 3)


async def answer(store: Process, name: str) -> None:
    """Take a request and answer it."""
    entry = Exchange(name, T0, "studio", "acct_1", "GET", "/", {})
    await store.open_entry(entry)
    await store.close_entry(entry, replace(entry, status=200))


async def test_requests_are_told_only_while_a_living_process_watches(valkey: Valkey) -> None:
    async with processes(valkey, 3) as (here, there, dying):
        await answer(here, "before")
        await there.watch(True)
        await here.reset(STATE)
        await answer(here, "watched")
        await there.watch(False)
        await answer(here, "after")
        await until(lambda: there.told("request"))
        await dying.watch(True)
        await dying.begin_advance()
        await dying.die()
        await until_awaited(here.begin_advance, 2.5)
        await answer(here, "late")
        await here.announce_control("/")
        await until(lambda: there.told("control"))
        assert there.told("request") == ["watched"]


async def test_changes_of_one_process_are_told_to_the_others(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        await there.watch(True)
        task = await submit(here)
        delivery = await ended_with_callback(here)
        await here.update_delivery(delivery, delivery.concluded(Attempt(T0, OK), T0, DOCUMENTED))
        entry = Exchange("r1", T0, "studio", "acct_1", "GET", "/", {})
        await here.open_entry(entry)
        await here.close_entry(entry, replace(entry, status=200))
        await here.announce_control("/_mock/faults")
        await here.put_clock(ClockState("virtual", T0 + 7, 0.0))
        gone = await here.reset_account("acct_1")
        renewed = replace(STATE, seed="renewed")
        await here.reset(renewed)
        await until(lambda: there.told("reset"))
        assert [there.told(kind) for kind in ("ended", "attempt", "request", "control", "forgotten")] == [
            [delivery.task_id],
            [delivery.id],
            ["r1"],
            ["/_mock/faults"],
            ["acct_1"],
        ]
        forgotten = next(change for change in there.changes if change.kind == "forgotten")
        assert sorted(forgotten.task_ids) == sorted(gone) == sorted([task.id, delivery.task_id])
        states = [change.state for change in there.changes if change.kind in ("state", "reset")]
        assert [state.clock.instant for state in states if state][:1] == [T0 + 7]
        assert [state.seed for state in states if state][-1] == "renewed"
        await pause(0.05)
        assert [change for change in here.changes if change.kind != "planned"] == []


async def test_one_process_alone_writes_no_changes(valkey: Valkey) -> None:
    async with processes(valkey, 1) as (store,):
        await store.settle(await submit(store))
        assert await store._database.command("EXISTS", f"{store._database.root}:changes") == 0


async def test_what_was_loaded_by_one_process_the_others_have(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there), processes(valkey, 1) as (other,):
        task = await submit(other)
        rule = await other.steering.add_rule(lambda number: Rule("fault"))
        await submit(there, account="acct_2")
        await here.load(await other.dump(), replace(STATE, seed="loaded"))
        await until(lambda: there.told("reset"))
        assert (await there.tasks(Wanted(), 9))[0] == [task]
        assert (there.steering.rules(), await there.pending()) == ((rule,), Pending(1, 0, 0))


async def test_the_clock_runs_by_the_time_of_the_server_alone(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    url = valkey.url()
    real = ServerState(ClockState("real", T0, 2.0), "test", seeded=True, autojump=False)
    first, second = Process(url), Process(url)
    try:
        await first.begin_anew(real)
        began = monotonic()
        await pause(0.2)
        monkeypatch.setattr("mockserver.engine.clock.time.time", lambda: 3.0)  # a host whose clock is wrong by decades
        found = await second.begin_anew(STATE)
        shown = T0 + 2.0 * (monotonic() - began)
        assert found is not None
        assert found.clock.mode == "real"
        assert abs(found.clock.instant - shown) < 0.1
    finally:
        await first.close()
        await second.close()


async def test_a_reset_leaves_no_keys_of_before(valkey: Valkey) -> None:
    async with processes(valkey, 1) as (store,):
        await ended_with_callback(store)
        await store.steering.put_sink("app")
        old = (await store._database.command("HGET", store._database.root, "generation")).decode()
        await store.reset(STATE)
        await until_awaited(lambda: _no_keys(store, f"{store._database.root}:{old}:*"))
        await until_awaited(lambda: _no_keys(store, f"{store._database.root}:old"))


async def _no_keys(store: Process, pattern: str) -> bool:
    return not await store._database.command("KEYS", pattern)


async def test_a_request_that_is_being_answered_is_seen_here_as_its_handler_has_filled_it_in(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        exchange = Exchange("r1", T0, "studio", "acct_1", "GET", "/", {})
        await here.open_entry(exchange)
        exchange.hung_up = 0.3
        for seen in (await here.entry("r1"), (await here.entries(Wanted(), 9))[0][0]):
            assert seen is not exchange
            assert seen == exchange
        other = await there.entry("r1")
        assert other is not None
        assert other.hung_up is None
        await here.reset_account("acct_1")
        await there.open_entry(replace(exchange, hung_up=None))
        assert await here.entry("r1") == replace(exchange, hung_up=None)


async def test_no_api_key_is_written(valkey: Valkey) -> None:
    async with processes(valkey, 1) as (store,):
        secret = "sk_very_secret_key"
        entry = Exchange("r1", T0, "studio", "acct_1", "POST", f"/?k={secret}", {"Authorization": f"Bearer {secret}"})
        await store.open_entry(entry)
        task = await submit(store, prompt=f"my key is {secret}", trace_id=secret, request=secret.encode())
        found = await store.traced("studio", "acct_1", secret)
        assert (found and found.id) == task.id
        await store.settle(task, [callback(task)])
        await store.close_entry(entry, replace(entry, body=secret.encode(), response=secret.encode(), status=200))
        await store._database.command("CONFIG", "SET", "rdbcompression", "no")
        for name in await store._database.command("KEYS", f"{store._database.root}*"):
            dumped = await store._database.command("DUMP", name)
            assert secret.encode() not in dumped, name


async def test_all_keys_begin_with_the_same_braces_which_is_one_slot_of_a_cluster(valkey: Valkey) -> None:
    store = Process(f"redis://127.0.0.1:{valkey.port}/9?prefix=alone")
    try:
        await store.begin_anew()
        await ended_with_callback(store)
        await store.steering.put_sink("app")
        names = await store._database.command("KEYS", "*")
        assert len(names) > 15
        assert [name for name in names if not name.startswith((b"{alone}", b"{alone}:"))] == []
    finally:
        await store.close()


async def test_more_is_claimed_up_to_an_alarm_of_another_process_and_never_while_one_advances(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        tasks = [await submit(here, cost=0, due=T0 + number) for number in range(5)]
        await there.plan_alarm(T0 + 2, "1")
        await here.begin_advance()
        assert await there.claim_more("finish", T0 + 9, 9) == []
        assert [name for _, _, name in await here.claim_more("finish", T0 + 9, 9)] == [task.id for task in tasks[:3]]
        assert await here.claim_due(T0 + 9) == (T0 + 2, "alarm", "1")
        assert [name for _, _, name in await here.claim_more("finish", T0 + 9, 1)] == [tasks[3].id]
