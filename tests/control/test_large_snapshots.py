"""GET and PUT /_mock/snapshot with much state: nobody waits for it, and a limit of its own bounds it."""

import json
from collections.abc import Callable, Iterator

import pytest

from control.steer import ask, refusal
from mockserver.engine.tasks import Job
from support import web
from support.scene import Scene
from support.stalls import longest_stall

Serve = Callable[..., Scene]
MANY = 100_000
LONGEST_STALL = 0.5
"""Seconds of this process's CPU time, all threads. In pieces it is 0.03 s on a quiet machine, in one piece 3 s; where
other processes have the cores, the loop waits for its turn while a thread goes on."""


def fill(scene: Scene, count: int) -> None:
    """Accept so many generations, a piece at a time."""
    engine = scene.server.app.engine
    job = Job("evolink", "acct_" + "0" * 12, "gpt-image-2-beta", "x", "1:1", 64, 64, 1, (1.0, 1.0), "http://x")

    async def order() -> None:
        for _ in range(count):
            await engine.submit(job)

    scene.server.run(order())


def test_nobody_waits_for_a_snapshot_of_a_hundred_thousand_tasks(serve: Serve) -> None:
    old, new = serve(latency="0-86400"), serve()
    fill(old, MANY)
    with web.Client(timeout=120) as http:
        with longest_stall(old) as of_taking:
            taken = http.get(f"{old.root}/_mock/snapshot").content
        with longest_stall(new) as of_restoring:
            answer = http.put(f"{new.root}/_mock/snapshot", content=taken)
    assert (answer.status_code, new.mock("health")["pending"]["tasks"]) == (200, MANY)
    assert of_taking[0] < LONGEST_STALL
    assert of_restoring[0] < LONGEST_STALL


def http_snapshot(scene: Scene) -> bytes:
    return web.get(f"{scene.root}/_mock/snapshot", timeout=120).content


def test_a_snapshot_is_of_one_instant_whatever_happens_while_it_is_written(serve: Serve) -> None:
    scene = serve(latency="0-86400")
    fill(scene, 20_000)
    with web.stream("GET", f"{scene.root}/_mock/snapshot", timeout=120) as answer:
        rest = answer.iter_bytes()
        first = next(rest)
        fill(scene, 1_000)
        ask(scene, "POST", "clock/advance", {"seconds": 3_600})
        taken = json.loads(first + b"".join(rest))
    state = taken["engine"]
    assert (len(state["tasks"]), len(state["held"]), len(state["planned"])) == (20_000,) * 3
    assert (state["clock"]["now"], state["accounts"][0]["submissions"]) == (state["tasks"][0]["created"], 20_000)


def test_a_snapshot_may_be_larger_than_another_body(serve: Serve) -> None:
    scene = serve(max_body=1_000, latency="0-86400")
    fill(scene, 100)
    taken = http_snapshot(scene)
    assert len(taken) > 1_000
    assert web.put(f"{scene.root}/_mock/snapshot", content=taken).status_code == 200
    assert http_snapshot(scene) == taken


def in_pieces(data: bytes) -> Iterator[bytes]:
    """A body whose length no header tells."""
    for start in range(0, len(data), 1_000):
        yield data[start : start + 1_000]


@pytest.mark.parametrize("sent", [bytes, in_pieces])
def test_a_snapshot_beyond_its_limit_is_refused_and_changes_nothing(
    serve: Serve, sent: Callable[[bytes], bytes | Iterator[bytes]]
) -> None:
    scene = serve(latency="0-86400", max_snapshot=5_000)
    fill(scene, 100)
    taken = http_snapshot(scene)
    answer = web.put(f"{scene.root}/_mock/snapshot", content=sent(taken))
    assert "--max-snapshot" in refusal(answer, 413, "too_large")
    assert http_snapshot(scene) == taken


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "{ is missing"),
        (b"[]", "{ is missing"),
        (b'{"engine": {"tasks": [}}', "Expecting value"),
        (b'{"engine": {"tasks": [1 2]}}', ", is missing"),
        (b'{"engine" 1}', ": is missing"),
        (b'{"engine": 1', ", is missing"),
        (b'{"faults_added": NaN}', "NaN"),
        (b'{"faults": ' + b"[" * 100_000, "recursion"),
        (b"{} {}", "more behind"),
        (b'{"\xff": 1}', "UTF-8"),
    ],
)
def test_what_is_no_json_object_is_refused(scene: Scene, body: bytes, says: str) -> None:
    assert says in refusal(scene.http.put("/_mock/snapshot", content=body), 400, "bad_request")


def test_a_head_request_gets_no_body(scene: Scene) -> None:
    answer = scene.http.head("/_mock/snapshot")
    assert (answer.status_code, answer.content) == (200, b"")
