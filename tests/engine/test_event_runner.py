"""Running due events as real time passes, in the background."""

import asyncio

import pytest

from engine.played import Away, Play, crash, hang, listen, played
from engine.world import until
from mockserver.engine import event_runner as event_runner_module
from mockserver.engine.clock import SystemClock, VirtualClock
from mockserver.engine.problems import StoreUnavailable

pytestmark = pytest.mark.usefixtures("suspends")


@pytest.mark.asyncio
async def test_real_time_runs_it_by_itself() -> None:
    async with played(SystemClock(0.0, speed=100.0)) as play:
        play.then = {"task": lambda: play.schedule.plan_attempt(2.0, "attempt")}
        play.plan({"later": 3.0, "task": 1.0}, {})
        await until(lambda: len(play.seen) == 3)
    due = {"task": 1.0, "attempt": 2.0, "later": 3.0}
    assert play.names.index("task") < play.names.index("attempt")
    assert all(time >= due.pop(name) for time, _, name in play.seen)
    assert due == {}


@pytest.mark.asyncio
async def test_an_earlier_event_planned_later_runs_in_time() -> None:
    async with played(SystemClock(0.0)) as play:
        play.plan({"in an hour": 3600.0}, {})
        play.plan({"soon": 0.02}, {})
        await until(lambda: play.names == ["soon"])


@pytest.mark.asyncio
async def test_real_time_goes_on_after_an_advance() -> None:
    async with played(SystemClock(0.0)) as play:
        play.plan({"far": 100.02}, {"near": 50.0})
        assert [name for _, _, name in await play.event_runner.advance(100.0)] == ["near"]
        await until(lambda: play.names == ["near", "far"])


@pytest.mark.asyncio
async def test_under_a_virtual_clock_what_is_due_now_runs_in_the_background() -> None:
    async with played() as play:
        play.plan({"now": 0.0, "later": 0.001}, {"at once": 0.0})
        assert play.seen == []
        await until(lambda: len(play.seen) == 2)
        await asyncio.sleep(0.01)
        assert play.seen == [(0.0, "finish", "now"), (0.0, "attempt", "at once")]


@pytest.mark.asyncio
async def test_attempts_in_the_background_do_not_wait_for_each_other() -> None:
    async with played() as play:
        play.then = {"hangs": lambda: asyncio.Event().wait()}
        play.plan({}, {"hangs": 0.0, "goes": 0.0})
        await until(lambda: play.names == ["hangs", "goes"])


@pytest.mark.asyncio
async def test_settle_runs_ends_and_never_attempts() -> None:
    play = Play(VirtualClock(10.0))
    play.plan({"due": 10.0, "later": 10.5}, {"attempt": 1.0})
    await play.event_runner.run_due()
    assert play.seen == [(10.0, "finish", "due")]


@pytest.mark.asyncio
async def test_before_start_and_after_stop_nothing_runs_by_itself() -> None:
    play = Play()
    play.plan({"a": 0.0}, {})
    await asyncio.sleep(0.01)
    assert play.seen == []
    play.event_runner.start()
    await play.event_runner.stop()
    await asyncio.sleep(0.01)
    assert play.seen == []


@pytest.mark.asyncio
async def test_break_off_ends_attempts_under_way() -> None:
    async with played() as play:
        ended: list[str] = []
        play.then = {"hangs": lambda: hang(ended)}
        play.plan({}, {"hangs": 0.0})
        await until(lambda: play.names == ["hangs"])
        await play.event_runner.cancel_attempts()
        assert ended == ["cancelled"]


@pytest.mark.asyncio
async def test_a_restart_goes_on_with_another_clock() -> None:
    async with played(SystemClock(0.0)) as play:
        play.plan({"an hour away": 3600.0}, {})
        play.event_runner.restart(SystemClock(3599.99))
        await until(lambda: play.names == ["an hour away"])


@pytest.mark.asyncio
async def test_a_crash_in_the_background_is_reported_and_stops_no_other(reported: list[str]) -> None:
    listen(reported)
    async with played() as play:
        play.then = {"crashes": crash}
        play.plan({}, {"crashes": 0.0, "goes": 0.0})
        await until(lambda: len(reported) == 1)
        play.plan({}, {"later": 0.0})
        await until(lambda: play.names == ["crashes", "goes", "later"])
    assert reported == ["a callback attempt crashed: boom"]


@pytest.mark.asyncio
async def test_an_end_that_crashes_is_reported_and_stops_no_other(reported: list[str]) -> None:
    def crash() -> None:
        raise RuntimeError("boom")

    listen(reported)
    async with played() as play:
        play.then = {"crashes": crash}
        play.plan({"crashes": 0.0, "goes": 0.0}, {"attempt": 0.0})
        await until(lambda: play.names == ["crashes", "goes", "attempt"])
        assert len(reported) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(("poll", "looks"), [(1_000.0, 1), (0.001, 5)])
async def test_what_is_due_and_for_another_process_is_looked_at_now_and_then(
    poll: float, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_runner_module, "POLL", poll)
    async with played() as play:
        play.events.withheld = 0.0
        await until(lambda: play.events.claims >= looks)
        for _ in range(100):
            await asyncio.sleep(0)
        assert looks > 1 or play.events.claims == 1
        monkeypatch.setattr(event_runner_module, "POLL", 0.001)
        play.event_runner.wake()
        play.events.withheld = None
        play.schedule.plan_end(0.0, "mine again")
        await until(lambda: play.names == ["mine again"])


@pytest.mark.usefixtures("soon")
@pytest.mark.asyncio
async def test_an_end_that_the_store_fails_at_is_run_again() -> None:
    async with played() as play:
        play.then = {"a": Away(2)}
        play.plan({"a": 0.0, "b": 0.0}, {})
        await until(lambda: play.names.count("a") == 3)
        await until(lambda: "b" in play.names)
        await asyncio.sleep(0.05)
        assert sorted(play.names) == ["a", "a", "a", "b"]


@pytest.mark.usefixtures("soon")
@pytest.mark.asyncio
async def test_an_end_that_the_store_fails_at_during_a_request_is_run_again() -> None:
    async with played() as play:
        play.then = {"a": Away(1)}
        play.schedule.plan_end(0.0, "a")
        with pytest.raises(StoreUnavailable):
            await play.event_runner.run_due()
        await until(lambda: play.names == ["a", "a"])


@pytest.mark.usefixtures("soon")
@pytest.mark.asyncio
async def test_an_attempt_that_the_store_fails_at_is_made_again() -> None:
    async def fail() -> None:
        away()

    away = Away(2)
    async with played() as play:
        play.then = {"a": fail}
        play.plan({}, {"a": 0.0})
        await until(lambda: play.names == ["a", "a", "a"])
