"""What the routes really answer fits their descriptions: every answer that succeeds, in each form that it has."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from control.steer import route_app
from mockserver.control.operations import CALLS
from support import web
from support.calls import ASYNC, GENERATIONS, PROVIDERS, Caller, fixture
from support.openapi import Description
from support.scene import Scene

HOOK = "https://app.example.com/hook"


@pytest.fixture
def slow(serve: Callable[..., Scene]) -> Scene:
    """A generation takes 20 s; calls that wait move the clock."""
    scene = serve(latency="20", autojump=True)
    route_app(scene)
    return scene


def caller(scene: Scene, provider: str) -> tuple[Caller, Callable[[httpx.Response], Any]]:
    """A client of a provider, and the check of its answers."""
    description = Description.read(scene.http, provider)
    return Caller(scene, provider, PROVIDERS[provider].example.key), lambda answer: description.check(
        answer, f"/{provider}"
    )


def callbacks_fit(scene: Scene, provider: str) -> list[dict[str, Any]]:
    """The bodies of a provider's callbacks, each of which must fit the description."""
    description = Description.read(scene.http, provider)
    operation = description.operation("POST", GENERATIONS[provider])
    (item,) = operation["callbacks"]["taskEnded"].values()
    schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]
    bodies = [callback["body"] for callback in scene.mock("callbacks")["callbacks"]]
    for body in bodies:
        description.fits(schema, body)
    return bodies


def test_evolink(slow: Scene) -> None:
    evolink, check = caller(slow, "evolink")
    task = check(evolink.generate(callback_url=HOOK))["id"]
    failing = check(evolink.generate(prompt="[mock:fail]", callback_url=HOOK))["id"]
    cancelled = check(evolink.generate())["id"]
    assert check(evolink.get(f"/v1/tasks/{task}"))["status"] == "pending"
    assert check(evolink.post(f"/v1/tasks/{cancelled}/cancel", {}))["status"] == "failed"
    slow.advance(30)
    shown = check(evolink.get(f"/v1/tasks/{task}"))
    assert check(web.get(shown["results"][0])).startswith(b"\x89PNG")
    assert check(evolink.get(f"/v1/tasks/{failing}"))["error"]
    assert check(evolink.get("/v1/credits"))["success"] is True
    assert {body["status"] for body in callbacks_fit(slow, "evolink")} == {"completed", "failed"}


def test_icodeeasy(slow: Scene) -> None:
    icodeeasy, check = caller(slow, "icodeeasy")
    link = check(icodeeasy.generate())["data"][0]["url"]
    check(icodeeasy.form([("image", fixture("reference.png"))]))
    redirect = web.get(link)
    assert check(redirect) is None
    assert check(web.get(redirect.headers["location"])).startswith(b"\x89PNG")
    for prompt, status in (("a fox", "completed"), ("[mock:fail] a fox", "failed")):
        submitted = icodeeasy.generate(query="?async=1", prompt=prompt, n=2)
        assert submitted.status_code == 202
        task = check(submitted)["task_id"]
        assert check(icodeeasy.get(f"/v1/images/tasks/{task}"))["status"] == "pending"
        slow.advance(60)
        assert check(icodeeasy.get(f"/v1/images/tasks/{task}"))["status"] == status


@pytest.mark.parametrize("model", PROVIDERS["xhuoapi"].models)
def test_xhuoapi(slow: Scene, model: str) -> None:
    xhuoapi, check = caller(slow, "xhuoapi")
    picture = web.get(check(xhuoapi.generate(model=model))["data"][0]["url"])
    assert check(picture).startswith(b"\x89PNG")
    check(xhuoapi.form([("image", fixture("reference.png"))], model=model))
    if "nano" not in model:
        assert "b64_json" in check(xhuoapi.generate(model=model, response_format="b64_json"))["data"][0]
    waiting = check(xhuoapi.generate(model=model, callback_url=HOOK))["task_id"]
    failing = check(xhuoapi.generate(model=model, prompt="[mock:fail]", callback_url=HOOK))["task_id"]
    traced = check(xhuoapi.generate(model=model, **ASYNC))["task_id"]
    tasks = "/v1/openai/tasks"
    assert check(xhuoapi.post(tasks, {"action": "retrieve", "id": waiting}))["response"] is None
    assert check(xhuoapi.post(tasks, {"action": "retrieve", "id": "unknown"})) == {}
    slow.advance(60)
    batch = check(xhuoapi.post(tasks, {"action": "retrieve_batch", "ids": [waiting, failing, traced]}))
    assert [item["response"].get("success", True) for item in batch["items"]] == [True, False, True]
    assert sorted(body["success"] for body in callbacks_fit(slow, "xhuoapi")) == [False, True]


def test_the_control_surface(slow: Scene) -> None:
    """Every call that has an answer in JSON, with records of every kind."""
    description = Description.read(slow.http, "_mock")
    evolink, _ = caller(slow, "evolink")
    tasks = [evolink.generate(callback_url=HOOK).json()["id"] for _ in range(5)]
    seen: set[str] = set()

    def call(method: str, path: str, body: Any = None) -> Any:
        answer = slow.http.request(method, f"/_mock/{path}", json=body)
        assert answer.status_code == 200, answer.text
        seen.add(f"{method} {description.operation(method, answer.request.url.path)['operationId']}")
        return description.check(answer)

    call("PUT", "sink/hook", {"responses": [500, {"status": 200, "delay": 0}]})
    call("POST", f"tasks/{tasks[0]}/complete")
    call("POST", f"tasks/{tasks[1]}/fail", {"code": "generation_timeout"})
    call("POST", f"tasks/{tasks[2]}/cancel")
    rule = call("POST", "faults", {"match": {"provider": "evolink"}, "times": 1, "fault": {"type": "status"}})["id"]
    call("GET", f"faults/{rule}")
    call("DELETE", f"faults/{rule}")
    call("POST", "faults", {"fault": {"type": "latency", "seconds": 1}})
    call("POST", "clock/advance", {"until": "idle"})
    entry = call("GET", "requests?view=summary&limit=3")["requests"][0]["id"]
    callback = call("GET", "callbacks?state=delivered")["callbacks"][0]["id"]
    call("GET", f"requests/{entry}")
    call("GET", f"callbacks/{callback}")
    call("POST", f"callbacks/{callback}/redeliver")
    call("GET", f"tasks/{tasks[0]}")
    call("GET", f"pictures/{tasks[0]}/0?width=16")
    call("PUT", "routes", call("GET", "routes"))
    call("POST", "routes", {"from": "https://other.example", "to": "http://127.0.0.1:9"})
    call("DELETE", "routes?from=https://other.example")
    account = {"balance": "5", "quota": "2.5", "rate_limit": {"requests": 2, "seconds": 60}}
    call("PUT", f"accounts/{evolink.key}?provider=evolink", account)
    call("GET", f"accounts/{evolink.key}?provider=evolink")
    for path in ("health", "clock", "tasks", "requests", "callbacks", "accounts", "faults", "providers", "fault-kinds"):
        call("GET", path)
    for path in ("advice", "sink/hook", "openapi.json", "requests.har"):
        call("GET", path)
    call("DELETE", "faults")
    call("POST", f"requests/{entry}/resend")
    call("GET", "snapshot")
    call("PUT", "clock", {"autojump": False})
    call("POST", "reset", {})
    call("PUT", "snapshot", call("GET", "snapshot"))
    described = {f"{name.split()[0]} {description.operation(*name.split())['operationId']}" for name in CALLS}
    assert described - seen == {
        "GET get_mock_metrics",
        "GET get_mock_proxy",
        "GET get_mock_events",
        "POST post_mock_sink_name",
    }
