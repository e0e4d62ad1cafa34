"""What a bound drops is counted where a reader looks, and what can't be meant is refused."""

from time import sleep

import pytest

from control.steer import ask, refused, steering_of
from mockserver.engine import sinks
from support.calls import Caller
from support.receiver import receiver
from support.scene import Scene


def test_what_a_sink_has_dropped_is_counted(scene: Scene) -> None:
    for _ in range(sinks.RECEIVED_KEPT + 2):
        scene.server.run(scene.server.app.engine.store.steering.deliver("app", sinks.Received(0.0, {}, "")))
    seen = ask(scene, "GET", "sink/app")
    assert (len(seen["received"]), seen["received_dropped"]) == (sinks.RECEIVED_KEPT, 2)


def test_of_all_sinks_the_newest_requests_are_kept(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering_of(scene), "RECEIPTS_KEPT", 4)
    for name in ("a", "b", "a", "c", "a", "b"):
        scene.http.post(f"/_mock/sink/{name}", json={"to": name})
    seen = {name: ask(scene, "GET", f"sink/{name}") for name in ("a", "b", "c")}
    assert {name: len(sink["received"]) for name, sink in seen.items()} == {"a": 2, "b": 1, "c": 1}
    assert {name: sink["received_dropped"] for name, sink in seen.items()} == {"a": 1, "b": 1, "c": 0}
    ask(scene, "PUT", "snapshot", ask(scene, "GET", "snapshot"))
    scene.http.post("/_mock/sink/c", json={})
    assert len(ask(scene, "GET", "sink/a")["received"]) == 1


def test_long_requests_to_sinks_are_bounded_by_their_length(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering_of(scene), "RECEIPTS_LENGTH", 250)
    for _ in range(5):
        scene.http.post("/_mock/sink/a", content=b"x" * 100)
    assert len(ask(scene, "GET", "sink/a")["received"]) == 2
    scene.http.post("/_mock/sink/b", content=b"x" * 1_000)
    assert [len(ask(scene, "GET", f"sink/{name}")["received"]) for name in ("a", "b")] == [0, 1]


def test_a_sink_set_up_again_has_nothing_of_before_to_drop(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering_of(scene), "RECEIPTS_KEPT", 2)
    for _ in range(2):
        scene.http.post("/_mock/sink/a", json={})
    ask(scene, "PUT", "sink/a", {})
    for _ in range(2):
        scene.http.post("/_mock/sink/a", json={})
    found = ask(scene, "GET", "sink/a")
    assert (len(found["received"]), found["received_dropped"]) == (2, 0)


def test_sinks_that_went_for_others_are_counted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering_of(scene), "SINKS_KEPT", 2)
    for name in ("a", "b", "c"):
        ask(scene, "PUT", f"sink/{name}", {})
    assert ask(scene, "GET", "health")["kept"]["sinks"]["dropped"] == 1


@pytest.mark.parametrize("noun", ["tasks", "callbacks", "requests", "accounts"])
def test_a_parameter_that_no_list_takes_is_refused(scene: Scene, noun: str) -> None:
    assert "api_key" in refused(scene, "GET", f"{noun}?apikey=sk_1")


@pytest.mark.parametrize(
    "match",
    [
        {"provider": "evolink", "path": "/v1/credits", "model": "gpt-image-2-beta"},
        {"provider": "evolink", "path": "/v1/credits", "prompt": "fox"},
        {"provider": "evolink", "path": "/v1/credits", "task_id": "task-unified-1-abcdefgh"},
        {"provider": "icodeeasy", "api_key": "without_its_sk"},
    ],
)
def test_a_rule_for_what_its_calls_do_not_have_is_refused(scene: Scene, match: dict[str, str]) -> None:
    refused(scene, "POST", "faults", {"match": match, "fault": {"type": "status"}}, code="bad_rule")


def test_an_advance_waits_for_a_slow_receiver(scene: Scene) -> None:
    with receiver(before=lambda: sleep(1.2)) as hook:
        Caller(scene, "xhuoapi", "k").generate(callback_url=hook.url)
        ask(scene, "POST", "clock/advance", {"seconds": 7})
        assert [callback["state"] for callback in ask(scene, "GET", "callbacks")["callbacks"]] == ["delivered"]
