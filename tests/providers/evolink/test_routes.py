"""evolink: idempotency and callbacks (EV-IDEM-1, EV-CB-2 to -5)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from typing import Any

import pytest
from conftest import Serve
from dirty_equals import IsPartialDict

from mockserver.engine.callbacks import DOCUMENTED, State
from support.calls import Caller
from support.errors import assert_evolink_error
from support.receiver import Receiver, receiver

TARGET = "https://app.example.com/hook"


def routed(serve: Serve, hook: Receiver | str) -> Caller:
    """A caller whose callbacks to app.example.com come to a local receiver."""
    local = (hook if isinstance(hook, str) else hook.url).removesuffix("/hook")
    return Caller(serve(callback_routes=(f"https://app.example.com={local}",)), "evolink", "k")


@pytest.mark.claim("EV-IDEM-1")
def test_the_same_key_and_body_give_the_same_task(evolink: Caller) -> None:
    headers = {"Idempotency-Key": "order-1"}
    first = evolink.generate(headers=headers)
    evolink.scene.advance(5)
    again = evolink.generate(headers=headers)
    assert again.json() == first.json()
    assert (first.status_code, again.status_code) == (200, 200)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(evolink.tasks()) == 1
    assert evolink.captured() == evolink.scene.money("evolink", evolink.key)["captured"] == 2.5


@pytest.mark.claim("EV-IDEM-1")
def test_another_body_is_a_conflict(evolink: Caller) -> None:
    headers = {"Idempotency-Key": "order-1"}
    evolink.generate(headers=headers)
    answer = evolink.generate(headers=headers, prompt="another")
    assert_evolink_error(answer, 409, "idempotency_conflict", answer.json()["error"]["type"])
    assert len(evolink.tasks()) == 1


@pytest.mark.claim("EV-IDEM-1")
def test_another_key_or_account_or_none_gives_another_task(evolink: Caller) -> None:
    other = evolink.keyed(evolink.key + "-other")
    answers = [
        evolink.generate(headers={"Idempotency-Key": "a"}),
        evolink.generate(headers={"Idempotency-Key": "b"}),
        other.generate(headers={"Idempotency-Key": "a"}),
        evolink.generate(),
        evolink.generate(),
    ]
    assert len({answer.json()["id"] for answer in answers}) == 5
    assert not any("idempotency-replayed" in answer.headers for answer in answers)


@pytest.mark.claim("EV-IDEM-1", "ALL-ORDER-1")
def test_a_refused_call_does_not_use_up_its_key(evolink: Caller) -> None:
    headers = {"Idempotency-Key": "order-2"}
    assert_evolink_error(evolink.generate(headers=headers, size="16:9"), 400, "invalid_request", param="size")
    answer = evolink.generate(headers=headers)
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)


@pytest.mark.claim("EV-CB-2", "EV-CB-3", "EV-CB-5")
@pytest.mark.parametrize(
    ("prompt", "outcome"),
    [
        ("a fox", {"status": "completed", "progress": 100}),
        ("[mock:fail]", {"status": "failed"}),
        ("[mock:moderated]", {"status": "failed"}),
    ],
)
def test_a_callback_is_the_task_querys_body(serve: Serve, prompt: str, outcome: dict[str, Any]) -> None:
    with receiver() as hook:
        caller = routed(serve, hook)
        task_id = caller.generate(prompt=f"{prompt} [mock:delay=60]", callback_url=TARGET).json()["id"]
        caller.scene.advance(59.9)
        assert hook.bodies == []
        caller.scene.advance(0.2)
    task = caller.get(f"/v1/tasks/{task_id}").json()
    assert hook.bodies == [task]
    assert task == IsPartialDict(outcome)


@pytest.mark.claim("EV-CB-2", "EV-TASK-4")
def test_a_cancelled_task_is_called_back_too(serve: Serve) -> None:
    with receiver() as hook:
        caller = routed(serve, hook)
        task_id = caller.generate(prompt="[mock:delay=60]", callback_url=TARGET).json()["id"]
        caller.scene.advance(30)
        task = caller.send("POST", f"/v1/tasks/{task_id}/cancel").json()
        caller.scene.advance(100)
    assert hook.bodies == [task]
    assert task["error"]["code"] == "request_cancelled"


@pytest.mark.claim("EV-CB-5")
def test_a_callback_is_a_json_post_without_a_signature(serve: Serve) -> None:
    with receiver() as hook:
        routed(serve, hook).generate(callback_url=TARGET)
        _settle(hook)
    names = {name.lower() for name in hook.headers[0]}
    assert hook.headers[0]["Content-Type"] == "application/json"
    assert not [name for name in names if "sign" in name or name.startswith("x-") or name == "authorization"]


def _settle(hook: Receiver) -> None:
    """Wait up to 0.2 s for what is due at the current instant."""
    for _ in range(20):
        if hook.bodies:
            return
        sleep(0.01)


@contextmanager
def asking(seen: list[Any]) -> Iterator[ThreadingHTTPServer]:
    """A receiver that asks back, while it is being called: `server.ask` says what."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(self.server.ask(body))  # type: ignore[attr-defined]  # set by the test
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.claim("EV-CB-2", "EV-CB-5")
@pytest.mark.parametrize(("prompt", "captured"), [("a fox", "2.5"), ("[mock:fail]", "0")])
def test_at_delivery_the_task_is_final_and_the_money_settled(serve: Serve, prompt: str, captured: str) -> None:
    seen: list[Any] = []
    with asking(seen) as server:
        caller = routed(serve, f"http://127.0.0.1:{server.server_address[1]}")

        def ask(body: Any) -> Any:
            task = caller.get(f"/v1/tasks/{body['id']}").json()
            account = caller.scene.mock("accounts/k", provider="evolink")
            return task == body, account["held"], account["captured"]

        server.ask = ask  # type: ignore[attr-defined]  # what the handler calls
        caller.generate(prompt=f"{prompt} [mock:delay=9]", callback_url=TARGET)
        caller.scene.advance(10)
    assert seen == [(True, "0", captured)]


@pytest.mark.claim("EV-CB-4")
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(serve: Serve, status: int) -> None:
    with receiver(status) as hook:
        caller = routed(serve, hook)
        caller.generate(callback_url=TARGET)
        caller.scene.advance(30)
    assert len(hook.bodies) == 1


@pytest.mark.claim("EV-CB-4", "EV-CB-5")
@pytest.mark.parametrize("status", [300, 302, 304, 307, 400, 404, 410, 429, 500, 503])
def test_anything_else_is_retried_after_1_2_and_4_seconds(serve: Serve, status: int) -> None:
    with receiver(*[status] * 9, extra_headers={"Location": "/elsewhere", "Retry-After": "60"}) as hook:
        caller = routed(serve, hook)
        caller.generate(callback_url=TARGET)
        caller.scene.advance(60)
    (delivery,) = caller.scene.deliveries()
    times = [round(attempt.time - delivery.created, 3) for attempt in delivery.attempts]
    assert (times, len(hook.bodies)) == ([0, 1, 3, 7], 4)
    assert [attempt.outcome.status for attempt in delivery.attempts] == [status] * 4


@pytest.mark.claim("EV-CB-4")
@pytest.mark.parametrize("failures", [1, 2, 3])
def test_the_first_success_ends_the_retries(serve: Serve, failures: int) -> None:
    with receiver(*[500] * failures) as hook:
        caller = routed(serve, hook)
        caller.generate(callback_url=TARGET)
        caller.scene.advance(60)
    assert len(hook.bodies) == failures + 1
    assert caller.scene.deliveries()[0].state == "delivered"


@pytest.mark.claim("EV-CB-4", "EV-CB-5")
def test_a_redirect_is_never_followed(serve: Serve) -> None:
    with receiver() as elsewhere, receiver(302, extra_headers={"Location": elsewhere.url}) as hook:
        caller = routed(serve, hook)
        caller.generate(callback_url=TARGET)
        caller.scene.advance(60)
    assert (len(hook.bodies), elsewhere.bodies) == (2, [])


@pytest.mark.claim("EV-CB-4")
def test_a_refused_connection_is_a_failure(serve: Serve) -> None:
    with receiver() as hook:
        pass
    caller = routed(serve, hook)
    caller.generate(callback_url=TARGET)
    caller.scene.advance(60)
    (delivery,) = caller.scene.deliveries()
    assert [attempt.outcome.status for attempt in delivery.attempts] == [None] * 4
    assert all(attempt.outcome.error for attempt in delivery.attempts)


@pytest.mark.claim("EV-CB-4")
def test_a_receiver_that_does_not_answer_in_time_is_a_failure(serve: Serve) -> None:
    seen: list[Any] = []
    with asking(seen) as server:
        server.ask = lambda body: sleep(0.15)  # type: ignore[attr-defined]  # what the handler calls
        caller = routed(serve, f"http://127.0.0.1:{server.server_address[1]}")
        caller.scene.server.app.engine.dispatcher.policy = replace(DOCUMENTED, timeout=0.02)
        caller.generate(callback_url=TARGET, prompt="[mock:delay=5]")
        caller.scene.advance(5)
        (delivery,) = caller.scene.deliveries()
        sleep(0.15)
    assert delivery.attempts[0].outcome.status is None
    assert "0.02 s" in str(delivery.attempts[0].outcome.error)


@pytest.mark.claim("EV-CB-4")
def test_the_documented_schedule() -> None:
    assert (DOCUMENTED.timeout, DOCUMENTED.waits) == (10.0, (1.0, 2.0, 4.0))


@pytest.mark.claim("EV-CB-1", "EV-CB-5")
def test_a_host_without_a_route_is_neither_resolved_nor_called(evolink: Caller) -> None:
    evolink.generate(callback_url="https://no-such-host.example/hook")
    evolink.scene.advance(60)
    delivery = evolink.scene.deliveries()[-1]
    assert (delivery.state, delivery.attempts) == (State.CAPTURED, ())


@pytest.mark.claim("EV-CB-1")
def test_no_callback_url_means_no_callback(evolink: Caller) -> None:
    before = len(evolink.scene.deliveries())
    for url in (None, ""):
        assert evolink.generate(callback_url=url).status_code == 200
    evolink.scene.advance(60)
    assert len(evolink.scene.deliveries()) == before
