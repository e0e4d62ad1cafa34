"""Changes each field of a real snapshot, one at a time: `python -m engine.snapshot_mutations SEED SAMPLE`.

Every change is either refused with 400, or taken; then every control call, task query, picture and callback can be
read. It prints how many were refused and taken, and what went wrong, as JSON. Its memory is limited.
"""

import json
import random
import resource
import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx

from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web

MEMORY = 1_500_000_000
"""Bytes of address space: a picture or a list of an absurd size ends the process."""

NOUNS = ("health", "clock", "tasks", "callbacks", "requests", "accounts", "faults", "routes", "sink/app")

Place = tuple[str | int, ...]

OTHERS: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 10**9, 10**15, 10**30, -(10**9), 0.5, 1e300, -0.1, 1767225600.0),
    *("", "x", "NaN", "Infinity", "-Infinity", "evolink", "nowhere", "http://127.0.0.1/x", "acct_0123456789ab", "5"),
    *("é\x00\n\x7f", "a" * 40_000, [], {}, [1], {"a": 1}, [[]], [{}], "delivered", "waiting", "finish", "completed"),
]


def leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every place in a JSON value: its fields, list items, and the lists and objects themselves."""
    if place:
        yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from leaves(item, (*place, name))


def changed(snapshot: Any, place: Place, value: Any) -> Any:
    """A copy with a value at a place; `...` takes the field away."""
    copy = deepcopy(snapshot)
    holder = copy
    for part in place[:-1]:
        holder = holder[part]
    if value is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return copy


def mutations(snapshot: Any) -> Iterator[tuple[Place, Any]]:
    """One change after the other; of the places that differ in a number alone, the first two and the last."""
    alike: dict[tuple[str, ...], list[Place]] = {}
    for place in leaves(snapshot):
        alike.setdefault(tuple("#" if isinstance(part, int) else part for part in place), []).append(place)
    for places in alike.values():
        for place in dict.fromkeys((*places[:2], places[-1])):
            for value in (..., *OTHERS):
                yield place, value


def populate(http: httpx.Client) -> list[tuple[str, str, str]]:
    """A server with something of everything; its tasks, as (provider, key, id)."""
    paths = {"xhuoapi": "/v1/openai/images/generations", "evolink": "/v1/images/generations"}
    paths["icodeeasy"] = "/v1/images/generations?async=1"
    models = {"xhuoapi": "gpt-image-2", "icodeeasy": "gpt-image-2", "evolink": "gpt-image-2-beta"}
    http.put("/_mock/routes", json={"routes": [{"from": "https://a.example", "to": "http://127.0.0.1/_mock/sink"}]})
    http.put("/_mock/sink/app", json={"responses": [500, {"status": 200, "delay": 4}, {"status": 503, "delay": 3}]})
    http.post("/_mock/faults", json={"match": {"prompt": "no such"}, "times": 3, "fault": {"type": "task_fail"}})
    http.post("/_mock/faults", json={"match": {"prompt": "later"}, "fault": {"type": "callback_reordered"}})
    http.put("/_mock/accounts/sk_a?provider=evolink", json={"quota": 50, "rate_limit": {"requests": 9, "seconds": 60}})
    made = []
    for prompt, seconds in (
        ("a fox [mock:delay=1]", 2),
        ("[mock:fail]", 5),
        ("later [mock:delay=1]", 1.5),
        ("last", 0),
    ):
        for provider, path in paths.items():
            body = {"model": models[provider], "prompt": prompt, "callback_url": "https://a.example/app"}
            if provider == "xhuoapi":
                body["trace_id"] = f"trace {prompt}"[:10].replace(" ", "-")
            headers = {"Authorization": "Bearer sk_a", "Idempotency-Key": prompt[:6].strip()}
            answer = http.post(f"/{provider}{path}", json=body, headers=headers)
            assert answer.is_success, answer.text
            found = answer.json()
            made.append((provider, "sk_a", found.get("task_id") or found["id"]))
        if seconds:
            http.post("/_mock/clock/advance", json={"seconds": seconds})
    return made


def read_everything(http: httpx.Client, tasks: list[tuple[str, str, str]]) -> Iterator[str]:
    """What answers with a 5xx although nothing asked for one, after a snapshot was taken."""
    asked: list[tuple[str, str, Any]] = [("GET", "/_mock/snapshot", None)]
    for round_number in range(2):
        asked += [
            ("GET", f"/_mock/{noun}", None)
            for noun in ["health", "clock", "tasks", "callbacks", "requests", "accounts"]
        ]
        for provider in ("xhuoapi", "icodeeasy", "evolink"):
            asked.append(("GET", f"/_mock/accounts/sk_a?provider={provider}", None))
        for provider, _, name in tasks:
            if provider == "xhuoapi":
                asked.append(("POST", "/xhuoapi/v1/openai/tasks", {"action": "retrieve", "id": name}))
                asked.append(("GET", f"/xhuoapi/gpt-image/{name}_0.png", None))
            elif provider == "evolink":
                asked.append(("GET", f"/evolink/v1/tasks/{name}", None))
                asked.append(("GET", f"/evolink/files/{name}.png", None))
            else:
                asked.append(("GET", f"/icodeeasy/v1/images/tasks/{name}", None))
        batch = {"action": "retrieve_batch", "created_at_min": 0}
        asked.append(("POST", "/xhuoapi/v1/openai/tasks", batch))
        if round_number == 0:
            asked.append(("POST", "/_mock/clock/advance", {"seconds": 100}))
    for method, path, body in asked:
        answer = http.request(method, path, json=body, headers={"Authorization": "Bearer sk_a"})
        if answer.status_code >= 500 and answer.status_code != 503:
            yield f"{method} {path} is {answer.status_code}"
    for task in http.get("/_mock/tasks").json()["tasks"]:
        answer = http.get(f"/_mock/tasks/{task['id']}")
        if answer.status_code != 200:
            yield f"a listed task is {answer.status_code}"
    for callback in http.get("/_mock/callbacks").json()["callbacks"]:
        answer = http.post(f"/_mock/callbacks/{callback['id']}/redeliver", json={})
        if answer.status_code >= 500:
            yield f"a redelivery is {answer.status_code}"
    health = http.get("/_mock/health").json()
    if health["defects"]["count"]:
        yield f"a defect: {health['defects']['last'][-1]['traceback'][-300:]}"


def main(seed: int, sample: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    wrong: list[str] = []
    counts = {"refused": 0, "taken": 0}
    with MockServer(Settings(port=0, clock="virtual", seed="test", latency="30")) as mock:
        http = web.Client(base_url=mock.root_url, timeout=30.0)
        tasks = populate(http)
        good = http.get("/_mock/snapshot").json()
        changes = list(mutations(good))
        counts["all"] = len(changes)
        for place, value in random.Random(seed).sample(changes, min(sample, len(changes))):
            where = f"{'.'.join(map(str, place))} = {str(value)[:40]!r}"
            answer = http.put("/_mock/snapshot", json=changed(good, place, value))
            if answer.status_code == 400:
                counts["refused"] += 1
                message = answer.json()["error"]["message"]
                if not any(name in message for name in (*good, *good["engine"], str(place[-1]))):
                    wrong.append(f"{where}: the refusal names no field: {message[:200]}")
            elif answer.status_code == 200:
                counts["taken"] += 1
                found = list(read_everything(http, tasks))
                wrong += [f"{where}: {text}" for text in found]
                if found:
                    break
            else:
                wrong.append(f"{where}: {answer.status_code} {answer.text[:200]}")
    print(json.dumps({**counts, "wrong": wrong}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
