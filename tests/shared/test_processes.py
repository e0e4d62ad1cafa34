"""Two processes on one store are one server: whatever is done at one is in force at the other."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from mockserver.engine.clock import VIRTUAL_START
from mockserver.server import MockServer
from mockserver.settings import Settings
from shared.conftest import APP, EVOLINK, Process, until
from support import web

KEY = {"Authorization": "Bearer k"}
SK = {"Authorization": "Bearer sk_k"}
MODEL = "gpt-image-2-beta"
BODY = {"model": MODEL, "prompt": "a fox"}
Pair = tuple[Process, Process]


def test_a_task_is_submitted_at_one_polled_at_the_other_and_its_picture_drawn_by_either(pair: Pair) -> None:
    first, second = pair
    task_id = first.submit()["id"]
    assert second.poll(task_id)["status"] == "pending"
    second.advance(5)
    answers = [one.poll(task_id) for one in pair]
    assert answers[0]["status"] == "completed"
    assert answers[0] | {"results": []} == answers[1] | {"results": []}
    pictures = [one.http.get(answers[0]["results"][0].replace(first.running.root, one.running.root)) for one in pair]
    assert pictures[0].content == pictures[1].content
    assert pictures[0].headers["content-type"] == "image/png"


def test_an_advance_at_one_moves_all_and_returns_when_all_that_was_due_has_run(pair: Pair) -> None:
    first = pair[0]
    ids = [one.submit(key)["id"] for key in ("a", "b") for one in pair]
    assert sorted(first.advance(5)) == sorted(("finish", name) for name in ids)
    for one in pair:
        assert one.ask("GET", "clock")["now"] == VIRTUAL_START + 5
        assert one.ask("GET", "health")["pending"]["tasks"] == 0
        assert one.money("a") == {"opening": 1000, "balance": 995, "held": 0, "captured": 5}


def test_a_call_that_waits_at_one_is_answered_when_the_other_advances(pair: Pair) -> None:
    first, second = pair
    body = {"model": "gpt-image-2", "prompt": "a fox"}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(first.http.post, "/icodeeasy/v1/images/generations", json=body, headers=SK)
        until(lambda: second.ask("GET", "health")["pending"]["tasks"])
        second.advance(5)
        assert waiting.result(5).status_code == 200


def test_a_delayed_answer_of_one_comes_when_the_other_advances(pair: Pair) -> None:
    first, second = pair
    second.ask("POST", "faults", {"fault": {"type": "latency", "seconds": 7}, "match": {"provider": "evolink"}})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(first.submit)
        until(lambda: [one for one in second.ask("GET", "requests")["requests"] if one["status"] is None])
        second.advance(7)
        assert waiting.result(5)["status"] == "pending"


def test_a_rule_with_three_times_fires_three_times_in_all(pair: Pair) -> None:
    pair[0].ask("POST", "faults", {"fault": {"type": "status", "status": 500}, "match": {"model": MODEL}, "times": 3})
    statuses = [pair[turn % 2].http.post(EVOLINK, json=BODY, headers=KEY).status_code for turn in range(8)]
    assert statuses.count(500) == 3
    (rule,) = pair[1].ask("GET", "faults")["faults"]
    assert (rule["fired"], rule["matched"]) == (3, 8)
    pair[1].ask("DELETE", "faults")
    assert pair[0].ask("GET", "faults")["faults"] == []


def test_two_hundred_clients_racing_for_the_last_ten_credits_spend_exactly_ten(pair: Pair) -> None:
    pair[0].ask("PUT", "accounts/k", {"balance": "10"}, provider="evolink")

    def submit(turn: int) -> int:
        return pair[turn % 2].http.post(EVOLINK, json=BODY, headers=KEY).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(submit, range(200)))
    assert (statuses.count(200), statuses.count(402)) == (4, 196)
    assert pair[1].money() == {"opening": 10, "balance": 0, "held": 10, "captured": 0}


def test_a_rate_limit_counts_the_calls_of_both(pair: Pair) -> None:
    limit = {"rate_limit": {"requests": 3, "seconds": 60}}
    pair[0].ask("PUT", "accounts/k", limit, provider="evolink")
    statuses = [pair[turn % 2].http.post(EVOLINK, json=BODY, headers=KEY).status_code for turn in range(6)]
    assert statuses == [200, 200, 200, 429, 429, 429]


def test_routes_and_sinks_are_shared_and_a_callback_is_sent_once(pair: Pair) -> None:
    first, second = pair
    first.ask("PUT", "routes", {"routes": [{"from": APP, "to": f"{second.running.root}/_mock/sink/hook"}]})
    second.ask("PUT", "sink/hook", {"responses": [{"status": 500}]})
    task_id = second.submit(callback_url=f"{APP}/x")["id"]
    first.advance(5)
    second.advance(1)
    (callback,) = first.ask("GET", "callbacks")["callbacks"]
    assert [attempt["status"] for attempt in callback["attempts"]] == [500, 200]
    received = second.ask("GET", "sink/hook")["received"]
    assert [one["body"]["id"] for one in received] == [task_id] * 2


def test_ids_and_draws_depend_on_the_seed_and_the_order_per_account_alone(pair: Pair) -> None:
    with MockServer(Settings(clock="virtual", seed="s", latency="5")) as alone:
        expected = [one_id(alone.root_url, key) for key in ("a", "b", "a", "b", "a")]
    found = [one_id(pair[turn % 2].running.root, key) for turn, key in enumerate(("a", "b", "a", "b", "a"))]
    assert found == expected


def one_id(root: str, key: str) -> tuple[str, str]:
    """The ids of a task and of the request that submitted it."""
    answer = web.post(root + EVOLINK, json=BODY, headers={"Authorization": f"Bearer {key}"})
    return answer.json()["id"], answer.headers["x-request-id"]


def test_the_journal_has_the_calls_of_both_and_no_key(pair: Pair) -> None:
    for one in pair:
        one.submit("a-key-that-nobody-may-see", prompt="a-key-that-nobody-may-see")
    for one in pair:
        text = one.http.get("/_mock/requests").text
        assert len(json.loads(text)["requests"]) == 2
        assert "nobody-may-see" not in text


def test_a_reset_and_a_reset_by_key_at_one_are_in_force_at_the_other(pair: Pair) -> None:
    first, second = pair
    kept, gone = first.submit("a")["id"], second.submit("b")["id"]
    second.ask("POST", "reset", {"api_key": "b"})
    assert [task["id"] for task in first.ask("GET", "tasks")["tasks"]] == [kept]
    assert first.http.get(f"/evolink/v1/tasks/{gone}", headers=KEY).status_code == 404
    first.advance(5)
    second.ask("POST", "reset", {})
    assert first.ask("GET", "clock")["now"] == VIRTUAL_START
    assert first.ask("GET", "tasks")["tasks"] == []


def test_the_clock_s_mode_speed_and_autojump_are_shared(pair: Pair) -> None:
    pair[0].ask("PUT", "clock", {"mode": "real", "speed": 100, "autojump": True})
    found = pair[1].ask("GET", "clock")
    assert (found["mode"], found["speed"], found["autojump"]) == ("real", 100, True)
    task_id = pair[1].submit()["id"]
    until(lambda: pair[0].poll(task_id)["status"] == "completed")
    pair[0].ask("PUT", "clock", {"mode": "virtual"})


def test_events_at_one_tell_what_the_other_does(pair: Pair) -> None:
    with web.stream("GET", f"{pair[0].running.root}/_mock/events", timeout=10) as stream:
        lines = stream.iter_lines()
        next(lines)
        task_id = pair[1].submit()["id"]
        seen = read_events(lines)
        kind, data = next(seen)
        assert (kind, data["task_id"], data["status"]) == ("request", task_id, 200)
        pair[1].advance(5)
        found = dict([next(seen), next(seen)])
        assert (found["task"]["id"], found["task"]["status"]) == (task_id, "completed")
        assert found["changed"]["path"] == "/_mock/clock/advance"


def test_an_event_s_id_of_another_process_leads_to_a_gap(pair: Pair) -> None:
    """Though the other one has as many events."""
    with ExitStack() as stack:
        streams = [stack.enter_context(web.stream("GET", events_of(one), timeout=10)).iter_lines() for one in pair]
        assert [next(lines) for lines in streams] == ["retry: 1000"] * 2
        pair[0].submit()
        ids = [next(line for line in lines if line.startswith("id: ")).removeprefix("id: ") for lines in streams]
        headers = {"Last-Event-ID": ids[0]}
        foreign = stack.enter_context(web.stream("GET", events_of(pair[1]), headers=headers, timeout=10))
        assert next(read_events(foreign.iter_lines())) == ("gap", {})


def events_of(one: Process) -> str:
    return f"{one.running.root}/_mock/events"


def read_events(lines: Any) -> Any:
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


def test_a_snapshot_moves_between_stores(pair: Pair) -> None:
    first, second = pair
    task_id = first.submit(callback_url=f"{APP}/x")["id"]
    first.ask("POST", "faults", {"fault": {"type": "status", "status": 500}, "match": {"provider": "xhuoapi"}})
    saved = second.http.get("/_mock/snapshot").json()
    with MockServer(Settings(latency="5")) as alone, web.Client(base_url=alone.root_url) as http:
        assert http.put("/_mock/snapshot", json=saved).status_code == 200
        assert [task["id"] for task in http.get("/_mock/tasks").json()["tasks"]] == [task_id]
        back = http.get("/_mock/snapshot").json()
    second.ask("POST", "reset", {})
    second.ask("PUT", "snapshot", back)
    assert second.ask("GET", "snapshot") == saved
    assert first.advance(5)[0] == ("finish", task_id)
    assert first.money()["captured"] == second.money()["captured"]
