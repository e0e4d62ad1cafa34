"""Each rule of advice: a client that does it, over real HTTP, gets that piece of advice, and no other."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest

from mockserver.advice import records
from mockserver.advice.base import rules
from mockserver.engine.clock import monotonic
from support import web
from support.calls import ASYNC, GENERATIONS, PROVIDERS, Caller, fixture
from support.claims import CLAIMS
from support.receiver import Receiver, receiver
from support.scene import Scene

Advice = dict[str, Any]
HOOK = "https://app.example.com"


def advice(scene: Scene, **query: Any) -> list[Advice]:
    found: list[Advice] = scene.mock("advice", **query)["advice"]
    return found


def only(scene: Scene, rule: str, claim: str, times: int = 1) -> Advice:
    """The one piece of advice that there is."""
    found = advice(scene)
    assert [(one["rule"], one["claim"], one["times"]) for one in found] == [(rule, claim, times)]
    return found[0]


@pytest.fixture
def slow(serve: Callable[..., Scene]) -> Scene:
    """A generation takes 100 s of a clock that stands still."""
    return serve(latency="100")


@pytest.fixture
def evolink(slow: Scene) -> Caller:
    return Caller(slow, "evolink", "k")


def submit(caller: Caller, **fields: Any) -> str:
    task_id: str = caller.generate(**fields).json()["id"]
    return task_id


@contextmanager
def called_back(scene: Scene, *statuses: int, **options: Any) -> Iterator[Receiver]:
    """A receiver in front of which `HOOK` leads."""
    with receiver(*statuses, **options) as seen:
        scene.http.post("/_mock/routes", json={"from": HOOK, "to": seen.url.removesuffix("/hook")}).raise_for_status()
        yield seen


def test_fast_polling(slow: Scene, evolink: Caller) -> None:
    task_id = submit(evolink)
    for _ in range(4):
        evolink.get(f"/v1/tasks/{task_id}")
    assert advice(slow) == []
    evolink.get(f"/v1/tasks/{task_id}")
    found = only(slow, "fast-polling", "EV-LAT-1")
    assert (found["tasks"], len(found["requests"])) == ([task_id], 4)
    assert "Of 5 queries" in found["seen"]


def test_polls_after_the_clock_was_moved_are_not_fast(slow: Scene, evolink: Caller) -> None:
    task_id = submit(evolink)
    for _ in range(6):
        slow.advance(2)
        evolink.get(f"/v1/tasks/{task_id}")
    assert advice(slow) == []


def test_an_accelerated_clock_does_not_excuse_fast_polling(serve: Callable[..., Scene]) -> None:
    scene = serve(clock="real", latency="100")
    scene.http.put("/_mock/clock", json={"mode": "real", "speed": 500}).raise_for_status()
    caller = Caller(scene, "evolink", "k")
    task_id = submit(caller)
    for _ in range(5):
        caller.get(f"/v1/tasks/{task_id}")
    assert "fast-polling" in [one["rule"] for one in advice(scene)]


def test_queries_of_xhuoapi_are_polls_too(slow: Scene) -> None:
    caller = Caller(slow, "xhuoapi", "k")
    task_id = caller.generate(**ASYNC).json()["task_id"]
    for _ in range(5):
        caller.post("/v1/openai/tasks", {"action": "retrieve", "id": task_id})
    assert only(slow, "fast-polling", "XH-LAT-1")["tasks"] == [task_id]


def test_polling_an_ended_task(scene: Scene) -> None:
    caller = Caller(scene, "evolink", "k")
    task_id = submit(caller)
    for count in range(4):
        assert len(advice(scene)) == 0, count
        caller.get(f"/v1/tasks/{task_id}")
        scene.advance(5)
    assert only(scene, "polls-ended-task", "EV-TASK-2")["tasks"] == [task_id]


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let advice be asked for that many real seconds later."""
    monkeypatch.setattr(records, "monotonic", lambda: monotonic() + seconds)


def test_a_client_that_stops_polling(slow: Scene, evolink: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = submit(evolink)
    for _ in range(3):
        slow.advance(10)
        evolink.get(f"/v1/tasks/{task_id}")
    assert advice(slow) == []
    later(monkeypatch, 31)
    found = only(slow, "stops-polling", "EV-LAT-1")
    assert "after 30 s" in found["seen"]
    assert "100 s are documented" in found["seen"]


@pytest.mark.parametrize("fields", [{"callback_url": f"{HOOK}/x"}, {}], ids=["callback", "polled to the end"])
def test_a_client_that_may_stop_polling(
    slow: Scene, evolink: Caller, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
) -> None:
    task_id = submit(evolink, **fields)
    for _ in range(3 if fields else 11):
        slow.advance(10)
        evolink.get(f"/v1/tasks/{task_id}")
    later(monkeypatch, 31)
    assert advice(slow) == []


def test_ignoring_retry_after(scene: Scene) -> None:
    scene.http.post("/_mock/faults", json={"fault": {"type": "status", "status": 429, "retry_after": 7}, "times": 2})
    caller = Caller(scene, "evolink", "k")
    assert caller.generate().status_code == 429
    scene.advance(7)  # a virtual clock is moved by hand: this client has waited
    assert caller.generate().status_code == 429
    assert advice(scene) == []
    caller.generate(prompt="another")  # no retry
    assert advice(scene) == []
    scene.advance(6)
    caller.generate()
    found = only(scene, "ignores-retry-after", "EV-ERR-1")
    assert "Retry-After: 7" in found["seen"]
    assert "after 6.00 s" in found["seen"]


def test_retrying_a_4xx(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    assert caller.generate(size="7:5").status_code == 400
    assert caller.generate(size="1:1").status_code == 200
    assert advice(scene) == []
    caller.generate(size="7:5")
    assert only(scene, "retries-4xx", "IC-ERR-1")["account"] == scene.mock("requests")["requests"][0]["account"]


def test_a_call_that_is_changed_is_no_retry(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic eA=="}):
        assert caller.generate(headers=headers).status_code == 401
    for kind in ("text/plain", "application/xml"):
        assert caller.generate(headers={"Content-Type": kind}).status_code == 400
    assert advice(scene) == []


def test_a_form_is_the_same_with_another_boundary(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    for _ in range(2):
        assert caller.form([("image[]", b"no picture")]).status_code == 400
    only(scene, "retries-4xx", "IC-ERR-1")


@pytest.mark.parametrize("status", [408, 409, 500, 503])
def test_statuses_that_may_be_retried(scene: Scene, status: int) -> None:
    scene.http.post("/_mock/faults", json={"fault": {"type": "status", "status": status}, "times": 2})
    caller = Caller(scene, "icodeeasy", "sk_k")
    assert [caller.generate().status_code for _ in range(3)] == [status, status, 200]
    assert advice(scene) == []


def test_a_call_that_succeeds_once_the_balance_is_raised(serve: Callable[..., Scene]) -> None:
    scene = serve(balance=0)
    caller = Caller(scene, "evolink", "k")
    assert caller.generate().status_code == 402
    scene.http.put("/_mock/accounts/k", params={"provider": "evolink"}, json={"balance": 10}).raise_for_status()
    assert caller.generate().status_code == 200
    assert advice(scene) == []


@pytest.mark.parametrize(
    ("name", "claim"), [("xhuoapi", "XH-PRICE-3"), ("icodeeasy", "IC-BILL-1"), ("evolink", "EV-BILL-1")]
)
@pytest.mark.parametrize("fault", [{"type": "disconnect"}, {"type": "truncate", "bytes": 5}], ids=lambda f: f["type"])
def test_paying_twice_after_a_lost_connection(scene: Scene, name: str, claim: str, fault: dict[str, Any]) -> None:
    scene.http.post("/_mock/faults", json={"fault": fault, "times": 1})
    caller = Caller(scene, name, "sk_k")
    with pytest.raises(httpx.TransportError):
        caller.generate()
    assert advice(scene) == []
    assert caller.generate().status_code == 200
    found = only(scene, "pays-twice", claim)
    assert len(found["tasks"]) == 2
    assert "lost its connection" in found["seen"]


def test_an_idempotency_key_keeps_from_paying_twice(scene: Scene) -> None:
    scene.http.post("/_mock/faults", json={"fault": {"type": "disconnect"}, "times": 1})
    caller = Caller(scene, "evolink", "k")
    with pytest.raises(httpx.TransportError):
        caller.generate(headers={"Idempotency-Key": "one"})
    assert caller.generate(headers={"Idempotency-Key": "one"}).status_code == 200
    assert advice(scene) == []


@pytest.mark.parametrize(("name", "rules"), [("xhuoapi", []), ("icodeeasy", []), ("evolink", ["pays-twice"])])
def test_after_a_5xx_that_is_documented_as_free_a_submission_may_come_again(
    scene: Scene, name: str, rules: list[str]
) -> None:
    scene.http.post("/_mock/faults", json={"fault": {"type": "status", "status": 503}, "times": 1})
    caller = Caller(scene, name, "sk_k")
    assert [caller.generate().status_code for _ in range(2)] == [503, 200]
    assert [one["rule"] for one in advice(scene)] == rules


def give_up(caller: Caller, **fields: Any) -> None:
    """Submit, and leave after 0.3 s without an answer."""
    with web.Client(timeout=0.3, headers={"Authorization": f"Bearer {caller.key}"}) as client:
        url = f"{caller.scene.root}/{caller.provider}{GENERATIONS[caller.provider]}"
        with pytest.raises(httpx.ReadTimeout):
            client.post(url, json=caller.body(**fields))
    caller.scene.mock("health")  # until then the server has seen the end of the connection


@pytest.mark.parametrize(
    ("name", "claim", "documented"), [("xhuoapi", "XH-LAT-1", "90"), ("icodeeasy", "IC-LAT-1", "200")]
)
def test_hanging_up_early_and_paying_twice(slow: Scene, name: str, claim: str, documented: str) -> None:
    caller = Caller(slow, name, "sk_k")
    give_up(caller)
    give_up(caller)
    found = {one["rule"]: one for one in advice(slow)}
    assert found.keys() == {"hangs-up-early", "pays-twice"}
    early = found["hangs-up-early"]
    assert (early["claim"], early["times"]) == (claim, 2)
    assert re.search(r"after 0\.[3-9] real seconds", early["seen"])
    assert f"take {documented} s" in early["seen"]
    slow.advance(100)  # the same when the handlers have ended
    assert {one["rule"]: one["times"] for one in advice(slow)} == {"hangs-up-early": 2, "pays-twice": 1}


def test_a_4k_picture_may_take_eight_minutes(slow: Scene) -> None:
    give_up(Caller(slow, "xhuoapi", "k"), size="3840x2160")
    assert "take 480 s" in only(slow, "hangs-up-early", "XH-LAT-1")["seen"]


def test_a_client_that_closes_its_side_and_reads_the_answer_has_not_hung_up(serve: Callable[..., Scene]) -> None:
    scene = serve(clock="real", latency="0.3")
    body = b'{"model": "gpt-image-2", "prompt": "a fox"}'
    head = b"POST /xhuoapi%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n" % GENERATIONS["xhuoapi"].encode()
    address = httpx.URL(scene.root)
    with socket.create_connection((address.host, address.port or 80)) as client:
        client.sendall(head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
    assert advice(scene) == []


def test_a_redirected_callback_that_is_given_up(slow: Scene, evolink: Caller) -> None:
    with called_back(slow, 301, 301, 301, 301):
        submit(evolink, callback_url=f"{HOOK}/x")
        slow.advance(200)
    found = {one["rule"]: one for one in advice(slow)}
    assert {name: one["claim"] for name, one in found.items()} == {
        "redirected-callback": "EV-CB-4",
        "unacknowledged-callback": "EV-CB-4",
    }
    assert "answered 301" in found["redirected-callback"]["seen"]
    assert "after 4 attempts: 301" in found["unacknowledged-callback"]["seen"]
    assert found["unacknowledged-callback"]["callbacks"] == [slow.deliveries()[0].id]


def test_one_failed_attempt_is_nothing(slow: Scene, evolink: Caller) -> None:
    with called_back(slow, 500):
        submit(evolink, callback_url=f"{HOOK}/x")
        slow.advance(200)
    assert advice(slow) == []


def test_answers_of_a_built_in_receiver_are_no_client_s(slow: Scene, evolink: Caller) -> None:
    slow.http.put("/_mock/sink/hook", json={"responses": [302, {"status": 200, "delay": 11}, 500, 500]})
    slow.http.post("/_mock/routes", json={"from": HOOK, "to": f"{slow.root}/_mock/sink/hook"})
    submit(evolink, callback_url=f"{HOOK}/x")
    slow.advance(200)
    assert len(slow.deliveries()[0].attempts) == 4
    assert advice(slow) == []


def test_a_callback_that_is_acknowledged_too_late(
    slow: Scene, evolink: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher = slow.server.app.engine.dispatcher
    monkeypatch.setattr(dispatcher, "policy", type(dispatcher.policy)(0.05, dispatcher.policy.waits))
    monkeypatch.setattr("mockserver.advice.slow_callback.SECONDS", 0.05)
    pauses = iter([0.2])
    with called_back(slow, before=lambda: sleep(next(pauses, 0))):
        submit(evolink, callback_url=f"{HOOK}/x")
        slow.advance(200)
    assert "1 of 2 attempts" in only(slow, "slow-callback", "EV-CB-4")["seen"]


def test_failing_when_a_callback_comes_again(slow: Scene, evolink: Caller) -> None:
    with called_back(slow, 200, 500):
        submit(evolink, callback_url=f"{HOOK}/x")
        slow.advance(100)
        slow.http.post(f"/_mock/callbacks/{slow.deliveries()[0].id}/redeliver").raise_for_status()
        slow.advance(1)
        slow.advance(1)
    assert "answered 200, and 500 when" in only(slow, "inconsistent-callback", "EV-CB-4")["seen"]


@pytest.mark.parametrize("copies", [1, 0], ids=["doubled", "once"])
@pytest.mark.parametrize("follows", [{}, {"prompt": "the next step"}], ids=["the same again", "what follows"])
def test_acting_on_a_duplicate(slow: Scene, evolink: Caller, follows: dict[str, str], copies: int) -> None:
    if copies:
        fault = {"type": "callback_duplicated", "copies": copies}
        slow.http.post("/_mock/faults", json={"fault": fault}).raise_for_status()
    asked = {"callback_url": f"{HOOK}/x"}
    with called_back(slow, before=lambda: submit(evolink, **asked, **follows)):
        submit(evolink, **asked)
        slow.advance(150)
    assert [one["rule"] for one in advice(slow)] == ["acts-on-duplicate"] * copies


@pytest.mark.parametrize(
    ("name", "fields", "claim"),
    [("evolink", {}, "EV-FILE-1"), ("icodeeasy", {}, "IC-FILE-3"), ("xhuoapi", {"model": "dall-e-3"}, "XH-RESP-5")],
)
def test_a_picture_that_nobody_fetches(scene: Scene, name: str, fields: dict[str, Any], claim: str) -> None:
    caller = Caller(scene, name, "sk_k")
    assert caller.generate(**fields).status_code == 200
    scene.advance(3_599)
    assert advice(scene) == []
    scene.advance(1)
    assert "in 1.0 h" in only(scene, "unfetched-picture", claim)["seen"]


def test_pictures_that_were_fetched_or_came_in_the_answer(scene: Scene) -> None:
    caller = Caller(scene, "xhuoapi", "k")
    url = caller.generate(model="gpt-image-2").json()["data"][0]["url"]
    assert scene.http.get(url).status_code == 200
    assert "b64_json" in caller.generate(model="dall-e-3", response_format="b64_json").json()["data"][0]
    assert caller.generate(prompt="[mock:fail]").status_code == 500
    easy = Caller(scene, "icodeeasy", "sk_k").generate().json()["data"][0]["url"]
    assert scene.http.get(easy, follow_redirects=True).status_code == 200
    scene.advance(7_200)
    assert advice(scene) == []


@pytest.mark.parametrize(
    ("name", "fields", "claim"), [("evolink", {}, "EV-FILE-1"), ("xhuoapi", {"model": "dall-e-3"}, "XH-RESP-5")]
)
def test_a_link_after_its_end(scene: Scene, name: str, fields: dict[str, Any], claim: str) -> None:
    caller = Caller(scene, name, "k")
    answer = caller.generate(**fields).json()
    if name == "evolink":
        answer = caller.get(f"/v1/tasks/{answer['id']}").json()
    url = answer["results"][0] if name == "evolink" else answer["data"][0]["url"]
    assert scene.http.get(url).status_code == 200
    assert scene.http.get(url.replace("png", "gif")).status_code == 404
    scene.advance(24 * 3600 + 1)
    assert advice(scene) == []
    assert scene.http.get(url).status_code in (403, 404)
    found = only(scene, "expired-link", claim)
    assert found["account"] == scene.mock("tasks")["tasks"][0]["account"]


@pytest.mark.parametrize(
    ("name", "fields", "claim"),
    [
        ("xhuoapi", {"n": 3}, "XH-N-1"),
        ("xhuoapi", {"style": "vivid"}, "XH-STYLE-1"),
        ("xhuoapi", {"model": "nano-banana", "quality": "hd"}, "XH-NANO-1"),
        ("xhuoapi", {"model": "nano-banana", "response_format": "b64_json"}, "XH-NANO-1"),
        ("icodeeasy", {"response_format": "b64_json"}, "IC-FMT-1"),
    ],
)
def test_a_parameter_that_is_ignored(scene: Scene, name: str, fields: dict[str, Any], claim: str) -> None:
    assert Caller(scene, name, "sk_k").generate(**fields).status_code == 200
    assert list(fields)[-1] in only(scene, "ignored-parameter", claim)["seen"]


def test_a_form_s_parameter_that_is_ignored(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    assert caller.form([("image[]", fixture("reference.png"))], response_format="b64_json").status_code == 200
    only(scene, "ignored-parameter", "IC-FMT-1")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("xhuoapi", {"n": 1, "response_format": "url", "size": "1024x1024"}),
        ("xhuoapi", {"model": "dall-e-2", "n": 2}),
        ("xhuoapi", {"size": "2048x2048"}),
        ("xhuoapi", {"size": "1254x1254"}),
        ("xhuoapi", {"size": None, "n": None, "style": None}),
        ("icodeeasy", {"n": 2, "response_format": "url"}),
    ],
)
def test_parameters_that_count(scene: Scene, name: str, fields: dict[str, Any]) -> None:
    assert Caller(scene, name, "sk_k").generate(**fields).status_code == 200
    assert advice(scene) == []


def test_a_size_that_costs_more(scene: Scene) -> None:
    assert Caller(scene, "xhuoapi", "k").generate(size="1040x1024").status_code == 200
    assert "1040x1024 is none of the listed sizes" in only(scene, "off-list-size", "XH-PRICE-1")["seen"]


def test_advice_of_some_keys(scene: Scene) -> None:
    for key in ("sk_one", "sk_two", "sk_two"):
        Caller(scene, "icodeeasy", key).generate(response_format="b64_json")
    assert [one["times"] for one in advice(scene)] == [1, 2]
    assert [one["times"] for one in advice(scene, api_key="sk_two")] == [2]
    assert [one["times"] for one in advice(scene, api_key=["sk_two", "sk_one"])] == [1, 2]
    assert advice(scene, api_key="sk_none") == []


def test_every_rule_is_listed_and_every_claim_is_registered(scene: Scene) -> None:
    assert scene.mock("advice")["rules"] == {rule.name: rule.title for rule in rules()}
    assert len({rule.name for rule in rules()}) == len(rules()) == 16
    for provider in scene.server.app.providers:
        facts = provider.client_facts
        assert {*facts.claims.values(), *filter(None, [facts.free_5xx])} <= CLAIMS.keys()
        assert facts.claims.keys() <= {rule.name for rule in rules()}


def test_the_page_of_the_rules_has_each_with_its_claims() -> None:
    page = (Path(__file__).parents[2] / "docs" / "advice.md").read_text("utf-8")
    table = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    rows = {cells[1].strip("` "): cells[4].strip().split(", ") for cells in table}
    assert list(rows) == [rule.name for rule in rules()]
    assert {claim for claims in rows.values() for claim in claims} <= CLAIMS.keys()
    for provider in PROVIDERS.values():
        assert all(claim in rows[rule] for rule, claim in provider.client_facts.claims.items())
