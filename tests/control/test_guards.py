"""What holds for every control call: other sites are kept out, errors have one shape, unknown fields are refused."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from control.steer import (
    PROVIDERS,
    T0,
    add,
    advance,
    ask,
    callbacks,
    clock,
    defects,
    idle,
    order,
    received,
    refusal,
    script,
    sink_url,
    submit,
)
from support.calls import Caller
from support.scene import Scene

Serve = Callable[..., Scene]

STATE_CHANGING = [
    ("PUT", "clock"),
    ("POST", "clock/advance"),
    ("POST", "callbacks/cb_1/redeliver"),
    ("POST", "tasks/task-1/complete"),
    ("POST", "tasks/task-1/fail"),
    ("POST", "tasks/task-1/cancel"),
    ("POST", "requests/req-1/resend"),
    ("PUT", "accounts/k?provider=evolink"),
    ("POST", "faults"),
    ("DELETE", "faults"),
    ("DELETE", "faults/fault-1"),
    ("PUT", "routes"),
    ("POST", "routes"),
    ("DELETE", "routes"),
    ("PUT", "sink/app"),
    ("POST", "sink/app"),
    ("PUT", "snapshot"),
    ("POST", "reset"),
]
TAKING_A_BODY = [
    ("PUT", "clock"),
    ("POST", "clock/advance"),
    ("PUT", "accounts/k?provider=evolink"),
    ("POST", "faults"),
    ("PUT", "routes"),
    ("POST", "routes"),
    ("PUT", "sink/app"),
    ("PUT", "snapshot"),
    ("POST", "reset"),
]
CROSS_SITE = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://evil.example:80"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "ROOT"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
]


def test_every_route_that_changes_state_is_tried_here(scene: Scene) -> None:
    routes = {(verb, path) for verb, path, _ in scene.server.app.control.routes if verb != "GET"}
    forms = {
        "cb_1": "{id}",
        "task-1": "{id}",
        "req-1": "{id}",
        "fault-1": "{id}",
        "accounts/k": "accounts/{key}",
        "sink/app": "sink/{name}",
    }
    tried = set()
    for verb, path in STATE_CHANGING:
        plain = path.partition("?")[0]
        for given, form in forms.items():
            plain = plain.replace(given, form)
        tried.add((verb, f"/_mock/{plain}"))
    assert tried == routes


@pytest.fixture
def lived_in(serve: Serve) -> Scene:
    """A server with a task, a rule, a sink and a route."""
    scene = serve(latency="50")
    add(scene, "status", skip=100)
    script(scene, 500)
    ask(scene, "PUT", "routes", {"routes": [{"from": "https://a.example", "to": "http://127.0.0.1:1"}]})
    submit(Caller(scene, "evolink", "k"))
    return scene


@pytest.mark.parametrize(("method", "path"), STATE_CHANGING)
def test_pages_of_other_sites_change_nothing(lived_in: Scene, method: str, path: str) -> None:
    before = ask(lived_in, "GET", "snapshot")
    for headers in CROSS_SITE:
        sent = {name: value.replace("ROOT", lived_in.root) for name, value in headers.items()}
        answer = lived_in.http.request(method, f"/_mock/{path}", headers=sent, content=b"{}")
        assert refusal(answer, 403, "cross_site"), headers
    assert ask(lived_in, "GET", "snapshot") == before
    assert defects(lived_in) == 0


def test_an_origin_that_is_no_url_is_another_site(lived_in: Scene) -> None:
    answer = lived_in.http.post("/_mock/reset", headers={"Origin": "http://["})
    assert refusal(answer, 403, "cross_site")
    assert lived_in.mock("tasks")["tasks"]


@pytest.mark.parametrize(("method", "path"), STATE_CHANGING)
def test_ones_own_pages_allows_control(scene: Scene, method: str, path: str) -> None:
    own = {"Origin": scene.root}
    for headers in ({}, own, {"Sec-Fetch-Site": "none"}, {**own, "Sec-Fetch-Site": "same-origin"}):
        assert scene.http.request(method, f"/_mock/{path}", headers=headers, content=b"{}").status_code != 403


def test_other_sites_may_not_steer_by_a_simple_form_post(lived_in: Scene) -> None:
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example", "Sec-Fetch-Mode": "no-cors"}
    assert refusal(lived_in.http.post("/_mock/reset", content=b"{}", headers=headers), 403, "cross_site")
    assert lived_in.mock("tasks")["tasks"]


# bodies


NO_OBJECTS = [
    b"{",
    b"nonsense",
    b"[]",
    b"7",
    b"null",
    b'"text"',
    b'{"a": NaN}',
    b"\xff\xfe",
    b'{"a":' * 5_000,
    b'{"a": "\\ud800"}',
]


@pytest.mark.parametrize(("method", "path"), TAKING_A_BODY)
def test_bodies_that_are_no_json_object_are_refused_everywhere(lived_in: Scene, method: str, path: str) -> None:
    before = ask(lived_in, "GET", "snapshot")
    for body in NO_OBJECTS:
        assert refusal(lived_in.http.request(method, f"/_mock/{path}", content=body), 400, "bad_request"), body
    assert ask(lived_in, "GET", "snapshot") == before
    assert defects(lived_in) == 0


@pytest.mark.parametrize(("method", "path"), TAKING_A_BODY)
def test_unknown_fields_are_refused_everywhere_without_an_echo(lived_in: Scene, method: str, path: str) -> None:
    before = ask(lived_in, "GET", "snapshot")
    body = (
        {"surprise": "a-value-that-is-not-echoed", "seconds": 1} if "advance" in path else {"surprise": "x-not-echoed"}
    )
    answer = lived_in.http.request(method, f"/_mock/{path}", json=body)
    message = refusal(answer, 400, "bad_rule" if path == "faults" else "bad_request")
    assert "not-echoed" not in message
    assert len(message) < 800
    assert ask(lived_in, "GET", "snapshot") == before


@pytest.mark.parametrize(("method", "path"), TAKING_A_BODY)
def test_a_body_beyond_the_limit_is_refused_everywhere(serve: Serve, method: str, path: str) -> None:
    scene = serve(max_body=1_000, max_snapshot=1_000)
    answer = scene.http.request(method, f"/_mock/{path}", content=b'{"a": "' + b"x" * 2_000 + b'"}')
    assert ("max-snapshot" if path == "snapshot" else "max-body") in refusal(answer, 413, "too_large")
    assert defects(scene) == 0


def test_a_body_that_is_framed_wrong_is_no_defect(scene: Scene) -> None:
    host, port = scene.root.removeprefix("http://").split(":")
    head = f"POST /_mock/clock/advance HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=2) as raw:
        raw.sendall(head.encode() + b"zz\r\nnonsense\r\n")
        assert b" 400 " in raw.recv(65_536).partition(b"\r\n")[0]
    assert defects(scene) == 0
    assert clock(scene) == 0


def test_an_empty_body_is_an_empty_object(scene: Scene) -> None:
    advance(scene, 5)
    assert scene.http.post("/_mock/reset").json()["status"] == "reset"
    assert clock(scene) == 0


# methods and paths


@pytest.mark.parametrize("path", ["clock", "tasks", "callbacks", "faults", "routes", "sink/app", "snapshot", "health"])
def test_head_answers_as_get_without_a_body(scene: Scene, path: str) -> None:
    head, get = scene.http.head(f"/_mock/{path}"), scene.http.get(f"/_mock/{path}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "clock/advance", "POST"),
        ("HEAD", "reset", ""),
        ("POST", "clock", "GET, PUT"),
        ("PATCH", "snapshot", "GET, PUT"),
        ("DELETE", "sink/app", "GET, POST, PUT"),
        ("POST", "faults/fault-1", "DELETE, GET"),
    ],
)
def test_a_wrong_method_names_the_right_ones(scene: Scene, method: str, path: str, allowed: str) -> None:
    answer = scene.http.request(method, f"/_mock/{path}")
    assert answer.status_code == 405
    if method != "HEAD":
        assert allowed in refusal(answer, 405, "wrong_method")


@pytest.mark.parametrize("path", ["nothing", "clock/advance/now", "tasks/a/b", "sink/"])
def test_an_unknown_path_lists_what_there_is(scene: Scene, path: str) -> None:
    message = refusal(scene.http.get(f"/_mock/{path}"), 404, "not_found")
    assert "POST /_mock/clock/advance" in message


@pytest.mark.parametrize("path", ["faults/fault-9", "callbacks/cb_x", "tasks/x", "requests/x"])
def test_what_is_not_there_says_where_to_look(scene: Scene, path: str) -> None:
    noun = path.partition("/")[0]
    assert f"/_mock/{noun}" in refusal(scene.http.get(f"/_mock/{path}"), 404, "not_found")


# reset


def test_a_reset_forgets_everything(lived_in: Scene) -> None:
    advance(lived_in, 60)
    submit(Caller(lived_in, "xhuoapi", "k"), callback_url=sink_url(lived_in))
    ask(lived_in, "PUT", "accounts/k", {"balance": 1, "quota": 1}, provider="evolink")
    ask(lived_in, "PUT", "clock", {"autojump": True})
    advance(lived_in, 60)
    ask(lived_in, "POST", "reset")
    for noun in ("tasks", "callbacks", "requests", "accounts", "faults"):
        assert ask(lived_in, "GET", noun) == {noun: [], "next": None}
    assert ask(lived_in, "GET", "routes") == {"routes": []}
    assert (received(lived_in), ask(lived_in, "GET", "sink/app")["responses"]) == ([], [])
    shown = {"now": T0, "mode": "virtual", "speed": 0.0, "autojump": False, "next_due": None}
    assert ask(lived_in, "GET", "clock") == shown


def test_after_a_reset_the_same_calls_tell_the_same_story(serve: Serve) -> None:
    scene = serve(latency="10-90")

    def story() -> list[Any]:
        answers = [order(Caller(scene, name, "sk_k")) for name in PROVIDERS]
        return [*(answer.text for answer in answers), idle(scene)]

    first = story()
    ask(scene, "POST", "reset")
    assert story() == first


def shares(scene: Scene, key: str) -> list[Any]:
    """All that belongs to a key."""
    shown = [ask(scene, "GET", noun, api_key=key)[noun] for noun in ("tasks", "callbacks", "requests", "faults")]
    return [*shown, *(ask(scene, "GET", f"accounts/{key}", provider=provider) for provider in PROVIDERS)]


def test_a_reset_of_one_account_leaves_the_others_as_they_are(serve: Serve) -> None:
    scene = serve(latency="5")
    script(scene, 500, 500, 500, 500, 500)
    for key in ("sk_mine", "sk_theirs"):
        add(scene, "task_slow", {"api_key": key}, fault={"factor": 2.0})
        for provider in PROVIDERS:
            fields = {"callback_url": sink_url(scene)} if provider == "xhuoapi" else {}
            submit(Caller(scene, provider, key), **fields)
    advance(scene, 10)
    before, fresh = shares(scene, "sk_theirs"), shares(scene, "sk_fresh")
    ask(scene, "POST", "reset", {"api_key": "sk_mine"})
    assert shares(scene, "sk_theirs") == before
    assert [str(part).replace("x", "") for part in shares(scene, "sk_mine")[:4]] == ["[]"] * 4
    assert [part["balance"] for part in shares(scene, "sk_mine")[4:]] == [part["balance"] for part in fresh[4:]]
    assert clock(scene) == 10


def test_a_reset_account_leaves_nothing_planned(serve: Serve) -> None:
    scene = serve(latency="5")
    submit(Caller(scene, "xhuoapi", "k"), callback_url=sink_url(scene))
    submit(Caller(scene, "evolink", "k"))
    ask(scene, "POST", "reset", {"api_key": "k"})
    assert ask(scene, "GET", "clock")["next_due"] is None
    assert idle(scene) == []
    assert (clock(scene), callbacks(scene), received(scene)) == (0, [], [])


def test_a_reset_account_begins_its_story_again(serve: Serve) -> None:
    scene = serve(latency="10-90")

    def story() -> list[str]:
        return [order(Caller(scene, name, "sk_k")).text for name in PROVIDERS]

    first = story()
    Caller(scene, "evolink", "other").generate()
    ask(scene, "POST", "reset", {"api_key": "sk_k"})
    assert story() == first


@pytest.mark.parametrize("body", [{"api_key": 7}, {"api_keys": "k"}, {"api_key": ["k"]}])
def test_resets_that_are_refused(lived_in: Scene, body: Any) -> None:
    assert refusal(lived_in.http.post("/_mock/reset", json=body), 400, "bad_request")
    assert lived_in.mock("tasks")["tasks"]
