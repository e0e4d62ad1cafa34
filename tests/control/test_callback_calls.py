"""/_mock/callbacks: deliveries as objects, with every attempt; waited for, and made again."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import httpx
import pytest

from control.steer import (
    APP,
    CALLING_BACK,
    T0,
    add,
    advance,
    ask,
    attempts,
    callbacks,
    called_back,
    defects,
    idle,
    later,
    received,
    refused,
    route_app,
    script,
    sink_url,
    submit,
    until,
)
from support.calls import Caller
from support.receiver import receiver
from support.scene import Scene

Serve = Callable[..., Scene]


@pytest.fixture(params=CALLING_BACK)
def provider(request: pytest.FixtureRequest) -> str:
    """Each provider that calls back."""
    return str(request.param)


# attempts, by a sink's script


@pytest.mark.parametrize(
    ("responses", "made", "state"),
    [
        ([], [(20, 200)], "delivered"),
        ([201], [(20, 201)], "delivered"),
        ([204], [(20, 204)], "delivered"),
        ([500], [(20, 500), (21, 200)], "delivered"),
        ([500, 404], [(20, 500), (21, 404), (23, 200)], "delivered"),
        ([301, 301, 301], [(20, 301), (21, 301), (23, 301), (27, 200)], "delivered"),
        ([500] * 4, [(20, 500), (21, 500), (23, 500), (27, 500)], "gave_up"),
        ([500] * 9, [(20, 500), (21, 500), (23, 500), (27, 500)], "gave_up"),
        ([100, 429], [(20, 100), (21, 429), (23, 200)], "delivered"),
        ([{"status": 500, "delay": 2}], [(20, 500), (23, 200)], "delivered"),
        ([{"delay": 9.999}], [(20, 200)], "delivered"),
        ([{"delay": 10}], [(20, None), (31, 200)], "delivered"),
        ([{"delay": 11}, {"delay": 86_400}], [(20, None), (31, None), (43, 200)], "delivered"),
        ([{"delay": 10}] * 4, [(20, None), (31, None), (43, None), (57, None)], "gave_up"),
    ],
)
def test_attempts_by_script(slow: Scene, provider: str, responses: list[Any], made: Any, state: str) -> None:
    script(slow, *responses)
    called_back(slow, provider)
    idle(slow)
    (delivery,) = callbacks(slow)
    assert (attempts(delivery), delivery["state"], delivery["next_attempt"]) == (made, state, None)


@pytest.mark.parametrize(
    ("delay", "duration", "status", "error"),
    [
        (0, 0, 200, None),
        (9.5, 9.5, 200, None),
        (10, 10, None, "no answer within 10 s"),
        (60, 10, None, "no answer within 10 s"),
    ],
)
def test_a_sinks_delay_is_the_attempts_duration_by_the_clock(
    slow: Scene, delay: float, duration: float, status: int | None, error: str | None
) -> None:
    script(slow, {"delay": delay})
    called_back(slow)
    idle(slow)
    shown = callbacks(slow)[0]["attempts"][0]
    assert shown == {"time": T0 + 20, "status": status, "duration": duration, "error": error, "response": ""}


def test_an_attempt_under_way_is_no_attempt_yet(slow: Scene) -> None:
    script(slow, {"delay": 8})
    called_back(slow)
    advance(slow, 27.9)
    (delivery,) = callbacks(slow)
    assert (delivery["state"], delivery["attempts"], delivery["next_attempt"]) == ("waiting", [], T0 + 28)
    assert [time for time, _ in received(slow)] == [20]
    advance(slow, 0.1)
    assert callbacks(slow)[0]["state"] == "delivered"


def test_every_attempt_is_sent_the_same_body_which_is_the_one_shown(slow: Scene, provider: str) -> None:
    script(slow, 500, 500, 500)
    name = called_back(slow, provider)
    idle(slow)
    (delivery,) = callbacks(slow)
    assert received(slow) == [(time, delivery["body"]) for time in (20, 21, 23, 27)]
    assert name in (delivery["body"].get("task_id"), delivery["body"].get("id"))


def test_a_delivery_as_a_whole(slow: Scene) -> None:
    name = called_back(slow, "evolink")
    idle(slow)
    (delivery,) = callbacks(slow)
    assert delivery == {
        "id": delivery["id"],
        "task_id": name,
        "provider": "evolink",
        "account": slow.mock(f"tasks/{name}")["account"],
        "target": f"{APP}/app",
        "routed": sink_url(slow),
        "state": "delivered",
        "created": T0 + 20,
        "next_attempt": None,
        "attempts": [{"time": T0 + 20, "status": 200, "duration": 0.0, "error": None, "response": ""}],
        "body": delivery["body"],
    }
    assert ask(slow, "GET", f"callbacks/{delivery['id']}") == delivery
    assert slow.mock(f"tasks/{name}")["callback"] == delivery["id"]


def test_no_callback_before_the_task_has_ended(slow: Scene, provider: str) -> None:
    called_back(slow, provider)
    advance(slow, 19.999)
    assert callbacks(slow) == []
    advance(slow, 0.001)
    assert len(callbacks(slow)) == 1


def test_a_failed_task_calls_back_too(slow: Scene, provider: str) -> None:
    called_back(slow, provider, prompt="[mock:fail]")
    idle(slow)
    ((_, body),) = received(slow)
    assert body.get("success") is False or body["status"] == "failed"


def test_a_cancelled_task_calls_back_at_once_and_once(slow: Scene) -> None:
    name = called_back(slow, "evolink")
    advance(slow, 5)
    Caller(slow, "evolink", "sk_key").post(f"/v1/tasks/{name}/cancel", {})
    idle(slow)
    ((time, body),) = received(slow)
    assert (time, body["error"]["code"]) == (5, "request_cancelled")


def test_a_receiver_that_is_down_is_tried_four_times_and_comes_back_too_late(serve: Serve) -> None:
    scene = serve()
    submit(Caller(scene, "xhuoapi", "k"), callback_url="http://127.0.0.1:9/hook")
    idle(scene)
    (delivery,) = callbacks(scene)
    assert attempts(delivery) == [(0, None), (1, None), (3, None), (7, None)]
    assert delivery["state"] == "gave_up"
    assert all(attempt["error"] for attempt in delivery["attempts"])


def test_a_receivers_answer_is_on_record(scene: Scene) -> None:
    with receiver(503) as app:
        submit(Caller(scene, "xhuoapi", "k"), callback_url=app.url)
        idle(scene)
    shown = [(attempt["status"], attempt["response"]) for attempt in callbacks(scene)[0]["attempts"]]
    assert shown == [(503, "ok"), (200, "ok")]


# filters, waiting, redelivery


def test_callbacks_are_filtered(scene: Scene) -> None:
    route_app(scene)
    script(scene, *[500] * 4)
    one = called_back(scene, "xhuoapi", "a")
    idle(scene)
    two = called_back(scene, "evolink", "b")
    idle(scene)

    def ids(**params: Any) -> list[str]:
        return [delivery["task_id"] for delivery in callbacks(scene, **params)]

    assert ids() == [one, two]
    assert ids(task_id=two) == ids(state="delivered") == ids(api_key="b") == ids(provider="evolink") == [two]
    assert ids(state="gave_up", api_key="a", task_id=one) == [one]
    assert ids(state="gave_up", api_key="b") == ids(task_id="nothing") == ids(state="lost") == []


@pytest.mark.parametrize("state", ["done", "WAITING", "gave up"])
def test_an_unknown_state_is_refused_by_naming_the_states(scene: Scene, state: str) -> None:
    message = refused(scene, "GET", f"callbacks?state={state}")
    assert all(name in message for name in ("waiting", "delivered", "gave_up", "captured", "lost"))


def test_wait_returns_when_the_outcome_is_there(slow: Scene, provider: str) -> None:
    name = called_back(slow, provider)
    with later(ask, slow, "GET", "callbacks", task_id=name, wait=5) as waiting:
        until(lambda: True)
        assert not waiting.done
        idle(slow)
        assert [one["state"] for one in waiting.result()["callbacks"]] == ["delivered"]


def test_wait_for_one_callback(slow: Scene) -> None:
    script(slow, 500)
    called_back(slow)
    advance(slow, 20)
    name = callbacks(slow)[0]["id"]
    with later(ask, slow, "GET", f"callbacks/{name}", wait=5) as waiting:
        advance(slow, 1)
        assert waiting.result()["state"] == "delivered"


def test_wait_gives_up_after_its_seconds_and_shows_what_there_is(slow: Scene) -> None:
    called_back(slow)
    started = monotonic()
    assert ask(slow, "GET", "callbacks", wait=0.1) == {"callbacks": [], "next": None}
    assert 0.1 <= monotonic() - started < 3


def test_wait_is_over_at_once_for_what_has_ended(slow: Scene) -> None:
    called_back(slow)
    idle(slow)
    started = monotonic()
    ask(slow, "GET", "callbacks", wait=30)
    ask(slow, "GET", f"callbacks/{callbacks(slow)[0]['id']}", wait=30)
    assert monotonic() - started < 3


def test_a_reset_ends_a_wait_for_a_callback_that_is_no_more(slow: Scene) -> None:
    script(slow, 500)
    called_back(slow)
    advance(slow, 20)
    name = callbacks(slow)[0]["id"]
    with later(slow.http.get, f"/_mock/callbacks/{name}", params={"wait": 1.5}) as waiting:
        ask(slow, "POST", "reset", {})
        started = monotonic()
        waiting.result()
        assert monotonic() - started < 1


@pytest.mark.parametrize("wait", ["soon", "-1", "61", "NaN", "inf"])
def test_waits_that_are_refused(scene: Scene, wait: str) -> None:
    assert "60" in refused(scene, "GET", f"callbacks?wait={wait}")


def test_redelivery_after_giving_up_begins_the_schedule_anew(slow: Scene, provider: str) -> None:
    script(slow, *[500] * 5)
    called_back(slow, provider)
    idle(slow)
    advance(slow, 100)
    name = callbacks(slow)[0]["id"]
    assert ask(slow, "POST", f"callbacks/{name}/redeliver")["state"] in ("waiting", "delivered")
    idle(slow)
    (delivery,) = callbacks(slow)
    before = [(20, 500), (21, 500), (23, 500), (27, 500)]
    assert (attempts(delivery), delivery["state"]) == ([*before, (127, 500), (128, 200)], "delivered")


def test_a_redelivery_may_give_up_again_after_four(slow: Scene) -> None:
    script(slow, *[500] * 8)
    called_back(slow)
    idle(slow)
    ask(slow, "POST", f"callbacks/{callbacks(slow)[0]['id']}/redeliver")
    idle(slow)
    (delivery,) = callbacks(slow)
    assert [time for time, _ in attempts(delivery)] == [20, 21, 23, 27, 27, 28, 30, 34]
    assert delivery["state"] == "gave_up"


def test_redelivery_of_a_captured_one_once_a_route_exists(serve: Serve) -> None:
    scene = serve()
    submit(Caller(scene, "evolink", "k"), callback_url=f"{APP}/app")
    scene.advance(0)
    (captured,) = callbacks(scene)
    assert (captured["state"], captured["routed"], captured["attempts"]) == ("captured", None, [])
    ask(scene, "POST", f"callbacks/{captured['id']}/redeliver")
    assert callbacks(scene)[0]["state"] == "captured"
    route_app(scene)
    done = ask(scene, "POST", f"callbacks/{captured['id']}/redeliver", wait=5)
    assert (done["state"], done["routed"]) == ("delivered", sink_url(scene))


def test_redelivery_of_a_delivered_one_sends_it_again(slow: Scene, provider: str) -> None:
    called_back(slow, provider)
    idle(slow)
    ask(slow, "POST", f"callbacks/{callbacks(slow)[0]['id']}/redeliver", wait=5)
    first, second = received(slow)
    assert first == second == (20, callbacks(slow)[0]["body"])


def test_redelivery_of_a_waiting_one_is_refused(slow: Scene) -> None:
    script(slow, 500)
    called_back(slow)
    advance(slow, 20)
    refused(slow, "POST", f"callbacks/{callbacks(slow)[0]['id']}/redeliver", status=409, code="still_waiting")


def test_redelivery_of_nothing(scene: Scene) -> None:
    refused(scene, "POST", "callbacks/cb_nothing/redeliver", status=404, code="not_found")


# what becomes of them besides


def test_the_default_is_to_send_nothing_off_this_machine(scene: Scene) -> None:
    submit(Caller(scene, "xhuoapi", "k"), callback_url="http://192.0.2.1/hook")
    scene.advance(0)
    assert [c["state"] for c in callbacks(scene)] == ["captured"]


def test_a_delivered_callback_says_so_while_others_are_lost(scene: Scene) -> None:
    add(scene, "callback_lost", {"api_key": "b"})
    names = {key: called_back(scene, key=key) for key in ("a", "b")}
    until(lambda: callbacks(scene, state="waiting") == [] and len(callbacks(scene)) == 2)
    assert callbacks(scene, state="lost")[0]["task_id"] == names["b"]
    assert callbacks(scene, state="delivered")[0]["task_id"] == names["a"]


def test_a_client_that_stops_waiting_is_no_defect(slow: Scene) -> None:
    called_back(slow)
    with pytest.raises(httpx.ReadTimeout):
        slow.http.get("/_mock/callbacks", params={"wait": 5}, timeout=0.05)
    idle(slow)
    assert defects(slow) == 0
