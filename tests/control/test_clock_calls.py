"""GET and PUT /_mock/clock, POST /_mock/clock/advance: one clock that drives work."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from control.steer import (
    APP,
    CALLING_BACK,
    PROVIDERS,
    T0,
    add,
    advance,
    ask,
    attempts,
    callbacks,
    called_back,
    clock,
    defects,
    idle,
    later,
    received,
    refused,
    route_app,
    script,
    status,
    submit,
    until,
)
from mockserver.engine import event_runner
from mockserver.engine.tasks import Job
from support import web
from support.calls import Caller
from support.scene import Scene

Serve = Callable[..., Scene]
MODEL = "gpt-image-2-beta"
TEN_YEARS = 10 * 365 * 86_400


def test_a_virtual_clock_starts_at_a_fixed_instant_and_stands_still(scene: Scene) -> None:
    shown = {"now": T0, "mode": "virtual", "speed": 0.0, "autojump": False, "next_due": None}
    assert [ask(scene, "GET", "clock") for _ in range(3)] == [shown] * 3


def test_next_due_is_when_the_next_task_ends(serve: Serve) -> None:
    scene = serve(latency="20")
    submit(Caller(scene, "evolink", "k"))
    assert ask(scene, "GET", "clock")["next_due"] == T0 + 20


@pytest.mark.parametrize("body", [{"seconds": 7}, {"until": T0 + 7}, {"seconds": 7.0}])
def test_an_advance_moves_the_clock_so_far_and_no_further(scene: Scene, body: Any) -> None:
    answer = ask(scene, "POST", "clock/advance", body)
    assert answer == {
        "now": T0 + 7,
        "mode": "virtual",
        "speed": 0.0,
        "autojump": False,
        "next_due": None,
        "ran": [],
        "ran_total": 0,
    }


def test_an_advance_lists_what_ran_in_order_with_its_time(serve: Serve) -> None:
    scene = serve(latency="5")
    route_app(scene)
    script(scene, 500, 500)
    first, second = called_back(scene), called_back(scene, "evolink")
    events = advance(scene, 7)
    one, two = callbacks(scene)
    assert (one["task_id"], two["task_id"]) == (first, second)
    assert events == [
        (5, "finish", first),
        (5, "finish", second),
        (5, "attempt", one["id"]),
        (5, "attempt", two["id"]),
        (6, "attempt", one["id"]),
        (6, "attempt", two["id"]),
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_task_ends_at_its_time_and_no_sooner(serve: Serve, provider: str) -> None:
    scene = serve(latency="20")
    caller = Caller(scene, provider, "sk_k")
    name = submit(caller)
    assert status(caller, name) == "pending"
    advance(scene, 19.999)
    assert status(caller, name) == "processing"
    assert advance(scene, 0.001) == [(20, "finish", name)]
    assert status(caller, name) == "completed"


def test_until_idle_runs_everything_and_stops_at_the_last_of_it(serve: Serve) -> None:
    scene = serve(latency="60")
    script(scene, 500, 500, 500, 500)
    called_back(scene)
    assert [time for time, _, _ in idle(scene)] == [60, 60, 61, 63, 67]
    assert clock(scene) == 67
    assert idle(scene) == []


def test_a_stuck_task_does_not_keep_idle_waiting(scene: Scene) -> None:
    add(scene, "task_stuck")
    name = submit(Caller(scene, "evolink", "k"))
    assert idle(scene) == []
    assert status(Caller(scene, "evolink", "k"), name) == "processing"


@pytest.mark.parametrize("seconds", [-1, -0.001, TEN_YEARS + 1, "NaN", "Infinity", None, [], "soon"])
def test_seconds_that_are_refused(scene: Scene, seconds: Any) -> None:
    assert refused(scene, "POST", "clock/advance", {"seconds": seconds})
    assert clock(scene) == 0


@pytest.mark.parametrize("until", [T0 - 1, 0, T0 + TEN_YEARS + 1, "NaN", "Infinity", "busy", True])
def test_instants_that_are_refused(scene: Scene, until: Any) -> None:
    assert refused(scene, "POST", "clock/advance", {"until": until})
    assert clock(scene) == 0


def test_ten_years_at_once_are_taken(scene: Scene) -> None:
    advance(scene, TEN_YEARS)
    assert clock(scene) == TEN_YEARS


@pytest.mark.parametrize("body", [{}, {"seconds": 1, "until": "idle"}, {"second": 1}, [1], {"seconds": 1, "x": 1}])
def test_an_advance_says_one_thing(scene: Scene, body: Any) -> None:
    assert refused(scene, "POST", "clock/advance", body)
    assert clock(scene) == 0


def test_an_unknown_field_is_refused_by_naming_the_known_ones(scene: Scene) -> None:
    message = refused(scene, "POST", "clock/advance", {"minutes": 1})
    assert "seconds" in message
    assert "until" in message


def test_a_cancelled_task_leaves_nothing_planned(serve: Serve) -> None:
    scene = serve(latency="100")
    evolink = Caller(scene, "evolink", "k")
    name = submit(evolink)
    evolink.post(f"/v1/tasks/{name}/cancel", {})
    assert ask(scene, "GET", "clock")["next_due"] is None
    assert idle(scene) == []
    assert clock(scene) == 0


def test_a_callback_that_was_overtaken_is_not_among_what_ran(scene: Scene) -> None:
    add(scene, "callback_reordered", times=1)
    called_back(scene, prompt="held")
    called_back(scene, prompt="ahead")
    until(lambda: all(delivery["state"] == "delivered" for delivery in callbacks(scene)))
    assert idle(scene) == []


def test_what_ran_names_tasks_and_callbacks_alone(scene: Scene) -> None:
    add(scene, "latency", fault={"seconds": 5})
    caller = Caller(scene, "evolink", "k")
    with later(caller.get, "/v1/credits") as call:
        until(lambda: ask(scene, "GET", "clock")["next_due"])
        events = advance(scene, 5)
        assert call.result().status_code == 200
    assert [name for _, _, name in events if name.startswith("alarm")] == []


# receivers that call back into the server


@contextmanager
def calling_receiver(work: Callable[[], Any]) -> Iterator[tuple[str, list[Any]]]:
    """A receiver that does something before it answers 200; its URL and what came of it."""
    results: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            results.append(work())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", results
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def post_advance(scene: Scene) -> httpx.Response:
    return web.post(f"{scene.root}/_mock/clock/advance", json={"seconds": 1}, timeout=5)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_runner, "PATIENCE", 0.05)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("latency", ["instant", "5"])
def test_a_receiver_that_advances_is_refused_and_nothing_hangs(serve: Serve, latency: str) -> None:
    scene = serve(latency=latency)
    with calling_receiver(lambda: post_advance(scene)) as (url, answers):
        submit(Caller(scene, "xhuoapi", "k"), callback_url=url)
        if latency != "instant":
            advance(scene, 5)
        until(lambda: callbacks(scene)[0]["state"] == "delivered")
    assert [answer.status_code for answer in answers] == [409]
    assert answers[0].json()["error"]["code"] == "advance_under_way"
    assert clock(scene) == (0 if latency == "instant" else 5)
    assert advance(scene, 1) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_receiver_may_poll_the_server_and_order_more(serve: Serve, provider: str) -> None:
    scene = serve(latency="5")
    other = Caller(scene, provider, "sk_other")

    def work() -> Any:
        with web.Client(base_url=scene.root, timeout=5) as http:
            return http.get("/_mock/tasks").json()["tasks"][0]["status"], clock(scene), submit(other)

    with calling_receiver(work) as (url, results):
        submit(Caller(scene, "xhuoapi", "k"), callback_url=url)
        advance(scene, 6)
    assert results == [("completed", 5, results[0][2])]
    assert status(other, results[0][2]) == "processing"
    advance(scene, 4)
    assert status(other, results[0][2]) == "completed"


@contextmanager
def delivering(scene: Scene) -> Iterator[Event]:
    """An advance of 8 s under way that stands at 5 s, where a receiver answers when the event is set."""
    reached, go = Event(), Event()

    def work() -> None:
        reached.set()
        go.wait(5)

    with calling_receiver(work) as (url, _):
        submit(Caller(scene, "xhuoapi", "k"), callback_url=url)
        with later(advance, scene, 8) as running:
            assert reached.wait(5)
            yield go
            go.set()
            running.result()


def test_two_advances_at_once_queue_and_both_count(serve: Serve) -> None:
    scene = serve(latency="5")
    with delivering(scene) as go, later(advance, scene, 10) as second:
        sleep(0.05)
        assert not second.done
        go.set()
        second.result()
    assert clock(scene) == 18


def test_an_advance_waits_until_the_receiver_has_answered(serve: Serve) -> None:
    scene = serve(latency="5")
    with delivering(scene):
        assert callbacks(scene)[0]["state"] == "waiting"
        assert clock(scene) == 5
    assert callbacks(scene)[0]["state"] == "delivered"


def test_a_reset_during_an_advance_ends_it_and_starts_afresh(serve: Serve) -> None:
    scene = serve(latency="5")
    with delivering(scene):
        ask(scene, "POST", "reset", {})
        assert clock(scene) == 0
    assert clock(scene) == 0
    assert callbacks(scene) == []
    assert idle(scene) == []
    assert defects(scene) == 0


def test_a_snapshot_restored_during_an_advance_is_what_holds(serve: Serve) -> None:
    scene = serve(latency="5")
    name = submit(Caller(scene, "evolink", "early"))
    saved = ask(scene, "GET", "snapshot")
    with delivering(scene):
        ask(scene, "PUT", "snapshot", saved)
    assert clock(scene) == 0
    assert idle(scene) == [(5, "finish", name)]


def test_the_clock_switches_to_real_during_an_advance(serve: Serve) -> None:
    scene = serve(latency="5")
    with delivering(scene):
        ask(scene, "PUT", "clock", {"mode": "real"})
    assert ask(scene, "GET", "clock")["mode"] == "real"
    assert 5 <= clock(scene) < 10
    assert defects(scene) == 0


# real receivers take no virtual time


def test_a_real_receivers_time_is_no_virtual_time(serve: Serve) -> None:
    scene = serve(latency="5")
    with calling_receiver(lambda: sleep(0.1)) as (url, _):
        submit(Caller(scene, "xhuoapi", "k"), callback_url=url)
        idle(scene)
    (attempt,) = callbacks(scene)[0]["attempts"]
    assert clock(scene) == 5
    assert attempt["time"] == T0 + 5
    assert 0.1 <= attempt["duration"] < 2


# switching


def test_the_time_goes_on_from_virtual_to_real_and_back(scene: Scene) -> None:
    advance(scene, 1_000)
    real = ask(scene, "PUT", "clock", {"mode": "real"})
    assert (real["mode"], real["speed"]) == ("real", 1.0)
    assert 1_000 <= real["now"] - T0 < 1_002
    back = ask(scene, "PUT", "clock", {"mode": "virtual"})
    assert 1_000 <= back["now"] - T0 < 1_002
    assert clock(scene) == round(back["now"] - T0, 6)


def test_a_real_clock_runs_several_times_faster(serve: Serve) -> None:
    scene = serve(latency="100")
    caller = Caller(scene, "evolink", "k")
    name = submit(caller)
    assert ask(scene, "PUT", "clock", {"mode": "real", "speed": 2_000})["speed"] == 2_000
    started = monotonic()
    until(lambda: status(caller, name) == "completed")
    assert monotonic() - started < 2
    assert clock(scene) >= 100


def test_callbacks_retry_by_a_fast_clock_on_their_own(serve: Serve) -> None:
    scene = serve(latency="1", clock="real")
    ask(scene, "PUT", "clock", {"speed": 500})
    script(scene, 500, 500, 500)
    called_back(scene)
    until(lambda: [c["state"] for c in callbacks(scene)] == ["delivered"])
    times = [time for time, _ in attempts(callbacks(scene)[0])]
    assert [round(b - a) for a, b in pairwise(times)] == [1, 2, 4]


def test_a_real_clock_can_be_advanced_too(serve: Serve) -> None:
    scene = serve(latency="100", clock="real")
    caller = Caller(scene, "evolink", "k")
    name = submit(caller)
    events = ask(scene, "POST", "clock/advance", {"seconds": 101})["ran"]
    assert [event["id"] for event in events] == [name]
    assert status(caller, name) == "completed"


def test_what_waited_for_the_virtual_clock_goes_on_by_real_time(serve: Serve) -> None:
    scene = serve(latency="50")
    with later(Caller(scene, "xhuoapi", "k").generate) as call:
        until(lambda: scene.mock("health")["pending"]["tasks"] == 1)
        ask(scene, "PUT", "clock", {"mode": "real", "speed": 2_000})
        assert call.result().status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "sundial"},
        {"speed": 2},
        {"mode": "virtual", "speed": 2},
        {"mode": "real", "speed": 0},
        {"mode": "real", "speed": -1},
        {"mode": "real", "speed": "NaN"},
        {"mode": "real", "speed": 1e9},
        {"autojump": "perhaps"},
        {"now": T0 + 5},
    ],
)
def test_changes_of_the_clock_that_are_refused(scene: Scene, body: Any) -> None:
    before = ask(scene, "GET", "clock")
    assert refused(scene, "PUT", "clock", body)
    assert ask(scene, "GET", "clock") == before


def test_a_change_of_nothing_changes_nothing(serve: Serve) -> None:
    scene = serve(clock="real")
    ask(scene, "PUT", "clock", {"speed": 5})
    shown = ask(scene, "PUT", "clock", {"mode": "real"})
    assert (shown["mode"], shown["speed"]) == ("real", 5)


# waiting calls


@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_with_autojump_a_waiting_call_moves_the_clock_itself(serve: Serve, provider: str) -> None:
    scene = serve(latency="80")
    ask(scene, "PUT", "clock", {"autojump": True})
    assert Caller(scene, provider, "sk_k").generate().status_code == 200
    assert clock(scene) == 80


def test_with_autojump_callbacks_due_on_the_way_are_made(serve: Serve) -> None:
    scene = serve(latency="30", autojump=True)
    called_back(scene, prompt="[mock:delay=10]")
    assert Caller(scene, "icodeeasy", "sk_k").generate().status_code == 200
    assert [time for time, _ in received(scene)] == [10]


@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_without_it_a_waiting_call_waits_until_the_clock_is_advanced(serve: Serve, provider: str) -> None:
    scene = serve(latency="80")
    with later(Caller(scene, provider, "sk_k").generate) as call:
        until(lambda: scene.mock("health")["pending"]["tasks"] == 1)
        advance(scene, 79)
        sleep(0.05)
        assert not call.done
        advance(scene, 1)
        assert call.result().status_code == 200


def test_many_waiting_calls_with_autojump_all_come_home(serve: Serve) -> None:
    scene = serve(latency="10-90", autojump=True)
    with ExitStack() as stack:
        callers = [Caller(scene, "icodeeasy", f"sk_{number}") for number in range(8)]
        calls = [stack.enter_context(later(caller.generate)) for caller in callers]
        assert [call.result().status_code for call in calls] == [200] * 8
    assert 10 <= clock(scene) <= 8 * 90


def test_a_reset_tells_a_waiting_call(serve: Serve) -> None:
    scene = serve(latency="80")
    with later(Caller(scene, "xhuoapi", "k").generate) as call:
        until(lambda: scene.mock("health")["pending"]["tasks"] == 1)
        ask(scene, "POST", "reset", {})
        assert call.result().status_code == 503


# volume


def test_a_day_with_a_hundred_thousand_events_takes_seconds(serve: Serve) -> None:
    scene = serve(latency="0-86400", seed="a day")
    engine, count = scene.server.app.engine, 50_000
    route_app(scene)
    work = Job("evolink", "acct_1", MODEL, "x", "1:1", 64, 64, 1, (1, 1), "http://x", callback_url=f"{APP}/app")

    async def order() -> None:
        for _ in range(count):
            await engine.submit(work)

    scene.server.run(order())
    with web.Client(base_url=scene.root, timeout=120) as http:
        started = monotonic()
        events = http.post("/_mock/clock/advance", json={"seconds": 86_400}).json()
        assert monotonic() - started < 30
    assert (events["ran_total"], len(events["ran"])) == (2 * count, 1000)
    times = [event["time"] for event in events["ran"]]
    assert times == sorted(times)
    assert {event["kind"] for event in events["ran"]} == {"finish", "attempt"}
    assert T0 <= times[0] <= times[-1] <= T0 + 86_400
    assert scene.server.run(engine.store.next_due()) is None


@pytest.mark.parametrize("provider", CALLING_BACK)
def test_others_are_served_while_a_long_advance_runs(serve: Serve, provider: str) -> None:
    scene = serve(latency="0-1000")
    route_app(scene)
    for number in range(30):
        submit(Caller(scene, provider, f"k{number}"), callback_url=f"{APP}/app")
    with later(idle, scene) as running:
        assert ask(scene, "GET", "clock")["mode"] == "virtual"
        assert len(running.result()) == 60
