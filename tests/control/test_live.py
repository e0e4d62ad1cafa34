"""What the live page is made of, as a script uses it: events, summaries, thumbnails, endings by hand, sending again."""

import io
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from control.steer import add, advance, ask, refused
from mockserver.control import event_feed
from mockserver.control.event_feed import EVENTS_KEPT
from support import web
from support.calls import Caller
from support.scene import Scene

Event = tuple[int, str, dict[str, Any]]


def events(stream: Iterator[str]) -> Iterator[Event]:
    """Server-sent events as (id, type, data)."""
    fields: dict[str, str] = {}
    for line in stream:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif "data" in fields:
            yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}


class Watcher:
    """A client of the events, since an event's id if one is given."""

    def __init__(self, scene: Scene, since: int | None = None) -> None:
        headers = {} if since is None else {"Last-Event-ID": str(since)}
        self._stream = web.stream("GET", f"{scene.root}/_mock/events", headers=headers, timeout=5)

    def __enter__(self) -> Iterator[Event]:
        self.answer = self._stream.__enter__()
        assert self.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = self.answer.iter_lines()
        assert next(lines) == "retry: 1000"
        return events(lines)

    def __exit__(self, *_: Any) -> None:
        self._stream.__exit__(None, None, None)


def test_every_event_of_a_generation_in_order(slow: Scene) -> None:
    with Watcher(slow) as seen:
        answer = Caller(slow, "evolink", "k").generate(prompt="a fox", callback_url="https://app.example.com/x")
        number, kind, request = next(seen)
        assert (kind, request["task_id"], request["status"]) == ("request", answer.json()["id"], 200)
        assert (request["model"], request["prompt"], request["cost"]) == ("gpt-image-2-beta", "a fox", "2.5")
        advance(slow, 30)
        assert next(seen) == (
            number + 1,
            "task",
            {"id": request["task_id"], "status": "completed", "callback": "waiting"},
        )
        _, kind, callback = next(seen)
        assert (kind, callback["task_id"], callback["state"]) == ("callback", request["task_id"], "delivered")
        assert next(seen)[1:] == ("changed", {"path": "/_mock/clock/advance", "reset": False})
        ask(slow, "POST", "reset", {})
        assert next(seen)[1:] == ("changed", {"path": "/_mock/reset", "reset": True})


def test_a_watcher_resumes_where_it_left(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    with Watcher(scene) as seen:
        caller.generate(prompt="one")
        first = next(number for number, kind, _ in seen if kind == "request")
    caller.generate(prompt="two")
    with Watcher(scene, first) as seen:
        assert [data["prompt"] for _, kind, data in [next(seen), next(seen)] if kind == "request"] == ["two"]


@pytest.mark.parametrize("since", ["0", "99999", "-1", "x", "9" * 5_000])
def test_a_watcher_that_missed_events_is_told(scene: Scene, since: str) -> None:
    with Watcher(scene):
        Caller(scene, "icodeeasy", "sk_k").generate()
    feed = scene.server.app.control._feed
    feed._events.popleft()
    headers = {"Last-Event-ID": since}
    with web.stream("GET", f"{scene.root}/_mock/events", headers=headers, timeout=5) as answer:
        assert next(events(answer.iter_lines()))[1:] == ("gap", {})


def test_a_slow_watcher_is_told_of_a_gap_and_costs_no_memory(scene: Scene) -> None:
    with Watcher(scene) as seen:
        feed = scene.server.app.control._feed

        async def flood() -> int:
            for number in range(EVENTS_KEPT + 10):
                feed._add("request", {"number": number})
            return len(feed._events)

        assert scene.server.run(flood()) == EVENTS_KEPT
        assert next(seen)[1] == "gap"


def test_nothing_is_observed_while_nobody_watches(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(event_feed, "KEEPALIVE_SECONDS", 0.02)
    engine = scene.server.app.engine
    with Watcher(scene):
        assert len(engine.journal.observers) == len(engine.task_observers) == 1
    for _ in range(200):
        scene.http.get("/_mock/health")
        if not engine.journal.observers:
            break
    assert (engine.journal.observers, engine.task_observers, engine.dispatcher.observers) == ([], [], [])


def test_too_many_watchers(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "MOST_WATCHERS", 1)
    with Watcher(scene):
        assert "follow the events already" in refused(scene, "GET", "events", status=503, code="too_many_watchers")


def test_events_keep_strangers_out(scene: Scene) -> None:
    assert scene.http.get("/_mock/events", headers={"Host": "evil.example"}).status_code == 421
    assert scene.http.get("/_mock/", headers={"Host": "evil.example"}).status_code == 421


def test_requests_in_rows(scene: Scene) -> None:
    Caller(scene, "icodeeasy", "sk_k").generate(prompt="p" * 1000)
    Caller(scene, "icodeeasy", "sk_k-mock-402").generate(prompt="q")
    refused_row, row = ask(scene, "GET", "requests", view="summary")["requests"]
    assert (row["prompt"], row["currency"], "body" in row) == ("p" * 300, "CNY", False)
    assert (refused_row["error"], refused_row["model"]) == ("payment_required", "gpt-image-2")
    assert refused_row["prompt"] == "q"
    assert "view is summary" in refused(scene, "GET", "requests?view=all")


def test_thumbnails(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    caller.generate(size="16:9", n=2)
    task = caller.tasks()[0]
    answer = scene.http.get(f"/_mock/pictures/{task['id']}/1", params={"width": 160})
    assert answer.headers["content-type"] == "image/png"
    small = Image.open(io.BytesIO(answer.content))
    assert small.size == (160, round(task["height"] * 160 / task["width"]))
    whole = Image.open(io.BytesIO(scene.http.get(f"/_mock/pictures/{task['id']}/0").content))
    assert whole.size == (task["width"], task["height"])


@pytest.mark.parametrize("width", ["0", "-1", "4097", "x", "1.5", "9" * 5_000])
def test_a_width_that_is_none(scene: Scene, width: str) -> None:
    Caller(scene, "icodeeasy", "sk_k").generate()
    task = ask(scene, "GET", "tasks")["tasks"][0]
    assert "width is a whole number" in refused(scene, "GET", f"pictures/{task['id']}/0?width={width}")


def test_pictures_that_are_not_there(slow: Scene) -> None:
    Caller(slow, "evolink", "k").generate()
    task = ask(slow, "GET", "tasks")["tasks"][0]
    assert "has not completed" in refused(slow, "GET", f"pictures/{task['id']}/0", status=404, code="not_found")
    assert "numbered from 0" in refused(slow, "GET", f"pictures/{task['id']}/1", status=404, code="not_found")
    refused(slow, "GET", "pictures/none/0", status=404, code="not_found")


@pytest.mark.parametrize(
    ("verb", "body", "status", "code", "balance"),
    [
        ("complete", {}, "completed", None, "997.5"),
        ("fail", {}, "failed", "service_error", "1000"),
        ("fail", {"code": "generation_timeout"}, "failed", "generation_timeout", "1000"),
        ("cancel", {}, "failed", "request_cancelled", "1000"),
    ],
)
def test_a_task_is_ended_by_hand(
    slow: Scene, verb: str, body: dict[str, str], status: str, code: str | None, balance: str
) -> None:
    caller = Caller(slow, "evolink", "k")
    task = caller.generate(callback_url="https://app.example.com/x").json()["id"]
    shown = ask(slow, "POST", f"tasks/{task}/{verb}", body)
    assert (shown["status"], (shown["failure"] or {}).get("code")) == (status, code)
    assert str(slow.money("evolink", "k")["balance"]) == balance
    advance(slow, 0)
    assert ask(slow, "GET", "callbacks", task_id=task)["callbacks"][0]["state"] == "delivered"
    assert "ended already" in refused(slow, "POST", f"tasks/{task}/{verb}", body, 409, "has_ended")


def test_a_request_is_sent_again_with_its_key(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    caller.generate(prompt="twice")
    first = caller.requests()[0]
    again = ask(scene, "POST", f"requests/{first['id']}/resend", {})
    assert again["status"] == 200
    newest = caller.requests()[0]
    assert (newest["id"], newest["body"]["prompt"], newest["account"]) == (again["id"], "twice", first["account"])
    assert len(caller.tasks()) == 2


def test_what_cannot_be_sent_again(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    caller.generate(prompt="p" * 50_000)
    path = f"requests/{caller.requests()[0]['id']}/resend"
    assert "whole body" in refused(scene, "POST", path, {}, 409, "body_not_kept")
    refused(scene, "POST", "requests/none/resend", {}, 404, "not_found")


def sent_raw(scene: Scene, line: str, host: str) -> str:
    """The id of a request that no HTTP client sends: a request line and a Host, written to the socket."""
    with socket.create_connection(("127.0.0.1", int(scene.root.rpartition(":")[2])), 5) as connection:
        head = f"{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer k\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode("latin-1"))
        while connection.recv(65_536):
            pass
    return str(ask(scene, "GET", "requests?limit=1")["requests"][0]["id"])


@pytest.mark.parametrize(
    ("line", "host", "reason"),
    [
        ("CONNECT api.evolink.ai:443", "api.evolink.ai", "A CONNECT opens a connection"),
        ("CONNECT /evolink/v1/tasks/x", "127.0.0.1", "A CONNECT opens a connection"),
        ("OPTIONS *", "api.evolink.ai", "for a path"),
        ("FOO /evolink/v1/tasks/x", "127.0.0.1", "no valid HTTP"),
        ("GET /evolink/v1/tasks/\xe9", "127.0.0.1", "no valid HTTP"),
    ],
)
def test_a_request_for_no_path_is_not_sent_again(scene: Scene, line: str, host: str, reason: str) -> None:
    entry = sent_raw(scene, line, host)
    assert reason in refused(scene, "POST", f"requests/{entry}/resend", {}, 409, "not_resendable")


@pytest.mark.parametrize(
    ("line", "host", "path"),
    [
        ("GET /v1/tasks/task-unified-1-a", "api.evolink.ai", None),
        ("GET http://api.evolink.ai/v1/tasks/task-unified-1-a", "nobody.example", "/v1/tasks/task-unified-1-a"),
        ("DELETE /evolink/v1//tasks/../%41%2fb;c|d?x=a+b&y=%41", "127.0.0.1", None),
        ("OPTIONS /evolink/v1/images/generations", "127.0.0.1", None),
        ("GET //evolink/v1/tasks/x", "api.evolink.ai", None),
    ],
)
def test_a_request_is_sent_again_to_its_provider_and_path_as_it_was_spelt(
    scene: Scene, line: str, host: str, path: str | None
) -> None:
    first = ask(scene, "GET", f"requests/{sent_raw(scene, line, host)}")
    again = ask(scene, "POST", f"requests/{first['id']}/resend", {})
    second = ask(scene, "GET", f"requests/{again['id']}")
    told = ("provider", "account", "method", "status", "error")
    assert [second[name] for name in told] == [first[name] for name in told]
    assert second["path"] == (path or first["path"])
    assert second["id"] != first["id"]


def test_every_fault_kind_is_described_well_enough_for_a_form(scene: Scene) -> None:
    kinds = {kind["type"]: kind for kind in ask(scene, "GET", "fault-kinds")["kinds"]}
    assert kinds["latency"]["required"] == ["seconds"]
    assert {"status", "code", "retry_after"} == kinds["status"]["parameters"].keys()
    assert all(kind["description"] and kind["stage"] for kind in kinds.values())
    for name, kind in kinds.items():
        add(scene, name, fault=dict.fromkeys(kind["required"], 1))


def test_every_provider_is_described(scene: Scene) -> None:
    for provider in ask(scene, "GET", "providers")["providers"]:
        assert provider["curl"].startswith(f"curl {scene.root}/{provider['name']}/")
        assert provider["models"]
        assert provider["routes"]


def test_the_short_address_leads_to_the_page(scene: Scene) -> None:
    answer = scene.http.get("/_mock")
    assert (answer.status_code, answer.headers["location"]) == (302, "/_mock/")


def test_the_page_and_its_files(scene: Scene) -> None:
    page = scene.http.get("/_mock/")
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    script = scene.http.get("/_mock/main.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    tag = {"If-None-Match": script.headers["etag"]}
    assert scene.http.get("/_mock/main.js", headers=tag).status_code == 304
    assert scene.http.get("/_mock/none.js").status_code == 404


def test_a_browser_gets_the_token_as_a_cookie(serve: Callable[..., Scene]) -> None:
    scene = serve(control_token="s3cret")
    assert scene.http.get("/_mock/").status_code == 401
    assert scene.http.get("/_mock/", params={"token": "wrong"}).status_code == 401
    assert scene.http.get("/_mock/health", params={"token": "s3cret"}).status_code == 401
    answer = scene.http.get("/_mock/", params={"token": "s3cret"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/_mock/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=Strict" in answer.headers["set-cookie"]
    assert scene.http.get("/_mock/").status_code == scene.http.get("/_mock/health").status_code == 200
    foreign = {"Origin": "http://evil.example"}
    assert scene.http.post("/_mock/reset", json={}, headers=foreign).status_code == 403
