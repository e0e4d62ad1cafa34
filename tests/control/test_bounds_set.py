"""The bounds that are set: an accepted task is never dropped, and what is beyond a bound is refused or dropped."""

from collections.abc import Callable

import pytest

from control.steer import PROVIDERS, advance, ask, idle
from support.calls import Caller
from support.scene import Scene

Serve = Callable[..., Scene]


def kept(scene: Scene, noun: str) -> tuple[int, int, int]:
    """How many there are, may be, and were dropped."""
    found = ask(scene, "GET", "health")["kept"][noun]
    return found["count"], found["bound"], found["dropped"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_beyond_the_bound_a_submission_is_the_providers_503_and_nothing_is_lost(
    serve: Serve, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = serve(latency="60", keep_tasks=3)
    caller = Caller(scene, provider, "sk_k")
    xhuoapi = Caller(scene, "xhuoapi", "sk_k")
    for _ in range(3):
        assert xhuoapi.generate(callback_url="https://app.example.com/x").status_code == 200
    for _ in range(4):
        refused = caller.generate()
        assert refused.status_code == 503
        assert "--keep-tasks" in refused.text
    assert [message for message in caplog.messages if "503" in message] == [
        "submissions are refused (503): 3 generations are under way, as many as --keep-tasks allows"
    ]
    assert kept(scene, "tasks") == (3, 3, 0)
    assert scene.money(provider, "sk_k")["held"] == (
        scene.money("xhuoapi", "sk_k")["held"] if provider == "xhuoapi" else 0
    )
    advance(scene, 60)
    assert {task["status"] for task in ask(scene, "GET", "tasks")["tasks"]} == {"completed"}
    assert Caller(scene, "evolink", "k").generate().status_code == 200


def test_every_bound_is_a_setting(serve: Serve) -> None:
    scene = serve(latency="instant", keep_tasks=4, keep_requests=3, keep_callbacks=2, keep_accounts=1)
    for number in range(7):
        Caller(scene, "xhuoapi", f"k{number}").generate(callback_url="https://app.example.com/x")
        idle(scene)
    assert [kept(scene, noun) for noun in ("tasks", "requests", "callbacks", "accounts")] == [
        (4, 4, 3),
        (3, 3, 4),
        (2, 2, 5),
        (1, 1, 6),
    ]
    assert len(ask(scene, "GET", "tasks")["tasks"]) == 4


def test_a_key_of_a_hostile_name_is_reset_alone(serve: Serve) -> None:
    """An Idempotency-Key or a trace id may contain another account's name: it is its own account's all the same."""
    scene = serve(latency="60")
    other = ask(scene, "GET", "accounts/k2", provider="evolink")["account"]
    names = [f"x/{other}/y", f"/{other}/", f"evolink/{other}/once", other, "../" + other, f"delivery/{other}"]
    evolink, xhuoapi = Caller(scene, "evolink", "k1"), Caller(scene, "xhuoapi", "k1")
    first = [evolink.generate(headers={"Idempotency-Key": name}).json()["id"] for name in names]
    traced = [xhuoapi.generate(trace_id=name, callback_url="https://a.example/x").json()["task_id"] for name in names]
    Caller(scene, "evolink", "k2").generate(headers={"Idempotency-Key": names[0]})
    ask(scene, "POST", "reset", {"api_key": "k2"})
    assert [evolink.generate(headers={"Idempotency-Key": name}).json()["id"] for name in names] == first
    for name, task_id in zip(names, traced, strict=True):
        asked = {"action": "retrieve", "trace_id": name}
        assert xhuoapi.post("/v1/openai/tasks", asked).json()["id"] == task_id
    ask(scene, "POST", "reset", {"api_key": "k1"})
    assert "idempotency-replayed" not in evolink.generate(headers={"Idempotency-Key": names[0]}).headers
    assert xhuoapi.post("/v1/openai/tasks", {"action": "retrieve", "trace_id": names[0]}).json() == {}
