"""The engine end to end, without HTTP: submissions, money, ends, callbacks, and the same results for the same seed."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from engine import world
from engine.suspending import SuspendingStore
from engine.world import T0, ScriptedSender, Studio, at_once, hook, job, running, until
from mockserver.engine.callbacks import Delivery, DeliveryFault, State
from mockserver.engine.clock import Draw, SystemClock
from mockserver.engine.engine import Engine
from mockserver.engine.ledger import USAGE_KEPT, Account, Usage
from mockserver.engine.outbound import Routing
from mockserver.engine.problems import Kind, Problem, StoreUnavailable
from mockserver.engine.store import Bounds, Kept, Wanted
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.tasks import Failure, Status, Task

FAILED = Failure(Kind.FAILED, "service_error")


@pytest.fixture(autouse=True, params=[MemoryStore, SuspendingStore])
def kind_of_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds on a store that never suspends, and on one that lets others have a turn at each verb."""
    monkeypatch.setattr(world, "STORE", request.param)


async def amounts(engine: Engine, account: str = "acct_1") -> tuple[int, int, int]:
    """(balance, held, captured), checked to add up to the opening balance."""
    return amounts_of(await engine.store.account("studio", account))


def amounts_of(owner: Account) -> tuple[int, int, int]:
    assert owner.opening == owner.balance + owner.held + owner.captured
    return owner.balance, owner.held, owner.captured


async def pending(engine: Engine) -> tuple[int, int]:
    """How many tasks have not ended, and how many attempts are planned."""
    found = await engine.store.pending()
    return found.tasks, found.attempts


async def request_id(engine: Engine, account: str) -> str:
    """The id of a request that has arrived, of an account or of none."""
    return (await engine.open_exchange(account, "studio", account, "GET", "/", {})).id


async def advance(engine: Engine, seconds: float) -> list[tuple[float, str, str]]:
    """Advance the clock; returns the events that ran, with times counted from T0."""
    return [(due - T0, kind, name) for due, kind, name in await engine.event_runner.advance(engine.now() + seconds)]


@pytest.mark.asyncio
async def test_a_task_is_planned_at_submission() -> None:
    async with running() as engine:
        task = await engine.submit(job())
        assert task == Task(task.id, job(), T0, T0 + 10, T0 + 10, None)
        assert (await engine.find("studio", task.id), await engine.find("other", task.id)) == (task, None)
        assert await pending(engine) == (1, 0)


@pytest.mark.asyncio
@pytest.mark.parametrize("failure", [None, FAILED])
async def test_a_task_that_takes_no_time_ends_with_its_submission(failure: Failure | None) -> None:
    async with running() as engine:
        seen: list[Task] = []
        engine.task_observers.append(lambda task, _: seen.append(task))
        task = await engine.submit(job(delay=0.0, failure=failure))
        assert await amounts(engine) == ((1000, 0, 0) if failure else (975, 0, 25))
        assert (await pending(engine), await engine.event_runner.next_due(), seen) == ((0, 0), None, [task])
        assert await engine.wait(task) == task
        assert await advance(engine, 1) == []


@pytest.mark.asyncio
async def test_a_task_that_takes_no_time_and_has_a_callback_sends_it() -> None:
    async with hook() as receiver, running() as engine:
        task = await engine.submit(job(delay=0.0, callback_url=receiver.url))
        await until(lambda: len(receiver.posted) == 1)
        assert await engine.wait(task) == task
        assert (await amounts(engine), await pending(engine)) == ((975, 0, 25), (0, 0))


@pytest.mark.asyncio
async def test_a_task_that_takes_no_time_ends_later_if_the_store_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as engine:

        async def away(task: Task, deliveries: Sequence[Delivery]) -> bool:
            raise StoreUnavailable("the store is away")

        with monkeypatch.context() as patched:
            patched.setattr(engine.store, "settle", away)
            task = await engine.submit(job(delay=0.0))
            assert await amounts(engine) == (975, 25, 0)
        assert await engine.wait(task) == task
        assert await amounts(engine) == (975, 0, 25)


@pytest.mark.asyncio
async def test_money_is_held_and_then_captured() -> None:
    async with running() as engine:
        task = await engine.submit(job())
        assert await amounts(engine) == (975, 25, 0)
        await advance(engine, 9.999)
        assert await amounts(engine) == (975, 25, 0)
        assert await advance(engine, 0.001) == [(10.0, "finish", task.id)]
        assert await amounts(engine) == (975, 0, 25)
        assert list(await engine.store.usage("studio", "acct_1")) == [Usage(T0 + 10, task, 25)]
        assert await pending(engine) == (0, 0)


@pytest.mark.asyncio
async def test_a_failure_releases_the_money_and_costs_nothing() -> None:
    async with running() as engine:
        task = await engine.submit(job(failure=FAILED))
        await advance(engine, 10)
        assert task.status_at(engine.now()) is Status.FAILED
        assert await amounts(engine) == (1000, 0, 0)
        assert list(await engine.store.usage("studio", "acct_1")) == []


@pytest.mark.asyncio
async def test_a_refusal_for_balance_changes_nothing() -> None:
    async with running(opening=49) as engine:
        first = await engine.submit(job())
        with pytest.raises(Problem) as refusal:
            await engine.submit(job())
        assert refusal.value.kind is Kind.OUT_OF_BALANCE
        assert (await amounts(engine), await pending(engine)) == ((24, 25, 0), (1, 0))
        assert (await engine.store.kept())["tasks"].count == 1
        assert (await engine.store.account("studio", "acct_1")).submissions == 1
        assert await engine.find("studio", first.id) == first


@pytest.mark.asyncio
async def test_cancelling_releases_and_calls_back() -> None:
    async with running() as engine:
        engine.dispatcher.sender = ScriptedSender()
        task = await engine.submit(job(callback_url="http://127.0.0.1:9/hook"))
        await advance(engine, 3)
        cancelled = await engine.cancel(task)
        assert (cancelled.status_at(T0 + 3), cancelled.due) == (Status.FAILED, T0 + 3)
        assert await amounts(engine) == (1000, 0, 0)
        delivery = await engine.store.delivery_of(task.id)
        assert delivery is not None
        assert (delivery.created, await engine.find("studio", task.id)) == (T0 + 3, cancelled)
        await advance(engine, 60)
        delivery = await engine.store.delivery(delivery.id)
        assert delivery is not None
        assert (delivery.state, await amounts(engine)) == (State.DELIVERED, (1000, 0, 0))


@pytest.mark.asyncio
@pytest.mark.parametrize("failure", [None, FAILED])
async def test_an_ended_task_cannot_be_cancelled(failure: Failure | None) -> None:
    async with running() as engine:
        task = await engine.submit(job(failure=failure))
        await advance(engine, 10)
        before = await amounts(engine)
        with pytest.raises(Problem) as refusal:
            await engine.cancel(task)
        assert (refusal.value.kind, await amounts(engine)) == (Kind.CONFLICT, before)


@pytest.mark.asyncio
async def test_a_stuck_task_holds_its_money_until_it_is_cancelled() -> None:
    async with running() as engine:
        task = await engine.submit(job(stuck=True))
        await advance(engine, 10**6)
        assert (task.status_at(engine.now()), await amounts(engine)) == (Status.PROCESSING, (975, 25, 0))
        await engine.cancel(task)
        assert await amounts(engine) == (1000, 0, 0)


@pytest.mark.asyncio
async def test_waiting_ends_with_the_task_and_its_money() -> None:
    async with running() as engine:
        task = await engine.submit(job())
        waiting = [asyncio.create_task(engine.wait(task)) for _ in range(3)]
        await advance(engine, 9)
        assert not any(wait.done() for wait in waiting)
        await advance(engine, 1)
        await asyncio.wait_for(asyncio.gather(*waiting), 1)
        assert await amounts(engine) == (975, 0, 25)
        await asyncio.wait_for(engine.wait(task), 1)


@pytest.mark.asyncio
async def test_waiting_ends_when_the_task_is_cancelled() -> None:
    async with running() as engine:
        task = await engine.submit(job())
        waiting = asyncio.create_task(engine.wait(task))
        await asyncio.sleep(0)
        await engine.cancel(task)
        await asyncio.wait_for(waiting, 1)


@pytest.mark.asyncio
async def test_a_client_that_goes_away_changes_nothing() -> None:
    async with running() as engine:
        task = await engine.submit(job())
        waiting = asyncio.create_task(engine.wait(task))
        await asyncio.sleep(0)
        waiting.cancel()
        await advance(engine, 10)
        assert (task.status_at(engine.now()), await amounts(engine)) == (Status.COMPLETED, (975, 0, 25))


@pytest.mark.asyncio
async def test_an_instant_task_ends_by_itself_under_a_virtual_clock() -> None:
    async with running("instant") as engine:
        await asyncio.wait_for(engine.wait(await engine.submit(job())), 1)
        assert (engine.now(), await amounts(engine)) == (T0, (975, 0, 25))


@pytest.mark.asyncio
async def test_real_time_ends_tasks_by_itself() -> None:
    async with running(clock=lambda: SystemClock(T0, speed=200.0)) as engine:
        await asyncio.wait_for(engine.wait(await engine.submit(job())), 1)
        assert engine.now() >= T0 + 10
        assert await amounts(engine) == (975, 0, 25)


@pytest.mark.asyncio
async def test_a_requested_delay_is_exact() -> None:
    async with running("1-2") as engine:
        assert [(await engine.submit(job(delay=delay))).due - T0 for delay in (0.0, 2.5, 3600.0)] == [0.0, 2.5, 3600.0]


@pytest.mark.asyncio
async def test_a_range_of_latencies_is_kept() -> None:
    async with running("1-2", opening=10**6) as engine:
        durations = [round((await engine.submit(job())).due - T0, 3) for _ in range(100)]
    assert all(1 <= duration <= 2 for duration in durations)
    assert len(set(durations)) > 50


@pytest.mark.claim("EV-CB-2", "EV-CB-3", "EV-CB-5")
@pytest.mark.asyncio
async def test_at_delivery_the_task_has_ended_and_the_money_is_settled() -> None:
    async with hook(500) as receiver, running() as engine:
        task = await engine.submit(job(callback_url=receiver.url))
        assert await engine.store.delivery_of(task.id) is None
        states = []

        def amounts_now() -> tuple[int, int, int]:
            assert isinstance(engine.store, MemoryStore)
            return amounts_of(at_once(MemoryStore.account(engine.store, "studio", "acct_1")))

        engine.dispatcher.observers.append(lambda *_: states.append((task.status_at(engine.now()), amounts_now())))
        ran = await advance(engine, 60)
        delivery = await engine.store.delivery_of(task.id)
    assert delivery is not None
    assert [(due, kind) for due, kind, _ in ran] == [(10, "finish"), (10, "attempt"), (11, "attempt")]
    assert states == [(Status.COMPLETED, (975, 0, 25))] * 2
    assert (
        [posted.body for posted in receiver.posted] == [delivery.body] * 2 == [b'{"id": "%s"}' % task.id.encode()] * 2
    )


@pytest.mark.claim("EV-CB-4", "XH-CB-3")
@pytest.mark.asyncio
async def test_the_whole_schedule_in_one_advance() -> None:
    async with hook(500, 500, 500, 500) as receiver, running() as engine:
        task = await engine.submit(job(callback_url=receiver.url))
        ran = await advance(engine, 3600)
        delivery = await engine.store.delivery_of(task.id)
    assert delivery is not None
    assert ran == [(10, "finish", task.id), *((10.0 + at, "attempt", delivery.id) for at in (0, 1, 3, 7))]
    assert (delivery.state, [attempt.time - T0 for attempt in delivery.attempts]) == (State.GAVE_UP, [10, 11, 13, 17])


@pytest.mark.claim("EV-CB-2")
@pytest.mark.asyncio
@pytest.mark.parametrize("failure", [None, FAILED])
async def test_the_callback_is_sent_whatever_the_outcome(failure: Failure | None) -> None:
    async with hook() as receiver, running() as engine:
        await engine.submit(job(callback_url=receiver.url, failure=failure))
        await advance(engine, 10)
    assert len(receiver.posted) == 1


@pytest.mark.asyncio
async def test_the_first_attempt_is_made_in_the_background_at_once() -> None:
    async with hook() as receiver, running("instant") as engine:
        await engine.submit(job(callback_url=receiver.url))
        await until(lambda: len(receiver.posted) == 1)
        assert engine.now() == T0


@pytest.mark.asyncio
@pytest.mark.parametrize(("url", "port"), [(None, Studio()), ("http://127.0.0.1:9/", Studio(callback_body=None))])
async def test_without_a_callback_nothing_is_delivered(url: str | None, port: Studio) -> None:
    async with running(port=port) as engine:
        task = await engine.submit(job(callback_url=url))
        assert await advance(engine, 3600) == [(10.0, "finish", task.id)]
        assert (await engine.store.delivery_of(task.id), (await engine.store.kept())["callbacks"].count) == (None, 0)


@pytest.mark.claim("EV-CB-1")
@pytest.mark.asyncio
async def test_with_egress_a_provider_of_public_callbacks_connects_to_no_internal_address() -> None:
    async with (
        hook() as receiver,
        running(routing=Routing(egress=True), port=Studio(public_callbacks_only=True)) as engine,
    ):
        task = await engine.submit(job(callback_url=receiver.url))
        await advance(engine, 3600)
        delivery = await engine.store.delivery_of(task.id)
    assert delivery is not None
    assert (delivery.state, receiver.posted) == (State.GAVE_UP, [])
    assert {attempt.outcome.error for attempt in delivery.attempts} == {
        "127.0.0.1 is not an address this server connects to"
    }


async def results_of_calls(seed: str | None, *others: str) -> list[object]:
    """The results of one account's calls, with calls of `others` in between."""
    async with running("1-5", seed) as engine:
        seen: list[object] = []
        for _ in range(3):
            for other in others:
                await request_id(engine, other)
                await engine.submit(job(account=other))
            seen += [await request_id(engine, "acct_1"), await engine.submit(job())]
        return seen


@pytest.mark.asyncio
async def test_the_same_seed_gives_the_same_results() -> None:
    assert await results_of_calls("one") == await results_of_calls("one")
    assert await results_of_calls("one") != await results_of_calls("two")
    assert await results_of_calls(None) != await results_of_calls(None)


@pytest.mark.asyncio
async def test_calls_of_other_accounts_change_no_results() -> None:
    assert await results_of_calls("one", "acct_2", "") == await results_of_calls("one")


@pytest.mark.asyncio
async def test_request_ids_differ() -> None:
    async with running() as engine:
        ids = [await request_id(engine, account) for account in ("acct_1", "", "acct_2") for _ in range(50)]
    assert len(set(ids)) == 150


@pytest.mark.asyncio
async def test_a_request_without_a_key_opens_no_account() -> None:
    async with running() as engine:
        await request_id(engine, "")
        assert (await engine.store.kept())["accounts"].count == 0


@pytest.mark.asyncio
async def test_a_reset_forgets_everything_and_gives_the_same_results_again() -> None:
    async with running() as engine:
        first = [
            await request_id(engine, "acct_1"),
            await request_id(engine, ""),
            await engine.submit(job(trace_id="t")),
        ]
        await advance(engine, 100)
        await engine.reset()
        kept = await engine.store.kept()
        assert (engine.now(), await pending(engine), kept["tasks"].count, kept["accounts"].count) == (T0, (0, 0), 0, 0)
        assert await engine.store.traced("studio", "acct_1", "t") is None
        assert [
            await request_id(engine, "acct_1"),
            await request_id(engine, ""),
            await engine.submit(job(trace_id="t")),
        ] == first


@pytest.mark.asyncio
async def test_a_reset_ends_waiting_calls() -> None:
    async with running() as engine:
        waiting = asyncio.create_task(engine.wait(await engine.submit(job())))
        await asyncio.sleep(0)
        await engine.reset()
        await asyncio.wait_for(waiting, 1)


@pytest.mark.asyncio
async def test_a_reset_breaks_off_what_is_under_way() -> None:
    async with hook(None) as receiver, running("instant") as engine:
        await engine.submit(job(callback_url=receiver.url))
        await until(lambda: len(receiver.posted) == 1)
        await asyncio.wait_for(engine.reset(), 1)
        assert await advance(engine, 3600) == []


@pytest.mark.asyncio
async def test_an_advance_under_way_leaves_the_time_after_a_reset_alone() -> None:
    async with hook(None, None, None) as receiver, running() as engine:
        await engine.submit(job(callback_url=receiver.url))
        await engine.submit(job(callback_url=receiver.url, delay=20))
        advancing = asyncio.create_task(advance(engine, 500))
        await until(lambda: len(receiver.posted) == 1)
        await engine.reset()
        task = await engine.submit(job())
        await asyncio.wait({advancing}, timeout=0.05)
        await engine.event_runner.cancel_attempts()
        await advancing
        assert (engine.now(), task.status_at(engine.now()), await amounts(engine)) == (T0, Status.PENDING, (975, 25, 0))


@pytest.mark.asyncio
async def test_an_account_is_reset_alone() -> None:
    async with running() as engine:
        mine, other = await engine.submit(job()), await engine.submit(job(account="acct_2"))
        await engine.reset_account("acct_1")
        assert (await engine.find("studio", mine.id), await engine.find("studio", other.id)) == (None, other)
        assert (await amounts(engine), await amounts(engine, "acct_2")) == ((1000, 0, 0), (975, 25, 0))
        await advance(engine, 10)
        assert (await amounts(engine), await amounts(engine, "acct_2")) == ((1000, 0, 0), (975, 0, 25))


@pytest.mark.asyncio
async def test_a_task_of_the_same_name_after_a_reset_of_its_account_ends_at_its_own_time() -> None:
    async with running() as engine:
        old = await engine.submit(job())
        await advance(engine, 3)
        await engine.reset_account("acct_1")
        new = await engine.submit(job())
        assert (new.id, new.due) == (old.id, T0 + 13)
        await advance(engine, 9.999)
        assert await amounts(engine) == (975, 25, 0)
        await advance(engine, 0.001)
        assert await amounts(engine) == (975, 0, 25)


@pytest.mark.asyncio
async def test_only_the_newest_usage_is_kept_and_the_rest_counted() -> None:
    async with running("instant", opening=10**6) as engine:
        for _ in range(USAGE_KEPT + 5):
            await engine.submit(job())
        await advance(engine, 0)
        owner, usage = await engine.store.account("studio", "acct_1"), await engine.store.usage("studio", "acct_1")
        assert (len(usage), owner.usage_dropped, owner.captured) == (USAGE_KEPT, 5, 25 * (USAGE_KEPT + 5))


@pytest.mark.asyncio
async def test_only_tasks_that_have_ended_are_dropped() -> None:
    async with running(bounds=Bounds(tasks=2)) as engine:
        slow = await engine.submit(job(delay=1000))
        fast = []
        for _ in range(4):
            fast.append(await engine.submit(job(delay=1)))
            await advance(engine, 1)
        kept, _ = await engine.store.tasks(Wanted(), 10)
        assert (kept, (await engine.store.kept())["tasks"]) == ([fast[3], fast[2], slow], Kept(3, 2, 2))


@pytest.mark.asyncio
async def test_only_deliveries_that_have_ended_are_dropped() -> None:
    async with running("instant", bounds=Bounds(callbacks=1)) as engine:
        engine.dispatcher.sender = ScriptedSender()
        tasks = [await engine.submit(job(callback_url="http://127.0.0.1:9/")) for _ in range(3)]
        await advance(engine, 0)
        assert [await engine.store.delivery_of(task.id) is None for task in tasks] == [True, True, False]
        assert (await engine.store.kept())["callbacks"].dropped == 2


@pytest.mark.asyncio
async def test_beyond_the_bound_a_submission_is_refused_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(bounds=Bounds(tasks=2)) as engine:
        held = [await engine.submit(job(stuck=number == 1)) for number in range(2)]
        for _ in range(3):
            with pytest.raises(Problem, match="--keep-tasks") as refusal:
                await engine.submit(job())
            assert refusal.value.kind is Kind.UNAVAILABLE
        assert (await amounts(engine), [await engine.find("studio", task.id) for task in held]) == ((950, 50, 0), held)
        await advance(engine, 10)
        await engine.submit(job())
    assert caplog.messages == [
        "submissions are refused (503): 2 generations are under way, as many as --keep-tasks allows"
    ]


def few(*names: str) -> Callable[[Draw, float], str]:
    """Draws ids from these names alone."""
    return lambda draw, _: names[int(draw.fraction() * len(names))]


@pytest.mark.asyncio
async def test_an_id_that_is_taken_is_drawn_again() -> None:
    async with running("1", port=Studio(new_id=few(*"abcdefgh"))) as engine:
        ids = [(await engine.submit(job(account=f"acct_{number % 3}"))).id for number in range(6)]
        await advance(engine, 2)
        ids += [(await engine.submit(job())).id for _ in range(2)]
        assert sorted(ids) == list("abcdefgh")
        with pytest.raises(Problem, match="no task id is free") as refusal:
            await engine.submit(job())
        assert (refusal.value.kind, await amounts(engine)) == (Kind.UNAVAILABLE, (900, 50, 50))


@pytest.mark.asyncio
async def test_a_request_id_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Draw, "uuid", lambda draw: f"id-{int(draw.fraction() * 16)}")
    async with running(bounds=Bounds(requests=8)) as engine:
        for number in range(40):
            before = {entry.id for entry in (await engine.store.entries(Wanted(), 100))[0]}
            assert await request_id(engine, ("", "acct_1")[number % 2]) not in before


async def twice(_: Task) -> DeliveryFault:
    return DeliveryFault(copies=1)


@pytest.mark.asyncio
async def test_a_delivery_id_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Draw, "token", lambda draw, length: f"{int(draw.fraction() * 12)}")
    async with running("instant") as engine:
        engine.dispatcher.sender = ScriptedSender()
        engine.dispatcher.delivery_fault = twice
        tasks = [await engine.submit(job(callback_url="http://127.0.0.1:9/")) for _ in range(6)]
        await advance(engine, 0)
        found, _ = await engine.store.deliveries(Wanted(), 100)
        assert sorted(delivery.task_id for delivery in found) == sorted(2 * [task.id for task in tasks])
        assert len({delivery.id for delivery in found}) == 12


@pytest.mark.asyncio
async def test_stop_ends_at_once_though_a_receiver_hangs() -> None:
    async with hook(None) as receiver, asyncio.timeout(1), running("instant") as engine:
        await engine.submit(job(callback_url=receiver.url))
        await until(lambda: len(receiver.posted) == 1)
    assert len(receiver.posted) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("fraction", [0.1, 0.1234567, 0.0999998, 0.9999998, 0.5])
async def test_a_task_without_a_duration_ends_at_once_at_any_time(fraction: float) -> None:
    async with running() as engine:
        engine.clock.move_to(T0 + fraction)
        assert (await engine.submit(job(delay=0.0))).due == engine.now()
