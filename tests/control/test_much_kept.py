"""What reads everything that is kept does so in pieces, so that nobody waits for it."""

import gc
import json
from collections.abc import Iterator

import pytest

from control.steer import until
from mockserver.engine.callbacks import Attempt, Delivery, Outcome, State
from mockserver.engine.journal import Exchange
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.tasks import Job
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.scene import Scene
from support.stalls import longest_turn

TASKS, REQUESTS, CALLBACKS, ACCOUNTS = 100_000, 5_000, 20_000, 5_000
BODY = json.dumps({"model": "gpt-image-2-beta", "prompt": "책을 읽는 작은 여우 " * 400}, ensure_ascii=False).encode()
LONGEST = 0.05
"""Seconds of the loop's own CPU. Each of these took it between 60 ms and 2 s in one turn, on a quiet machine."""


@pytest.fixture(scope="module")
def full() -> Iterator[Scene]:
    """A server with as many records as are kept by default, bodies of 16 KB among them."""
    with (
        MockServer(Settings(clock="virtual", latency="0-86400", seed="test")) as server,
        web.Client(base_url=server.root_url, timeout=120) as http,
    ):
        scene = Scene(server, http)
        server.run(fill(scene))
        scene.mock("health")  # the first call of all imports the control surface
        gc.collect()
        gc.freeze()  # as the command does: a full collection would be the longest turn
        yield scene
        gc.unfreeze()


async def fill(scene: Scene) -> None:
    engine, store = scene.server.app.engine, scene.server.app.engine.store
    for number in range(TASKS):
        account = f"acct_{number % ACCOUNTS:012x}"
        job = Job("evolink", account, "gpt-image-2-beta", f"a fox {number}", "1:1", 64, 64, 1, (1.0, 1.0), "http://x")
        task = await engine.submit(job)
        if number < CALLBACKS:
            attempt = Attempt(task.due, Outcome(200, 0.01))
            name = f"cb_{number}"
            url = "http://127.0.0.1:9/hook"
            done = Delivery(name, task.id, "evolink", account, url, url, BODY, 0.0, State.DELIVERED, (attempt,))
            await store.settle(task, [done])
        if number < REQUESTS:
            headers = {"Authorization": "Bearer k", "Content-Type": "application/json"}
            path = f"/evolink/v1/tasks/{task.id}"
            entry = Exchange(f"r{number}", engine.now(), "evolink", account, "GET", path, headers)
            await store.open_entry(entry)
            entry.keep_request(BODY)
            entry.task_id, entry.started = task.id, float(number)
            await engine.journal.close(entry, 200, "application/json", 0.001)


@pytest.mark.parametrize(
    "path",
    [
        "_mock/metrics",
        "_mock/advice",
        "_mock/openapi.json",
        "evolink/openapi.json",
        "_mock/requests?limit=1000",
        "_mock/tasks?limit=1000",
    ],
)
def test_nobody_waits_while_everything_is_read(full: Scene, path: str) -> None:
    with longest_turn(full) as stall:
        answer = full.http.get(f"/{path}", timeout=120)
    assert answer.status_code == 200
    assert stall[0] < LONGEST


def test_the_metrics_count_all_of_it(full: Scene) -> None:
    text = full.http.get("/_mock/metrics", timeout=60).text
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert sum(float(count) for name, count in found.items() if name.startswith("mockserver_tasks{")) == TASKS
    name = 'mockserver_callback_attempts_total{outcome="success",provider="evolink"}'
    assert float(found[name]) == CALLBACKS


def test_the_record_has_all_of_it_in_order_and_nobody_waits_for_it(full: Scene) -> None:
    with longest_turn(full) as stall:
        answer = full.http.get("/_mock/requests.har", timeout=120)
    assert stall[0] < LONGEST
    entries = answer.json()["log"]["entries"]
    assert len(entries) == REQUESTS + CALLBACKS
    times = [entry["startedDateTime"] for entry in entries]
    assert times == sorted(times)


def test_large_lists_have_all_of_it(full: Scene) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = full.mock("requests", limit=1_000, **({"cursor": cursor} if cursor else {}))
        seen += [row["id"] for row in page["requests"]]
        cursor = page["next"]
    assert seen == [f"r{number}" for number in reversed(range(REQUESTS))]


def test_nobody_waits_while_a_key_or_everything_is_forgotten(full: Scene) -> None:
    """The last test of this server, which has nothing left then."""
    store = full.server.app.engine.store
    assert isinstance(store, MemoryStore)
    rows = store._tasks.rows
    with longest_turn(full) as stall:
        assert full.http.post("/_mock/reset", json={"api_key": f"acct_{1:012x}"}, timeout=120).status_code == 200
        assert len(rows) == TASKS - TASKS // ACCOUNTS
        assert full.http.post("/_mock/reset", timeout=120).status_code == 200
        assert full.mock("health")["kept"]["tasks"]["count"] == 0
        until(lambda: not rows)  # they are freed, in pieces
    assert stall[0] < LONGEST / 2
