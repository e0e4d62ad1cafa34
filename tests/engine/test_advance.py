"""Advancing the clock: what falls due on its way runs in order, attempts of one instant side by side."""

import asyncio

import pytest

from engine.played import Away, Events, Pace, Play, after_a_while, crash, hang, listen, plan_soon, played
from engine.world import until
from mockserver.engine import attempts
from mockserver.engine import event_runner as event_runner_module
from mockserver.engine.attempts import Conclude
from mockserver.engine.clock import VirtualClock
from mockserver.engine.ends import MOST
from mockserver.engine.event_runner import Busy, EventRunner, Stopping
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import Schedule

pytestmark = pytest.mark.usefixtures("suspends")


@pytest.mark.asyncio
async def test_events_run_by_time_and_then_as_planned() -> None:
    play = Play()
    play.plan({"f5": 5.0, "f1": 1.0}, {"a1": 1.0, "a3": 3.0, "a9": 9.0})
    ran = await play.event_runner.advance(5.0)
    assert ran == play.seen
    assert ran == [(1.0, "finish", "f1"), (1.0, "attempt", "a1"), (3.0, "attempt", "a3"), (5.0, "finish", "f5")]
    assert (play.event_runner.clock.now(), play.schedule.next_due()) == (5.0, 9.0)


@pytest.mark.asyncio
async def test_an_alarm_runs_after_the_other_events_of_its_instant_and_is_not_listed() -> None:
    play = Play()
    play.event_runner.alarms.push(1.0, 0, 7)
    play.event_runner.alarms.push(2.0, 1, 8)
    play.plan({"end": 1.0}, {"attempt": 3.0})
    assert await play.event_runner.next_due() == 1.0
    assert await play.event_runner.advance(3.0) == [(1.0, "finish", "end"), (3.0, "attempt", "attempt")]
    assert play.names == ["end", "7", "8", "attempt"]


@pytest.mark.asyncio
async def test_one_advance_runs_what_its_events_plan() -> None:
    play = Play()
    play.then = {
        "task": lambda: play.schedule.plan_attempt(1.0, "first"),
        "first": lambda: play.schedule.plan_attempt(2.0, "retry"),
        "retry": lambda: play.schedule.plan_end(2.0, "other task"),
    }
    play.plan({"task": 1.0, "between": 1.5}, {})
    await play.event_runner.advance(2.0)
    assert play.seen == [
        (1.0, "finish", "task"),
        (1.0, "attempt", "first"),
        (1.5, "finish", "between"),
        (2.0, "attempt", "retry"),
        (2.0, "finish", "other task"),
    ]


@pytest.mark.asyncio
async def test_attempts_that_need_no_connection_keep_their_order() -> None:
    play = Play()
    play.plan({}, {"here 1": 1.0, "here 2": 1.0, "posted": 1.0})
    ran = await play.event_runner.advance(1.0)
    assert ran == play.seen
    assert play.names == ["here 1", "here 2", "posted", "planned by here 1", "planned by here 2"]


@pytest.mark.asyncio
async def test_an_advance_until_idle_runs_until_nothing_is_planned() -> None:
    play = Play()
    play.then = {"task": lambda: play.schedule.plan_attempt(100.0, "attempt")}
    play.plan({"task": 5.0}, {})
    assert await play.event_runner.advance(None) == [(5.0, "finish", "task"), (100.0, "attempt", "attempt")]
    assert play.event_runner.clock.now() == 100.0


@pytest.mark.asyncio
async def test_no_advance_goes_back() -> None:
    play = Play(VirtualClock(50.0))
    assert await play.event_runner.advance(20.0) == []
    assert play.event_runner.clock.now() == 50.0


@pytest.mark.asyncio
async def test_two_advances_at_once_queue() -> None:
    play = Play()
    play.then = {"a1": lambda: asyncio.sleep(0.01)}
    play.plan({"f15": 15.0}, {"a1": 1.0, "a5": 5.0})
    ran = await asyncio.gather(play.event_runner.advance(10.0), play.event_runner.advance(20.0))
    assert list(ran) == [[(1.0, "attempt", "a1"), (5.0, "attempt", "a5")], [(15.0, "finish", "f15")]]
    assert play.event_runner.clock.now() == 20.0


@pytest.mark.asyncio
async def test_an_advance_lets_others_have_a_turn() -> None:
    play, turns = Play(), [0]
    play.plan({str(n): 1.0 for n in range(1000)}, {})

    async def count() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await play.event_runner.advance(1.0)
    counting.cancel()
    assert turns[0] >= 4


@pytest.mark.asyncio
async def test_an_advance_waits_for_attempts_under_way() -> None:
    async with played() as play:
        play.then = {"slow": lambda: after_a_while(0.03, lambda: play.schedule.plan_attempt(1.0, "retry"))}
        play.plan({}, {"slow": 0.0})
        await until(lambda: play.names == ["slow"])
        assert await play.event_runner.advance(1.0) == [(1.0, "attempt", "retry")]


@pytest.mark.asyncio
async def test_break_off_ends_the_attempt_that_an_advance_waits_for() -> None:
    async with played() as play:
        ended: list[str] = []
        play.then = {"hangs": lambda: hang(ended)}
        play.plan({}, {"hangs": 1.0, "next": 2.0})
        advancing = asyncio.create_task(play.event_runner.advance(5.0))
        await until(lambda: play.names == ["hangs"])
        await play.event_runner.cancel_attempts()
        await advancing
    assert (ended, play.event_runner.clock.now()) == (["cancelled"], 5.0)


@pytest.mark.asyncio
async def test_an_attempt_is_not_left_behind_when_its_advance_is_cancelled() -> None:
    async with played() as play:
        ended: list[str] = []
        play.then = {"hangs": lambda: hang(ended)}
        play.plan({}, {"hangs": 1.0})
        advancing = asyncio.create_task(play.event_runner.advance(5.0))
        await until(lambda: play.names == ["hangs"])
        advancing.cancel()
        await asyncio.wait({advancing})
        await play.event_runner.cancel_attempts()
        left = [other for other in asyncio.all_tasks() if other is not asyncio.current_task()]
        for other in left:
            other.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    assert left == []


@pytest.mark.asyncio
async def test_an_advance_under_way_leaves_the_time_after_a_restart_alone() -> None:
    async with played() as play:
        released = asyncio.Event()
        play.then = {"hangs": lambda: asyncio.Event().wait(), "hangs too": lambda: released.wait()}
        play.plan({}, {"hangs": 1.0, "hangs too": 2.0})
        advancing = asyncio.create_task(play.event_runner.advance(500.0))
        await until(lambda: play.names == ["hangs"])
        await play.event_runner.cancel_attempts()
        play.forget()
        play.event_runner.restart(VirtualClock(0.0))
        play.plan({"after the restart": 100.0}, {})
        released.set()
        await advancing
        assert (play.event_runner.clock.now(), "after the restart" in play.names) == (0.0, False)


@pytest.mark.asyncio
async def test_an_advance_that_queued_before_a_restart_leaves_the_time_after_it_alone() -> None:
    async with played() as play:
        play.then = {"hangs": lambda: asyncio.Event().wait()}
        play.plan({}, {"hangs": 1.0})
        first = asyncio.create_task(play.event_runner.advance(5.0))
        await until(lambda: play.names == ["hangs"])
        queued = asyncio.create_task(play.event_runner.advance(500.0))
        await asyncio.sleep(0)
        await play.event_runner.cancel_attempts()
        play.forget()
        play.event_runner.restart(VirtualClock(0.0))
        await asyncio.gather(first, queued)
        assert play.event_runner.clock.now() == 0.0


@pytest.mark.asyncio
async def test_a_crash_in_an_advance_is_reported_and_stops_no_other(reported: list[str]) -> None:
    listen(reported)
    async with played() as play:
        play.then = {"crashes": crash}
        play.plan({"end": 3.0}, {"crashes": 1.0, "goes": 2.0})
        await play.event_runner.advance(5.0)
    assert (play.names, play.event_runner.clock.now()) == (["crashes", "goes", "end"], 5.0)
    assert reported == ["a callback attempt crashed: boom"]


@pytest.mark.asyncio
async def test_a_crash_of_an_attempt_without_a_connection_is_reported_too(reported: list[str]) -> None:
    def crash() -> None:
        raise RuntimeError("boom")

    async with played() as play:
        listen(reported)
        play.then = {"here it crashes": crash}
        play.plan({"end": 3.0}, {"here it crashes": 1.0, "goes": 2.0})
        await play.event_runner.advance(5.0)
    assert (play.names, play.event_runner.clock.now()) == (["here it crashes", "goes", "end"], 5.0)
    assert reported == ["a callback attempt crashed: boom"]


@pytest.mark.asyncio
async def test_a_receiver_that_advances_the_clock_is_told_that_it_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_runner_module, "PATIENCE", 0.03)

    async def advance() -> None:
        with pytest.raises(Busy):
            await play.event_runner.advance(9.0)

    async with played() as play:
        play.then = {"inline": advance, "in the background": advance}
        play.plan({}, {"inline": 1.0})
        await play.event_runner.advance(2.0)
        play.plan({}, {"in the background": 2.0})
        await until(lambda: len(play.seen) == 2)
        await play.event_runner.advance(3.0)
    assert play.seen == [(1.0, "attempt", "inline"), (2.0, "attempt", "in the background")]


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.asyncio
async def test_a_receiver_is_told_that_it_is_busy_while_other_attempts_come_and_go(
    monkeypatch: pytest.MonkeyPatch, inline: bool
) -> None:
    monkeypatch.setattr(event_runner_module, "PATIENCE", 0.1)
    told: list[float] = []

    async def advance() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(Busy):
            await play.event_runner.advance(9.0)
        told.append(loop.time() - began)

    async with played() as play:
        others = {f"other {n}": 1.0 for n in range(30)}
        play.then = {"receiver": advance, **{name: lambda: asyncio.sleep(0.07) for name in others}}
        play.plan({}, {**others, "receiver": 1.0})
        if inline:
            await play.event_runner.advance(1.0)
        else:
            play.event_runner.clock.move_to(1.0)
            play.event_runner.wake()
            await until(lambda: len(told) == 1)
    assert 0.09 < told[0] < 0.5


@pytest.mark.asyncio
async def test_a_receiver_that_names_its_callback_is_told_at_once() -> None:
    async def advance() -> None:
        with pytest.raises(Busy):
            await play.event_runner.advance(9.0, inside="cb")

    async with played() as play:
        play.then = {"cb": advance}
        play.plan({}, {"cb": 1.0})
        async with asyncio.timeout(1):
            await play.event_runner.advance(2.0)
            assert await play.event_runner.advance(3.0, inside="cb") == []


@pytest.mark.asyncio
async def test_attempts_of_one_instant_run_side_by_side_and_go_on_record_in_order() -> None:
    under_way, most, log = 0, 0, []
    running: dict[str, str] = {}

    async def attempt(name: str, _: float) -> Conclude:
        nonlocal under_way, most
        owner = name[0]
        assert owner not in running, "a receiver gets its callbacks one after the other"
        running[owner] = name
        log.append(f"begin {name}")
        under_way, most = under_way + 1, max(most, under_way + 1)
        await asyncio.sleep(0.02 if owner == "a" else 0.001)
        under_way -= 1
        del running[owner]
        return lambda: note(f"record {name}")

    async def note(line: str) -> None:
        log.append(line)

    async def receiver(name: str) -> str:
        return name[0]

    schedule = Schedule()
    runner = EventRunner(
        VirtualClock(0.0),
        Events(schedule),
        lambda name, _: note(f"end {name}"),
        attempt,
        lambda _: None,
        receiver,
    )
    names = ["a1", "b1", "a2", "b2", "c1"]
    for name in names:
        schedule.plan_attempt(1.0, name)
    schedule.plan_end(1.0, "task")
    schedule.plan_attempt(1.0, "d1")
    schedule.plan_attempt(2.0, "a3")
    ran = await runner.advance(5.0)
    assert [name for _, _, name in ran] == [*names, "task", "d1", "a3"]
    records = [line.split()[1] for line in log if not line.startswith("begin")]
    assert records == [*names, "task", "d1", "a3"]
    assert [line for line in log if line.startswith("begin a")] == ["begin a1", "begin a2", "begin a3"]
    assert most == 3
    assert log.index("record c1") < log.index("end task") < log.index("begin d1") < log.index("begin a3")


@pytest.mark.asyncio
async def test_no_more_attempts_are_under_way_than_allowed() -> None:
    under_way = most = 0

    async def hold() -> None:
        nonlocal under_way, most
        under_way, most = under_way + 1, max(most, under_way + 1)
        await asyncio.sleep(0.02)
        under_way -= 1

    play = Play()
    play.then = {str(n): hold for n in range(200)}
    play.plan({}, {str(n): 1.0 for n in range(200)})
    assert len(await play.event_runner.advance(1.0)) == 200
    assert most == attempts.SIDE_BY_SIDE == 64


@pytest.mark.asyncio
async def test_every_instant_that_an_advance_comes_to_is_told() -> None:
    play = Play()
    play.plan({"a": 1.0, "b": 2.0, "c": 2.0}, {"d": 3.0})
    await play.event_runner.advance(5.0)
    assert play.events.clocks == [1.0, 2.0, 3.0, 5.0]
    assert play.events.turns == ["begin", "end"]


@pytest.mark.asyncio
async def test_one_process_advances_at_a_time() -> None:
    play = Play()
    play.events.others_advance = 3
    play.plan({"a": 1.0}, {})
    assert [name for _, _, name in await play.event_runner.advance(5.0)] == ["a"]
    assert play.events.others_advance == -1


@pytest.mark.asyncio
async def test_an_advance_that_waits_for_another_process_ends_when_the_server_stops() -> None:
    play = Play()
    play.events.others_advance = 1_000_000
    advancing = asyncio.create_task(play.event_runner.advance(5.0))
    await until(lambda: play.events.others_advance < 999_999)
    play.event_runner.interrupt()
    with pytest.raises(Stopping):
        await advancing
    assert play.events.turns == ["end"]


@pytest.mark.asyncio
async def test_an_alarm_of_another_process_only_moves_the_clock() -> None:
    play = Play()
    play.events.alarms = [1.5]
    play.plan({"a": 1.0, "b": 2.0}, {})
    assert [name for _, _, name in await play.event_runner.advance(5.0)] == ["a", "b"]
    assert (play.names, play.events.clocks) == (["a", "b"], [1.0, 1.5, 2.0, 5.0])


@pytest.mark.asyncio
async def test_an_advance_runs_what_the_end_of_a_task_at_another_process_plans() -> None:
    play = Play()
    play.plan({"a": 1.0}, {})
    play.then = {"a": lambda: play.events.elsewhere.append("ends elsewhere")}
    advancing = asyncio.create_task(play.event_runner.advance(5.0))
    await until(lambda: play.names == ["a"])
    play.schedule.plan_attempt(1.0, "its callback")
    play.events.elsewhere.clear()
    await advancing
    assert play.names == ["a", "its callback"]


@pytest.mark.asyncio
async def test_an_attempt_at_another_process_that_hangs_makes_an_advance_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_runner_module, "PATIENCE", 0.05)
    play = Play()
    play.plan({"a": 1.0}, {})
    play.events.elsewhere = ["cb"]
    with pytest.raises(Busy):
        await play.event_runner.advance(5.0)
    with pytest.raises(Busy):
        await asyncio.wait_for(play.event_runner.advance(5.0, inside="cb"), 0.02)
    assert (play.seen, play.events.turns) == ([], [])
    play.events.elsewhere.clear()
    await play.event_runner.advance(5.0)
    assert play.names == ["a"]


@pytest.mark.asyncio
async def test_an_end_that_an_advance_has_claimed_is_run_though_the_advance_is_broken_off() -> None:
    async with played() as play:
        released = asyncio.Event()
        play.then = {"hangs": released.wait}
        play.plan({}, {"hangs": 1.0})
        play.schedule.plan_end(1.0, "a task")
        advancing = asyncio.create_task(play.event_runner.advance(5.0))
        await until(lambda: play.names == ["hangs"] and play.schedule.next_due() is None)
        advancing.cancel()
        await until(lambda: play.names == ["hangs", "a task"])
        released.set()


@pytest.mark.asyncio
async def test_on_a_shared_store_ends_that_plan_nothing_later_are_run_side_by_side() -> None:
    play = Play()
    play.plans = False
    ends: dict[str, float] = {f"{'here' if n % 3 else 'quiet'} {n}": 1.0 + n // 2 for n in range(200)}
    play.plan({**ends, "other": 50.0, "last": 70.0}, {"here between": 60.0})
    ran = await play.event_runner.advance(200.0)
    assert [event[0] for event in ran] == sorted(event[0] for event in ran)
    attempts = [name for name in ends if name.startswith("here")]
    expected = sorted([*ends.items(), ("other", 50.0), ("last", 70.0)], key=lambda end: end[1])
    assert [name for _, kind, name in ran if kind == "finish"] == [name for name, _ in expected]
    made = [name for _, kind, name in ran if kind == "attempt"]
    assert made == sorted(["here between", *attempts], key=lambda name: ends.get(name, 60.0))
    assert (60.0, "attempt", "here between") in play.seen
    assert [(time, what) for time, what, name in play.seen if name in ("other", "last")] == [
        (50.0, "finish"),
        (70.0, "finish"),
    ]
    told = len(play.events.clocks)
    assert told < 50 if Pace.suspends else told == 101
    assert len(ends) > 2 * MOST


@pytest.mark.asyncio
async def test_what_this_process_plans_meanwhile_for_sooner_is_run_first() -> None:
    play = Play()
    play.then = {"a": lambda: plan_soon(play)}
    play.plan({"a": 1.0}, {"here b": 9.0})
    ran = await play.event_runner.advance(10.0)
    assert [name for _, _, name in ran][:3] == ["a", "soon", "here b"]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("advances", [False, True])
@pytest.mark.asyncio
async def test_an_attempt_that_was_made_is_put_on_record_when_the_store_is_back(advances: bool) -> None:
    away, made, recorded = Away(3), [], []

    async def attempt(name: str, _: float) -> Conclude:
        made.append(name)
        return conclude

    async def conclude() -> None:
        away()
        recorded.append("a")

    async def end(name: str, _: float) -> None:
        raise AssertionError(name)

    schedule = Schedule()
    schedule.plan_attempt(0.0, "a")
    runner = EventRunner(VirtualClock(0.0), Events(schedule), end, attempt, lambda _: None)
    if advances:
        await runner.advance(1.0)
    runner.start()
    await until(lambda: recorded == ["a"])
    await runner.stop()
    assert made == ["a"]


@pytest.mark.usefixtures("soon")
@pytest.mark.asyncio
async def test_an_event_that_the_clock_can_not_be_moved_to_is_run_again() -> None:
    async with played() as play:
        play.plan({"a": 1.0}, {"b": 2.0})
        play.events.fails_clock = Away(1)
        with pytest.raises(StoreUnavailable):
            await play.event_runner.advance(5.0)
        await until(lambda: play.names == ["a"])
        await play.event_runner.advance(5.0)
        assert play.names == ["a", "b"]


@pytest.mark.usefixtures("soon")
@pytest.mark.asyncio
async def test_an_advance_that_the_store_fails_at_ends_and_what_it_had_claimed_is_run() -> None:
    async with played() as play:
        play.then = {"a": Away(1)}
        play.plan({"a": 1.0, "b": 2.0}, {})
        with pytest.raises(StoreUnavailable):
            await play.event_runner.advance(5.0)
        await until(lambda: play.names == ["a", "a"])
        await play.event_runner.advance(5.0)
        assert play.names == ["a", "a", "b"]
