"""The effect of each fault that acts on tasks and on callbacks."""

from decimal import Decimal

import pytest

from control.steer import (
    APP,
    CALLING_BACK,
    PROVIDERS,
    T0,
    add,
    advance,
    ask,
    attempts,
    callbacks,
    called_back,
    counts,
    idle,
    poll,
    received,
    refused,
    route_app,
    script,
    sink_url,
    status,
    submit,
    until,
)
from support.calls import Caller
from support.errors import assert_refused
from support.receiver import receiver
from support.scene import Scene


@pytest.fixture(params=PROVIDERS)
def caller(serve: object, request: pytest.FixtureRequest) -> Caller:
    """Each provider in turn, where a generation takes 20 s."""
    scene: Scene = request.getfixturevalue("serve")(latency="20")
    return Caller(scene, request.param, "sk_k")


@pytest.fixture(params=CALLING_BACK)
def house(serve: object, request: pytest.FixtureRequest) -> tuple[Scene, str]:
    """A server where a generation takes 20 s, and a provider that calls back to the sink `app`."""
    scene: Scene = request.getfixturevalue("serve")(latency="20")
    route_app(scene)
    return scene, str(request.param)


# tasks


FAILED = {"xhuoapi": "api_error", "icodeeasy": "server_error", "evolink": "service_error"}


def failure_of(caller: Caller, name: str) -> str:
    """The code with which a provider shows a failed task."""
    body = poll(caller, name).json()
    error = body["response"]["error"] if caller.provider == "xhuoapi" else body["error"]
    return str(error.get("code") or error["type"])


def test_task_fail_is_accepted_then_fails_and_costs_nothing(caller: Caller) -> None:
    rule = add(caller.scene, "task_fail", times=1)
    name = submit(caller)
    assert caller.money()["held"] > 0
    advance(caller.scene, 19.9)
    assert status(caller, name) == "processing"
    advance(caller.scene, 0.1)
    assert (status(caller, name), failure_of(caller, name)) == ("failed", FAILED[caller.provider])
    assert caller.money()["balance"] == caller.money()["opening"]
    assert counts(caller.scene, rule) == (1, 1)


@pytest.mark.parametrize(
    ("caller", "code"),
    [
        ("xhuoapi", "timeout"),
        ("xhuoapi", "forbidden"),
        ("icodeeasy", "invalid_request_error"),
        ("evolink", "content_policy_violation"),
        ("evolink", "image_dimension_mismatch"),
        ("xhuoapi", "quite_new"),
        ("icodeeasy", "quite_new"),
        ("evolink", "quite_new"),
    ],
    indirect=["caller"],
)
def test_task_fail_by_a_code(caller: Caller, code: str) -> None:
    add(caller.scene, "task_fail", fault={"code": code})
    name = submit(caller)
    advance(caller.scene, 20)
    assert failure_of(caller, name) == code


@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_task_fail_in_a_call_that_waits(scene: Scene, provider: str) -> None:
    add(scene, "task_fail")
    caller = Caller(scene, provider, "sk_k")
    assert_refused(provider, caller.generate(), 500, FAILED[provider])
    assert caller.captured() == 0


def test_task_stuck_never_ends_and_holds_its_money(caller: Caller) -> None:
    add(caller.scene, "task_stuck", times=1)
    name = submit(caller)
    for _ in range(3):
        advance(caller.scene, 86_400)
        assert status(caller, name) == "processing"
    shown = ask(caller.scene, "GET", f"tasks/{name}")
    assert (shown["due"], 1 <= shown["progress"] <= 99) == (None, True)
    assert caller.money()["held"] == Decimal(shown["price"])


def test_a_stuck_task_is_ended_by_a_cancellation(serve: object, scene: Scene) -> None:
    add(scene, "task_stuck")
    evolink = Caller(scene, "evolink", "k")
    name = submit(evolink)
    assert evolink.post(f"/v1/tasks/{name}/cancel", {}).json()["status"] == "failed"
    assert evolink.money()["balance"] == evolink.money()["opening"]


@pytest.mark.parametrize(
    ("fault", "seconds"), [({}, 200), ({"factor": 3.0}, 60), ({"factor": 0.5}, 10), ({"seconds": 7}, 7)]
)
def test_task_slow(caller: Caller, fault: dict[str, float], seconds: float) -> None:
    add(caller.scene, "task_slow", fault=fault)
    name = submit(caller)
    assert ask(caller.scene, "GET", f"tasks/{name}")["due"] == T0 + seconds
    advance(caller.scene, seconds)
    assert status(caller, name) == "completed"


def test_several_faults_of_one_task_are_combined(caller: Caller) -> None:
    add(caller.scene, "task_slow", fault={"factor": 2.0})
    add(caller.scene, "task_slow", fault={"factor": 3.0})
    add(caller.scene, "task_fail")
    name = submit(caller)
    assert [event[0] for event in idle(caller.scene)] == [120]
    assert status(caller, name) == "failed"


def test_faults_of_tasks_leave_refused_calls_uncounted(caller: Caller) -> None:
    rule = add(caller.scene, "task_fail")
    ask(caller.scene, "PUT", f"accounts/{caller.key}", {"balance": 0}, provider=caller.provider)
    assert caller.generate().status_code in (402, 403)
    assert counts(caller.scene, rule)[1] == 0


# callbacks


def test_callback_lost_is_kept_unsent_and_can_be_redelivered(house: tuple[Scene, str]) -> None:
    scene, provider = house
    add(scene, "callback_lost", times=1)
    called_back(scene, provider)
    idle(scene)
    (lost,) = callbacks(scene)
    assert (lost["state"], lost["attempts"], lost["next_attempt"]) == ("lost", [], None)
    assert lost["body"]
    assert received(scene) == []
    ask(scene, "POST", f"callbacks/{lost['id']}/redeliver", wait=2)
    assert [body for _, body in received(scene)] == [lost["body"]]
    assert callbacks(scene)[0]["state"] == "delivered"


def test_callback_delayed_comes_later_by_its_seconds(house: tuple[Scene, str]) -> None:
    scene, provider = house
    add(scene, "callback_delayed", fault={"seconds": 90})
    called_back(scene, provider)
    idle(scene)
    assert [time for time, _ in received(scene)] == [110]


def test_a_delayed_callback_retries_from_there(house: tuple[Scene, str]) -> None:
    scene, provider = house
    script(scene, 500, 500)
    add(scene, "callback_delayed", fault={"seconds": 90})
    called_back(scene, provider)
    idle(scene)
    assert attempts(callbacks(scene)[0]) == [(110, 500), (111, 500), (113, 200)]


@pytest.mark.parametrize("copies", [1, 3, 10])
def test_callback_duplicated_comes_several_times_each_on_its_own(house: tuple[Scene, str], copies: int) -> None:
    scene, provider = house
    script(scene, 500)
    add(scene, "callback_duplicated", fault={"copies": copies})
    name = called_back(scene, provider)
    idle(scene)
    found = callbacks(scene, task_id=name)
    assert [attempts(one) for one in found] == [[(20, 500), (21, 200)]] + [[(20, 200)]] * copies
    assert len({one["id"] for one in found}) == copies + 1
    assert len({str(body) for _, body in received(scene)}) == 1


def test_callback_reordered_is_overtaken_by_the_next(house: tuple[Scene, str]) -> None:
    scene, provider = house
    add(scene, "callback_reordered", times=1)
    first = called_back(scene, provider)
    advance(scene, 5)
    second = called_back(scene, provider)
    advance(scene, 16)
    assert received(scene) == []
    idle(scene)
    order = [body.get("task_id") or body["id"] for _, body in received(scene)]
    assert order == [second, first]
    assert [time for time, _ in received(scene)] == [25, 25]


def test_callback_reordered_goes_alone_if_none_comes(house: tuple[Scene, str]) -> None:
    scene, provider = house
    add(scene, "callback_reordered", fault={"seconds": 40.0})
    called_back(scene, provider)
    idle(scene)
    assert [time for time, _ in received(scene)] == [60]


def test_callback_reordered_waits_for_no_other_key(house: tuple[Scene, str]) -> None:
    scene, provider = house
    add(scene, "callback_reordered", {"api_key": "a"}, times=1)
    first, other = called_back(scene, provider, "a"), called_back(scene, provider, "b")
    idle(scene)
    assert [(time, body.get("task_id") or body["id"]) for time, body in received(scene)] == [(20, other), (80, first)]


def test_a_callback_held_back_for_a_reset_account_is_not_sent_twice(scene: Scene) -> None:
    with receiver() as app:
        add(scene, "callback_reordered", {"api_key": "k"}, times=1)
        xhuoapi = Caller(scene, "xhuoapi", "k")
        submit(xhuoapi, callback_url=app.url)
        ask(scene, "POST", "reset", {"api_key": "k"})
        submit(xhuoapi, callback_url=app.url)
        until(lambda: [one["state"] for one in callbacks(scene)] == ["delivered"])
        idle(scene)
    assert len(app.bodies) == 1


def test_two_faults_of_one_callback_the_first_happens_and_the_second_has_not_fired(house: tuple[Scene, str]) -> None:
    scene, provider = house
    add(scene, "callback_lost")
    second = add(scene, "callback_delayed", fault={"seconds": 5})
    called_back(scene, provider)
    idle(scene)
    assert callbacks(scene)[0]["state"] == "lost"
    assert counts(scene, second)[1] == 0


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"provider": "xhuoapi"}, {"xhuoapi a fox", "xhuoapi b fox"}),
        ({"api_key": "a"}, {"xhuoapi a fox", "evolink a fox"}),
        ({"prompt": "b f"}, {"xhuoapi b fox", "evolink b fox"}),
        ({"model": "gpt-image-2-beta", "api_key": "b"}, {"evolink b fox"}),
    ],
)
def test_what_a_fault_of_callbacks_matches(scene: Scene, match: dict[str, str], hit: set[str]) -> None:
    route_app(scene)
    add(scene, "callback_lost", match)
    prompts = {}
    for provider in CALLING_BACK:
        for key in ("a", "b"):
            prompt = f"{provider} {key} fox"
            prompts[called_back(scene, provider, key, prompt=prompt)] = prompt
    until(lambda: callbacks(scene, state="waiting") == [])
    assert {prompts[one["task_id"]] for one in callbacks(scene, state="lost")} == hit


def test_a_fault_of_one_tasks_callback(house: tuple[Scene, str]) -> None:
    scene, provider = house
    hit, other = called_back(scene, provider), called_back(scene, provider)
    rule = add(scene, "callback_lost", {"task_id": hit})
    idle(scene)
    assert {one["task_id"]: one["state"] for one in callbacks(scene)} == {hit: "lost", other: "delivered"}
    assert counts(scene, rule) == (1, 1)


def test_a_captured_callback_can_be_lost_too(scene: Scene) -> None:
    add(scene, "callback_lost", times=1)
    for _ in range(2):
        submit(Caller(scene, "evolink", "k"), callback_url=f"{APP}/hook")
    scene.advance(0)
    assert [one["state"] for one in callbacks(scene)] == ["lost", "captured"]


def test_a_lost_callback_is_still_refused_a_second_schedule_while_one_runs(scene: Scene) -> None:
    script(scene, {"status": 200, "delay": 5})
    add(scene, "callback_lost", times=1)
    submit(Caller(scene, "xhuoapi", "k"), callback_url=sink_url(scene))
    scene.advance(0)
    name = callbacks(scene)[0]["id"]
    ask(scene, "POST", f"callbacks/{name}/redeliver")
    refused(scene, "POST", f"callbacks/{name}/redeliver", status=409, code="still_waiting")
