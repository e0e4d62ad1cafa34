"""/_mock/sink: receivers with a script."""

from typing import Any

import pytest

from control.steer import (
    T0,
    advance,
    ask,
    callbacks,
    called_back,
    idle,
    later,
    received,
    refused,
    script,
    sink_url,
    steering_of,
    submit,
    until,
)
from support.calls import Caller
from support.scene import Scene


def test_a_sink_shows_what_is_left_of_its_script_and_what_it_was_sent(slow: Scene) -> None:
    script(slow, 500, {"status": 503, "delay": 3}, 200)
    called_back(slow)
    advance(slow, 20)
    shown = ask(slow, "GET", "sink/app")
    assert shown["responses"] == [{"status": 503, "delay": 3.0}, {"status": 200, "delay": 0.0}]
    assert shown["received"] == [
        {"time": T0 + 20, "headers": {"Content-Type": "application/json"}, "body": callbacks(slow)[0]["body"]}
    ]


def test_a_new_script_forgets_what_was_received(slow: Scene) -> None:
    called_back(slow)
    idle(slow)
    script(slow)
    assert received(slow) == []


def test_sinks_do_not_share(slow: Scene) -> None:
    script(slow, 500, name="one")
    submit(Caller(slow, "xhuoapi", "k"), callback_url=sink_url(slow, "two"))
    idle(slow)
    assert (len(received(slow, "one")), len(received(slow, "two"))) == (0, 1)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 404, 429, 500, 503, 599])
def test_a_sink_answers_a_post_from_outside_by_its_script(scene: Scene, status: int) -> None:
    script(scene, status)
    assert scene.http.post("/_mock/sink/app", json={"a": 1}).status_code == status
    assert scene.http.post("/_mock/sink/app", json={"a": 2}).status_code == 200
    assert [body for _, body in received(scene)] == [{"a": 1}, {"a": 2}]


def test_a_post_from_outside_waits_for_the_delay(scene: Scene) -> None:
    script(scene, {"delay": 5})
    with later(scene.http.post, "/_mock/sink/app", content=b"not json") as call:
        until(lambda: ask(scene, "GET", "clock")["next_due"])
        advance(scene, 4.9)
        assert not call.done
        advance(scene, 0.1)
        assert call.result().status_code == 200
    assert received(scene) == [(0, "not json")]


def test_a_sink_keeps_no_key(scene: Scene) -> None:
    headers = {"Authorization": "Bearer sk_very-secret", "X-Api-Key": "sk_very-secret", "X-Other": "seen"}
    scene.http.post("/_mock/sink/app", json={}, headers=headers)
    text = scene.http.get("/_mock/sink/app").text
    assert "seen" in text
    assert "very-secret" not in text


def test_looking_at_a_sink_makes_none(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering_of(scene), "SINKS_KEPT", 3)
    script(scene, 500, name="kept")
    for number in range(3):
        ask(scene, "GET", f"sink/other-{number}")
    assert ask(scene, "GET", "sink/kept")["responses"] == [{"status": 500, "delay": 0.0}]


@pytest.mark.parametrize(
    "body",
    [
        {"responses": [99]},
        {"responses": [600]},
        {"responses": [{"status": 200, "delay": -1}]},
        {"responses": [{"status": 200, "delay": "NaN"}]},
        {"responses": [{"status": 200, "delay": 86_401}]},
        {"responses": [{"status": 200, "dealy": 1}]},
        {"responses": 500},
        {"responses": [200] * 1_001},
        {"replies": [200]},
    ],
)
def test_scripts_that_are_refused(scene: Scene, body: Any) -> None:
    script(scene, 503)
    assert refused(scene, "PUT", "sink/app", body)
    assert ask(scene, "GET", "sink/app")["responses"] == [{"status": 503, "delay": 0.0}]


def test_an_unknown_field_of_a_reply_is_refused_by_naming_the_known_ones(scene: Scene) -> None:
    message = refused(scene, "PUT", "sink/app", {"responses": [{"status": 200, "dealy": 1}]})
    assert "delay" in message
