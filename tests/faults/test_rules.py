"""Fault rules over HTTP: what they match, when they fire, their counts, and which rules are refused."""

from typing import Any

import pytest

from control.steer import (
    PROVIDERS,
    add,
    ask,
    callers,
    counts,
    defects,
    later,
    order,
    poll,
    refused,
    status,
    submit,
    task_id,
    until,
)
from mockserver.engine.accounts import account_id
from support.calls import EDITS, GENERATIONS, MODELS, Caller, fixture
from support.errors import assert_refused
from support.scene import Scene

CODE_500 = {"xhuoapi": "api_error", "icodeeasy": "server_error", "evolink": "internal_error"}
PNG = fixture("reference.png")


def statuses(caller: Caller, count: int, **fields: Any) -> list[int]:
    """The statuses of `count` generations."""
    return [caller.generate(**fields).status_code for _ in range(count)]


# when


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("when", "fires"),
    [
        ({}, [1, 1, 1, 1, 1, 1]),
        ({"skip": 2}, [0, 0, 1, 1, 1, 1]),
        ({"times": 2}, [1, 1, 0, 0, 0, 0]),
        ({"every": 3}, [0, 0, 1, 0, 0, 1]),
        ({"skip": 1, "times": 2}, [0, 1, 1, 0, 0, 0]),
        ({"skip": 1, "every": 2}, [0, 0, 1, 0, 1, 0]),
        ({"skip": 1, "every": 2, "times": 1}, [0, 0, 1, 0, 0, 0]),
        ({"skip": 100}, [0, 0, 0, 0, 0, 0]),
        ({"probability": 1}, [1, 1, 1, 1, 1, 1]),
        ({"probability": 1e-12}, [0, 0, 0, 0, 0, 0]),
    ],
)
def test_when_a_rule_fires(scene: Scene, provider: str, when: dict[str, Any], fires: list[int]) -> None:
    rule = add(scene, "status", **when)
    caller = Caller(scene, provider, "sk_k")
    assert [int(found == 500) for found in statuses(caller, 6)] == fires
    assert counts(scene, rule) == (6, sum(fires))


def test_probability_is_about_right_and_the_same_each_time(scene: Scene) -> None:
    def statuses_of_a_run() -> list[int]:
        ask(scene, "POST", "reset", {})
        add(scene, "status", probability=0.3)
        return statuses(Caller(scene, "evolink", "k"), 100)

    first = statuses_of_a_run()
    assert 15 <= first.count(500) <= 45
    assert statuses_of_a_run() == first


def test_probability_of_one_key_is_not_changed_by_rules_of_another(scene: Scene) -> None:
    def statuses_of_a_run() -> list[int]:
        add(scene, "status", {"api_key": "mine"}, probability=0.5)
        found = statuses(Caller(scene, "evolink", "mine"), 24)
        ask(scene, "POST", "reset", {"api_key": "mine"})
        return found

    alone = statuses_of_a_run()
    add(scene, "status", {"api_key": "another"})
    assert statuses_of_a_run() == alone


def test_rules_with_times_1_fire_one_after_the_other(scene: Scene) -> None:
    first = add(scene, "status", times=1, fault={"status": 429})
    second = add(scene, "status", times=1, fault={"status": 503})
    assert statuses(Caller(scene, "evolink", "k"), 3) == [429, 503, 200]
    assert (counts(scene, first)[1], counts(scene, second)[1]) == (1, 1)


def test_a_rule_that_was_forestalled_has_not_fired(scene: Scene) -> None:
    add(scene, "status", fault={"status": 429})
    second = add(scene, "status", fault={"status": 503})
    assert statuses(Caller(scene, "evolink", "k"), 1) == [429]
    assert counts(scene, second)[1] == 0


# what a rule matches


@pytest.mark.parametrize("provider", PROVIDERS)
def test_match_by_provider(scene: Scene, provider: str) -> None:
    rule = add(scene, "status", {"provider": provider})
    hit = [caller.provider for caller in callers(scene) if caller.generate().status_code == 500]
    assert hit == [provider]
    assert counts(scene, rule) == (1, 1)


@pytest.mark.parametrize("key", ["sk_hit", account_id("sk_hit")])
def test_match_by_key_or_its_hash(scene: Scene, key: str) -> None:
    rule = add(scene, "status", {"api_key": key})
    assert [caller.keyed("sk_hit").generate().status_code for caller in callers(scene)] == [500] * 3
    assert [caller.keyed("sk_other").generate().status_code for caller in callers(scene)] == [200] * 3
    assert counts(scene, rule) == (3, 3)


def test_a_key_is_shown_as_its_hash_alone(scene: Scene) -> None:
    add(scene, "status", {"api_key": "sk_very-secret"})
    shown = scene.http.get("/_mock/faults").text
    assert "very-secret" not in shown
    assert account_id("sk_very-secret") in shown


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [
        ("/v1/images/generations", {"icodeeasy", "evolink"}),
        ("/v1/openai/images/generations", {"xhuoapi"}),
        ("*/generations", {"xhuoapi", "icodeeasy", "evolink"}),
        ("/v1/openai/*", {"xhuoapi"}),
        ("/v?/images/*", {"icodeeasy", "evolink"}),
        ("*", {"xhuoapi", "icodeeasy", "evolink"}),
        ("/v1/tasks/*", set()),
    ],
)
def test_match_by_path(scene: Scene, pattern: str, hit: set[str]) -> None:
    add(scene, "status", {"path": pattern})
    assert {caller.provider for caller in callers(scene) if caller.generate().status_code == 500} == hit


def test_match_by_path_under_the_documented_host(scene: Scene) -> None:
    add(scene, "status", {"path": "/v1/images/generations"})
    headers = {"Host": "api.evolink.ai", "Authorization": "Bearer k"}
    body = {"model": "gpt-image-2-beta", "prompt": "x"}
    assert scene.http.post("/v1/images/generations", json=body, headers=headers).status_code == 500


def test_match_by_method(scene: Scene) -> None:
    evolink = Caller(scene, "evolink", "k")
    name = submit(evolink)
    rule = add(scene, "status", {"method": "GET", "path": "/v1/tasks/*"})
    assert (evolink.generate().status_code, poll(evolink, name).status_code) == (200, 500)
    assert counts(scene, rule) == (1, 1)


@pytest.mark.parametrize("type", ["status", "malformed", "task_fail"])
def test_match_by_model(scene: Scene, type: str) -> None:
    rule = add(scene, type, {"model": "nano-banana"})
    xhuoapi = Caller(scene, "xhuoapi", "k")
    xhuoapi.generate(model="dall-e-2")
    assert counts(scene, rule) == (0, 0)
    xhuoapi.generate(model="nano-banana")
    assert counts(scene, rule) == (1, 1)


def test_match_by_a_model_that_the_request_leaves_to_the_provider(scene: Scene) -> None:
    add(scene, "status", {"model": "dall-e-3"})
    answer = Caller(scene, "xhuoapi", "k").form([("image", PNG)], without=["model"])
    assert answer.status_code == 500


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("type", ["status", "malformed", "task_stuck"])
def test_match_by_a_part_of_the_prompt(scene: Scene, provider: str, type: str) -> None:
    rule = add(scene, type, {"provider": provider, "prompt": "red 狐"})
    caller = Caller(scene, provider, "sk_k")
    submit(caller, prompt="a red fox")
    assert counts(scene, rule) == (0, 0)
    order(caller, prompt="a big red 狐狸!")
    assert counts(scene, rule) == (1, 1)


@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
@pytest.mark.parametrize("match", [{"prompt": "fox"}, {"model": "gpt-image-2"}])
def test_multipart_bodies_are_matched_too(scene: Scene, provider: str, match: dict[str, str]) -> None:
    rule = add(scene, "status", match, times=1)
    caller = Caller(scene, provider, "sk_k")
    answers = [caller.form([("image", PNG)]).status_code for _ in range(2)]
    assert answers == [500, 200]
    assert counts(scene, rule) == (2, 1)
    assert len(caller.tasks()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_match_by_task_id_hits_the_polls_of_that_task_alone(scene: Scene, provider: str) -> None:
    caller = Caller(scene, provider, "sk_k")
    hit, other = submit(caller, prompt="one"), submit(caller, prompt="two")
    add(scene, "status", {"task_id": hit})
    assert [poll(caller, name).status_code for name in (hit, other)] == [500, 200]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_match_by_prompt_hits_the_polls_of_the_task(scene: Scene, provider: str) -> None:
    caller = Caller(scene, provider, "sk_k")
    hit, other = submit(caller, prompt="one"), submit(caller, prompt="two")
    add(scene, "status", {"prompt": "one"})
    assert [poll(caller, name).status_code for name in (hit, other)] == [500, 200]


def test_all_of_a_match_must_hold(scene: Scene) -> None:
    rule = add(scene, "status", {"provider": "evolink", "api_key": "k", "prompt": "fox", "method": "POST"})
    evolink = Caller(scene, "evolink", "k")
    assert evolink.generate(prompt="bear").status_code == 200
    assert evolink.keyed("other").generate(prompt="fox").status_code == 200
    assert Caller(scene, "xhuoapi", "k").generate(prompt="fox").status_code == 200
    assert counts(scene, rule) == (0, 0)
    assert evolink.generate(prompt="fox").status_code == 500


@pytest.mark.parametrize("body", [b"{", b"[1]", b"", b'{"prompt": 7}'])
def test_a_body_that_can_not_be_read_is_refused_as_without_the_rule(scene: Scene, body: bytes) -> None:
    evolink = Caller(scene, "evolink", "k")
    headers = {"Content-Type": "application/json"}
    plain = evolink.send("POST", GENERATIONS["evolink"], content=body, headers=headers)
    add(scene, "status", {"prompt": "fox"})
    again = evolink.send("POST", GENERATIONS["evolink"], content=body, headers=headers)
    assert (again.status_code, again.json()) == (plain.status_code, plain.json())


def test_calls_without_a_key_are_refused_first(scene: Scene) -> None:
    rule = add(scene, "status")
    for caller in callers(scene):
        assert caller.generate(headers={"Authorization": ""}).status_code == 401
    assert counts(scene, rule) == (0, 0)


def test_rules_on_different_keys_do_not_touch_each_other(scene: Scene) -> None:
    rules = {key: add(scene, "status", {"api_key": key}, times=1) for key in ("a", "b")}
    evolink = Caller(scene, "evolink", "a")
    assert statuses(evolink, 3) == [500, 200, 200]
    assert counts(scene, rules["b"]) == (0, 0)
    assert statuses(evolink.keyed("b"), 2) == [500, 200]
    assert counts(scene, rules["a"]) == (3, 1)


def test_no_rule_hits_the_control_surface(scene: Scene) -> None:
    add(scene, "disconnect")
    add(scene, "status")
    assert scene.http.get("/_mock/health").status_code == 200


# the list of rules


def test_a_rule_is_shown_as_it_was_given(scene: Scene) -> None:
    given = {
        "match": {"provider": "icodeeasy", "api_key": account_id("sk_f")},
        "skip": 1,
        "times": 2,
        "every": 1,
        "probability": 1.0,
        "fault": {"type": "status", "status": 429, "retry_after": 3},
    }
    shown = ask(scene, "POST", "faults", {**given, "match": {"provider": "icodeeasy", "api_key": "sk_f"}})
    assert shown == {"id": shown["id"], **given, "matched": 0, "fired": 0}
    assert ask(scene, "GET", "faults") == {"faults": [shown], "next": None}
    assert ask(scene, "GET", f"faults/{shown['id']}") == shown


def test_the_issues_own_example(scene: Scene) -> None:
    fault = {"type": "status", "status": 429, "retry_after": 3}
    match = {"provider": "icodeeasy", "api_key": "sk_f"}
    ask(scene, "POST", "faults", {"match": match, "skip": 1, "times": 2, "fault": fault})
    answers = [Caller(scene, "icodeeasy", "sk_f").generate() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["retry-after"] == "3"


def test_one_rule_is_removed(scene: Scene) -> None:
    first, second = add(scene, "status", {"api_key": "a"}), add(scene, "status", {"api_key": "b"})
    assert ask(scene, "DELETE", f"faults/{first}")["id"] == first
    assert [rule["id"] for rule in ask(scene, "GET", "faults")["faults"]] == [second]
    assert refused(scene, "DELETE", f"faults/{first}", status=404, code="not_found")
    assert statuses(Caller(scene, "evolink", "a"), 1) == [200]


def test_one_keys_rules_are_removed(scene: Scene) -> None:
    for key in ("a", "a", "b"):
        add(scene, "status", {"api_key": key})
    everybodys = add(scene, "latency", fault={"seconds": 0})
    assert ask(scene, "DELETE", "faults", api_key="a") == {"removed": 2}
    left = [rule["id"] for rule in ask(scene, "GET", "faults")["faults"]]
    assert len(left) == 2
    assert everybodys in left


def test_all_rules_are_removed(scene: Scene) -> None:
    for key in ("a", "b"):
        add(scene, "status", {"api_key": key})
    assert ask(scene, "DELETE", "faults") == {"removed": 2}
    assert ask(scene, "GET", "faults")["faults"] == []


def test_rules_are_listed_by_key(scene: Scene) -> None:
    mine, _ = add(scene, "status", {"api_key": "a"}), add(scene, "status", {"api_key": "b"})
    for key in ("a", account_id("a")):
        assert [rule["id"] for rule in ask(scene, "GET", "faults", api_key=key)["faults"]] == [mine]


def test_twenty_rules_at_once(scene: Scene) -> None:
    rules = [add(scene, "latency", {"prompt": "fox"}, skip=number, fault={"seconds": 0}) for number in range(18)]
    rules += [add(scene, "task_slow", fault={"factor": 2.0}), add(scene, "malformed", skip=17)]
    evolink = Caller(scene, "evolink", "k")
    assert statuses(evolink, 18, prompt="fox") == [200] * 18
    assert [counts(scene, rule) for rule in rules] == [(18, 18 - number) for number in range(18)] + [(18, 18), (18, 1)]


def test_rules_are_bounded(scene: Scene) -> None:
    rules = scene.server.app.rules
    for _ in range(1_000):
        scene.server.run(rules.add({"match": {"api_key": "k"}, "fault": {"type": "latency", "seconds": 0}}))
    assert "1000" in refused(scene, "POST", "faults", {"fault": {"type": "status"}}, code="bad_rule")


# what could never fire


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"fault": {"type": "earthquake"}}, ["status", "disconnect", "task_stuck", "image_corrupt"]),
    ({"fault": {}}, ["status", "latency"]),
    ({"fault": "status"}, ["status", "latency"]),
    ({"fault": {"type": ["status"]}}, ["status", "latency"]),
    ({}, ["status", "latency"]),
    ({"fault": {"type": "status"}, "time": 2}, ["times", "skip", "every", "probability", "match"]),
    ({"fault": {"type": "status", "retry": 2}}, ["retry_after", "code"]),
    ({"fault": {"type": "status"}, "match": {"modle": "x"}}, ["model", "api_key", "prompt", "task_id"]),
    ({"fault": {"type": "status"}, "match": {"provider": "openai"}}, list(PROVIDERS)),
    ({"fault": {"type": "status"}, "match": {"model": "gpt-9"}}, ["gpt-image-2", "nano-banana", "gpt-image-2-beta"]),
    ({"fault": {"type": "status"}, "match": {"provider": "evolink", "model": "dall-e-3"}}, ["gpt-image-2-beta"]),
    (
        {"fault": {"type": "status"}, "match": {"provider": "evolink", "path": "/evolink/v1/images/generations"}},
        ["/v1/images/generations", "/v1/tasks/{task_id}"],
    ),
    (
        {"fault": {"type": "status"}, "match": {"provider": "evolink", "path": "/v1/image/*"}},
        ["/v1/images/generations"],
    ),
    ({"fault": {"type": "status"}, "match": {"method": "PATCH"}}, ["GET", "POST"]),
    ({"fault": {"type": "status"}, "match": {"method": "GET", "path": "/v1/images/edits"}}, ["/v1/images/edits"]),
    ({"fault": {"type": "task_fail"}, "match": {"provider": "evolink", "path": "/v1/tasks/*"}}, ["generations"]),
    ({"fault": {"type": "image_missing"}, "match": {"path": "/v1/images/generations"}}, ["/files/{task_id}.png"]),
    ({"fault": {"type": "image_corrupt"}, "match": {"method": "POST"}}, ["GET"]),
    ({"fault": {"type": "callback_lost"}, "match": {"provider": "icodeeasy"}}, ["xhuoapi", "evolink"]),
    ({"fault": {"type": "callback_lost"}, "match": {"path": "/v1/*"}}, ["provider", "model", "task_id"]),
]


@pytest.mark.parametrize(("rule", "named"), REFUSED)
def test_a_rule_that_can_never_fire_is_refused_by_saying_what_exists(
    scene: Scene, rule: dict[str, Any], named: list[str]
) -> None:
    message = refused(scene, "POST", "faults", rule, code="bad_rule")
    assert [name for name in named if name not in message] == [], message
    assert ask(scene, "GET", "faults")["faults"] == []
    assert defects(scene) == 0


@pytest.mark.parametrize(
    "match",
    [
        {"task_id": "task-unified-1-abcdefgh"},  # a submission has no id yet
        {"model": "gpt-image-2-beta", "path": "/v1/openai/images/generations"},
    ],
)
def test_a_match_that_contradicts_itself_is_refused(scene: Scene, match: dict[str, str]) -> None:
    assert refused(scene, "POST", "faults", {"match": match, "fault": {"type": "task_fail"}}, code="bad_rule")


@pytest.mark.parametrize(
    "rule",
    [
        {"skip": -1},
        {"skip": 1.5},
        {"skip": "1"},
        {"times": 0},
        {"times": True},
        {"every": 0},
        {"probability": 0},
        {"probability": 1.5},
        {"match": []},
        {"match": {"prompt": 7}},
        {"fault": {"type": "status", "status": 200}},
        {"fault": {"type": "status", "status": 600}},
        {"fault": {"type": "status", "code": "NOT A CODE"}},
        {"fault": {"type": "status", "retry_after": -1}},
        {"fault": {"type": "latency"}},
        {"fault": {"type": "latency", "seconds": -1}},
        {"fault": {"type": "slow_body", "bytes_per_second": 0}},
        {"fault": {"type": "disconnect", "after_bytes": -1}},
        {"fault": {"type": "truncate", "bytes": 1.5}},
        {"fault": {"type": "task_slow", "factor": 0}},
        {"fault": {"type": "callback_duplicated", "copies": 0}},
        {"fault": {"type": "callback_duplicated", "copies": 11}},
        {"fault": {"type": "callback_delayed"}},
    ],
)
def test_wrong_values_are_refused_and_add_nothing(scene: Scene, rule: dict[str, Any]) -> None:
    assert refused(scene, "POST", "faults", {"fault": {"type": "status"}, **rule}, code="bad_rule")
    assert ask(scene, "GET", "faults")["faults"] == []


def test_a_refused_rule_does_not_change_the_random_values_of_the_next(scene: Scene) -> None:
    refused(scene, "POST", "faults", {"fault": {"type": "status"}, "times": 0}, code="bad_rule")
    assert add(scene, "status") == "fault-1"


def test_a_rule_added_while_a_call_waits_leaves_that_call_alone(scene: Scene) -> None:
    add(scene, "task_slow", fault={"seconds": 10})
    caller = Caller(scene, "icodeeasy", "sk_k")
    with later(caller.generate) as call:
        until(lambda: caller.tasks())
        rule = add(scene, "task_fail")
        ask(scene, "POST", "clock/advance", {"seconds": 10})
        assert status(caller, task_id(call.result())) == "completed"
    assert counts(scene, rule) == (0, 0)


@pytest.mark.parametrize("provider", EDITS)
def test_rules_hit_edits_as_generations(scene: Scene, provider: str) -> None:
    add(scene, "status", {"path": EDITS[provider], "model": MODELS[provider]})
    answer = Caller(scene, provider, "sk_k").form([("image", PNG)])
    assert_refused(provider, answer, 500, CODE_500[provider])
