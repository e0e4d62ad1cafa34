"""Each fault of an answer acts on the answers that its name says, on every route and outcome, and on no others."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from control.steer import PROVIDERS, add, ask, counts, defects
from mockserver.faults.base import kinds
from support.calls import Caller
from support.scene import Scene

PARAMETERS: dict[str, dict[str, Any]] = {
    "disconnect": {"after_bytes": 5},
    "truncate": {"bytes": 5},
    "malformed": {},
    "slow_body": {"bytes_per_second": 1_000_000},
    "image_corrupt": {},
}
ACTS_ON = {
    "disconnect": {"picture", "part", "json", "refusal"},
    "truncate": {"picture", "part", "json", "refusal"},
    "malformed": {"json", "refusal"},
    "slow_body": {"picture", "part", "json", "refusal"},
    "image_corrupt": {"picture", "part"},
}
Answer = tuple[int, bytes, str] | str


@pytest.fixture(params=PROVIDERS)
def caller(scene: Scene, request: pytest.FixtureRequest) -> Caller:
    ask(scene, "PUT", "clock", {"autojump": True})
    return Caller(scene, request.param, "sk_k")


def links(caller: Caller) -> tuple[str, str | None]:
    """The URL of a picture's bytes, and of a redirect to it if the provider has such."""
    answer = caller.generate().json()
    if caller.provider == "evolink":
        return caller.get(f"/v1/tasks/{answer['id']}").json()["results"][0], None
    url = answer["data"][0]["url"]
    if caller.provider == "icodeeasy":
        return caller.scene.http.get(url).headers["location"], url
    return url, None


def outcomes(caller: Caller) -> dict[tuple[str, str], Callable[[], httpx.Response]]:
    """Calls by (sort of answer, name); each can be repeated with the same answer."""
    http, (url, redirect) = caller.scene.http, links(caller)
    etag = http.get(url).headers["etag"]
    task = {
        "xhuoapi": ("POST", "/v1/openai/tasks", {"action": "retrieve_batch", "ids": []}),
        "icodeeasy": ("GET", f"/v1/images/tasks/{caller.tasks()[0]['id']}", None),
        "evolink": ("GET", "/v1/credits", None),
    }[caller.provider]
    found: dict[tuple[str, str], Callable[[], httpx.Response]] = {
        ("picture", "success"): lambda: http.get(url),
        ("part", "range"): lambda: http.get(url, headers={"Range": "bytes=0-499"}),
        ("bodyless", "head"): lambda: http.head(url),
        ("bodyless", "not modified"): lambda: http.get(url, headers={"If-None-Match": etag}),
        ("refusal", "no such picture"): lambda: http.get(url.replace(caller.tasks()[0]["id"], "nothing")),
        ("refusal", "another method"): lambda: http.put(url),
        ("refusal", "another extension"): lambda: http.get(url.replace(".png", ".gif")),
        ("refusal", "unknown path"): lambda: caller.get("/nowhere"),
        ("refusal", "no key"): lambda: caller.send(*task[:2], json=task[2], headers={"Authorization": ""}),
        ("refusal", "bad request"): lambda: caller.generate(prompt=" "),
        ("json", "success"): lambda: caller.send(*task[:2], json=task[2]),
    }
    if redirect:
        found["bodyless", "redirect"] = lambda: http.get(redirect)
        found["bodyless", "head of a redirect"] = lambda: http.head(redirect)
        found["refusal", "no such file"] = lambda: http.get(redirect.replace("-1.png", "-2.png"))
    return found


def got(call: Callable[[], httpx.Response]) -> Answer:
    try:
        answer = call()
    except httpx.TransportError as error:
        return type(error).__name__
    return answer.status_code, _without_ids(answer), answer.headers.get("content-length", "")


def _without_ids(answer: httpx.Response) -> bytes:
    """The body, less the id of the request, which differs from call to call."""
    return answer.content.replace(answer.headers["x-request-id"].encode(), b"")


def test_the_table_has_every_fault_of_an_answer() -> None:
    assert PARAMETERS.keys() == {name for name, kind in kinds().items() if kind.stage == "after"}


@pytest.mark.parametrize("fault", PARAMETERS)
def test_a_fault_acts_on_what_its_name_says(caller: Caller, fault: str) -> None:
    calls = outcomes(caller)
    before = {name: got(call) for name, call in calls.items()}
    rule = add(caller.scene, fault, fault=PARAMETERS[fault])
    acted_on: set[tuple[str, str]] = set()
    for name, call in calls.items():
        seen, fired = got(call), counts(caller.scene, rule)[1]
        assert (seen == before[name]) is (name[0] not in ACTS_ON[fault] or fault == "slow_body"), (name, seen)
        if fired > len(acted_on):
            acted_on.add(name)
    assert acted_on == {name for name in calls if name[0] in ACTS_ON[fault]}
    assert counts(caller.scene, rule) == (len(acted_on), len(acted_on))
    assert defects(caller.scene) == 0


def test_a_disconnect_before_the_answer_acts_on_every_call(caller: Caller) -> None:
    calls = outcomes(caller)
    rule = add(caller.scene, "disconnect")
    assert {got(call) for call in calls.values()} <= {"RemoteProtocolError", "ReadError"}
    assert counts(caller.scene, rule) == (len(calls), len(calls))


def test_image_missing_acts_on_routes_of_pictures_alone(caller: Caller) -> None:
    calls = outcomes(caller)
    before = {name: got(call) for name, call in calls.items()}
    add(caller.scene, "image_missing")
    pictures = {name for name in calls if name[0] in ("picture", "part")} | {("bodyless", "head")}
    for name, call in calls.items():
        status = call().status_code
        assert (status == 404) is (name in pictures or name == ("bodyless", "not modified") or before[name][0] == 404)
