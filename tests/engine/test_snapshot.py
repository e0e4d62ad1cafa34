"""Snapshots: a restored server goes on as the old one would have; invalid ones change nothing; none has a key."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from control.steer import (
    APP,
    PROVIDERS,
    T0,
    add,
    advance,
    ask,
    attempts,
    callbacks,
    clock,
    counts,
    defects,
    idle,
    order,
    poll,
    received,
    refused,
    script,
    submit,
    until,
)
from support.calls import Caller
from support.receiver import receiver
from support.scene import Scene

Serve = Callable[..., Scene]


@pytest.fixture
def start(serve: Serve) -> Serve:
    """Start servers that go by one name, so that the URLs in their answers are the same."""

    def named(**settings: Any) -> Scene:
        scene = serve(**settings)
        scene.http.headers["Host"] = "mock.localhost"
        return scene

    return named


@pytest.fixture
def old(start: Serve) -> Scene:
    """A server with something of everything on record and under way."""
    scene = start(latency="5-50", seed="old")
    ask(scene, "PUT", "routes", {"routes": [{"from": APP, "to": "http://127.0.0.1/_mock/sink"}]})
    script(scene, 500, {"status": 500, "delay": 4}, {"delay": 11}, 503, {"delay": 2}, name="app")
    add(scene, "task_stuck", {"prompt": "stuck"})
    add(scene, "callback_reordered", {"prompt": "held"}, fault={"seconds": 500.0})
    add(scene, "callback_lost", {"prompt": "lost"})
    add(scene, "task_fail", {"api_key": "sk_a"}, skip=2, every=3)
    add(scene, "status", {"api_key": "sk_b"}, probability=0.3, fault={"status": 503})
    for key in ("sk_a", "sk_b"):
        for provider in PROVIDERS:
            ask(scene, "PUT", f"accounts/{key}", {"quota": "40", "balance": "77.7"}, provider=provider)
    ask(scene, "PUT", "accounts/sk_a", {"rate_limit": {"requests": 9, "seconds": 60}}, provider="evolink")
    orders(scene, "early")
    advance(scene, 22)
    orders(scene, "late")
    advance(scene, 3)
    return scene


def orders(scene: Scene, word: str) -> list[Any]:
    """One call of every kind by two keys at each provider; the answers' statuses and bodies."""
    answers = []
    for provider in PROVIDERS:
        for key in ("sk_a", "sk_b"):
            caller = Caller(scene, provider, key)
            for more in ("", "stuck", "held", "lost"):
                where = {} if provider == "icodeeasy" else {"callback_url": f"{APP}/app"}
                answers.append(order(caller, prompt=f"{word} {more}", **where))
    answers.append(Caller(scene, "evolink", "k").generate(headers={"Authorization": ""}))
    return [(answer.status_code, answer.text, dict(answer.headers) | {"date": ""}) for answer in answers]


def everything(scene: Scene) -> dict[str, Any]:
    """Tasks, deliveries, accounts, faults, sinks and clock, as shown."""
    nouns = ("tasks", "callbacks", "accounts", "faults", "routes", "clock", "sink/app")
    shown = {noun: ask(scene, "GET", noun, **({"limit": 1000} if noun in nouns[:3] else {})) for noun in nouns}
    for key in ("sk_a", "sk_b"):
        for provider in PROVIDERS:
            shown[f"{key} {provider}"] = ask(scene, "GET", f"accounts/{key}", provider=provider)
    return shown


def future(scene: Scene) -> list[Any]:
    """All that happens from here on."""
    happened: list[Any] = [advance(scene, 13), orders(scene, "again"), everything(scene)]
    name = callbacks(scene, state="lost")[0]["id"]
    ask(scene, "POST", f"callbacks/{name}/redeliver")
    happened += [advance(scene, 60), orders(scene, "and again"), idle(scene), everything(scene)]
    happened += [advance(scene, 31 * 86_400), orders(scene, "next month"), idle(scene), everything(scene)]
    return happened


def test_a_restored_server_shows_what_the_old_one_does(old: Scene, start: Serve) -> None:
    new = start(seed="new")
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    assert everything(new) == everything(old)


def test_a_restored_server_goes_on_as_the_old_one_would_have(old: Scene, start: Serve) -> None:
    new = start(latency="5-50", seed="new")
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    for there, here in zip(future(new), future(old), strict=True):
        assert there == here
    assert (defects(new), defects(old)) == (0, 0)


def test_a_server_restored_to_its_own_snapshot_gives_the_same_results(old: Scene) -> None:
    saved = ask(old, "GET", "snapshot")
    first = future(old)
    ask(old, "PUT", "snapshot", saved)
    assert future(old) == first


def test_a_snapshot_of_what_was_restored_is_the_same_snapshot(old: Scene, start: Serve) -> None:
    new, saved = start(), ask(old, "GET", "snapshot")
    ask(new, "PUT", "snapshot", saved)
    assert ask(new, "GET", "snapshot") == saved


def test_taking_a_snapshot_changes_nothing(old: Scene) -> None:
    before = everything(old)
    assert ask(old, "GET", "snapshot") == ask(old, "GET", "snapshot")
    assert everything(old) == before


def test_a_snapshot_is_plain_json(old: Scene) -> None:
    saved = old.http.get("/_mock/snapshot").text
    assert json.loads(saved, parse_constant=lambda name: pytest.fail(name))


def test_a_snapshot_contains_no_key_in_clear(start: Serve) -> None:
    scene, key = start(latency="5"), "sk_very-secret-0123456789"
    add(scene, "status", {"api_key": key}, skip=50)
    for provider in PROVIDERS:
        submit(Caller(scene, provider, key))
        ask(scene, "PUT", f"accounts/{key}", {"balance": 5}, provider=provider)
    scene.http.post("/_mock/sink/app", json={}, headers={"Authorization": f"Bearer {key}"})
    advance(scene, 7)
    text = scene.http.get("/_mock/snapshot").text
    assert "very-secret" not in text
    assert text.count("acct_") > 5


def test_idempotency_keys_and_trace_ids_are_restored(start: Serve) -> None:
    old, new = start(), start()
    evolink, xhuoapi = Caller(old, "evolink", "k"), Caller(old, "xhuoapi", "k")
    first = evolink.generate(headers={"Idempotency-Key": "once"})
    xhuoapi.generate(trace_id="trace-1", callback_url="http://127.0.0.1/_mock/sink/app")
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    again = Caller(new, "evolink", "k").generate(headers={"Idempotency-Key": "once"})
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first.json()["id"], "true")
    asked = {"action": "retrieve", "trace_id": "trace-1"}
    assert Caller(new, "xhuoapi", "k").post("/v1/openai/tasks", asked).json()["trace_id"] == "trace-1"


def test_a_stuck_task_stays_stuck(start: Serve) -> None:
    old, new = start(), start()
    add(old, "task_stuck")
    name = submit(Caller(old, "evolink", "k"))
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    assert idle(new) == []
    evolink = Caller(new, "evolink", "k")
    assert poll(evolink, name).json()["status"] == "processing"
    assert evolink.post(f"/v1/tasks/{name}/cancel", {}).json()["status"] == "failed"
    assert evolink.money()["held"] == 0


@pytest.mark.parametrize("verb", ["complete", "fail", "cancel"])
def test_a_task_that_was_ended_by_hand_is_restored(start: Serve, verb: str) -> None:
    old, new = start(latency="20"), start(latency="20")
    name = submit(Caller(old, "evolink", "k"))
    shown = ask(old, "POST", f"tasks/{name}/{verb}", {})
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    assert ask(new, "GET", f"tasks/{name}") == shown
    assert Caller(new, "evolink", "k").money() == Caller(old, "evolink", "k").money()


def test_an_attempt_under_way_at_a_sink_ends_when_it_would_have(start: Serve) -> None:
    old, new = start(), start()
    for delay in (8, 60):
        script(old, {"status": 500, "delay": delay})
        submit(Caller(old, "xhuoapi", "k"), callback_url="http://127.0.0.1/_mock/sink/app")
        advance(old, 2)
        ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
        assert idle(new) == idle(old)
        assert attempts(callbacks(new)[-1]) == attempts(callbacks(old)[-1])


def test_a_callback_held_back_is_still_released_by_the_next(start: Serve) -> None:
    old, new = start(), start()
    add(old, "callback_reordered", times=1)
    held = submit(Caller(old, "xhuoapi", "k"), callback_url="http://127.0.0.1/_mock/sink/app")
    advance(old, 2)
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    ahead = submit(Caller(new, "xhuoapi", "k"), callback_url="http://127.0.0.1/_mock/sink/app")
    idle(new)
    assert [(time, body["task_id"]) for time, body in received(new)] == [(2, ahead), (2, held)]


def test_an_attempt_under_way_at_a_real_receiver_is_made_again(start: Serve) -> None:
    scene = start(latency="5")
    with receiver(500) as app:
        submit(Caller(scene, "xhuoapi", "k"), callback_url=app.url)
        advance(scene, 5)
        saved = ask(scene, "GET", "snapshot")
        idle(scene)
        ask(scene, "PUT", "snapshot", saved)
        assert [time for time, _, _ in idle(scene)] == [6]
        assert len(app.bodies) == 3
    assert attempts(callbacks(scene)[0]) == [(5, 500), (6, 200)]


def test_counts_of_rules_are_restored(start: Serve) -> None:
    old, new = start(), start()
    rule = add(old, "status", skip=1, times=2)
    evolink = Caller(old, "evolink", "k")
    assert [evolink.generate().status_code for _ in range(2)] == [200, 500]
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    assert counts(new, rule) == (2, 1)
    assert [Caller(new, "evolink", "k").generate().status_code for _ in range(2)] == [500, 200]
    assert add(new, "status", times=1) == "fault-2"


@pytest.mark.parametrize("gone", [[], ["fault-1"], ["fault-1", "fault-2"], ["fault-2", "fault-4"]])
def test_every_rule_is_restored_whichever_were_removed_before(start: Serve, gone: list[str]) -> None:
    old, new = start(), start()
    for number in range(6):
        add(old, "latency", {"prompt": str(number)}, fault={"seconds": 0})
    for name in gone:
        ask(old, "DELETE", f"faults/{name}")
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    assert ask(new, "GET", "faults") == ask(old, "GET", "faults")


def test_a_restored_clock_goes_on_by_itself_if_it_did(start: Serve) -> None:
    old, new = start(clock="real", latency="60"), start()
    ask(old, "PUT", "clock", {"speed": 1_000})
    name = submit(Caller(old, "evolink", "k"))
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    assert (ask(new, "GET", "clock")["mode"], ask(new, "GET", "clock")["speed"]) == ("real", 1_000)
    until(lambda: poll(Caller(new, "evolink", "k"), name).json()["status"] == "completed")


def test_autojump_is_restored(start: Serve) -> None:
    old, new = start(latency="30", autojump=True), start(latency="30")
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    assert Caller(new, "icodeeasy", "sk_k").generate().status_code == 200
    assert clock(new) == 30


def test_a_reset_after_a_restoration_uses_the_servers_own_seed(old: Scene, start: Serve) -> None:
    new = start(seed="new", latency="5-50")
    fresh = orders(new, "x")
    ask(new, "PUT", "snapshot", ask(old, "GET", "snapshot"))
    ask(new, "POST", "reset", {})
    assert clock(new) == 0
    assert received(new) == []
    assert orders(new, "x") == fresh


# rubbish


def change(path: str, value: Any) -> Callable[[Any], None]:
    """Put a value at a dotted place."""
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]

    def apply(snapshot: Any) -> None:
        for part in way:
            snapshot = snapshot[part]
        snapshot[last] = value

    return apply


RUBBISH = [
    change("engine.form", 1),
    change("engine.form", None),
    change("engine.clock.now", "NaN"),
    change("engine.clock.now", "Infinity"),
    change("engine.clock.now", 1e18),
    change("engine.clock.now", -1e12),
    change("engine.clock.mode", "sundial"),
    change("engine.clock", {"now": 0.0, "mode": "real", "speed": 0, "autojump": False}),
    change("engine.clock", {"now": 0.0, "mode": "real", "speed": "NaN", "autojump": False}),
    change("engine.tasks", {}),
    change("engine.tasks.0.job.provider", "nowhere"),
    change("engine.tasks.0.job.cost", "much"),
    change("engine.tasks.0.created", "NaN"),
    change("engine.held.0", [0.5, ""]),
    change("engine.held.0", ["nothing", ""]),
    change("engine.accounts.0.provider", "nowhere"),
    change("engine.accounts.0.balance", 10**6),
    change("engine.deliveries.0.provider", "nowhere"),
    change("engine.deliveries.0.state", "done"),
    change("engine.planned.0", ["NaN", "finish", "x"]),
    change("engine.planned.0", [T0, "party", "x"]),
    change("engine.planned.0", [T0]),
    change("engine.extra", 1),
    change("engine.routes", [["nowhere", "to"]]),
    change("faults.0.id", [1]),
    change("faults.0.matched", "often"),
    change("faults.0.fired", -1),
    change("faults.0", {}),
    change("faults.0.fault", {"type": "earthquake"}),
    change("faults", None),
    change("faults_added", -1),
    change("more", 1),
    change("engine", {}),
]


@pytest.mark.parametrize("spoil", RUBBISH, ids=[str(number) for number in range(len(RUBBISH))])
def test_a_wrong_value_is_refused_and_changes_nothing(start: Serve, spoil: Callable[[Any], None]) -> None:
    scene = start(latency="5")
    add(scene, "status", skip=90)
    submit(Caller(scene, "xhuoapi", "k"), callback_url="http://127.0.0.1/_mock/sink/app")
    advance(scene, 6)
    submit(Caller(scene, "evolink", "k"))
    saved = ask(scene, "GET", "snapshot")
    spoiled = deepcopy(saved)
    spoil(spoiled)
    assert refused(scene, "PUT", "snapshot", spoiled)
    assert ask(scene, "GET", "snapshot") == saved
    assert defects(scene) == 0


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"{", b'{"engine": 1}', b"\xff"])
def test_a_body_that_is_not_a_snapshot_is_refused(old: Scene, body: bytes) -> None:
    before = everything(old)
    answer = old.http.put("/_mock/snapshot", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert everything(old) == before
