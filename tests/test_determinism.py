"""Same seed and same calls: byte-equal answers, ids included, in any process on any day; others change nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from control.steer import PROVIDERS, add, idle, order, route_app, sink_url
from support.calls import Caller
from support.scene import Scene

Serve = Callable[..., Scene]
Answer = tuple[int, list[tuple[str, str]], str]
NAME = "mock.localhost"
"""By one name, two servers give the same URLs, whatever their ports."""


def bare(answer: httpx.Response) -> Answer:
    """Status, headers but for the date, and the body in hexadecimal."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
    return answer.status_code, headers, answer.content.hex()


def story(scene: Scene, key: str, between: Callable[[], Any] = lambda: None) -> list[Any]:
    """Every kind of call with one key; `between` happens before each of them."""
    scene.http.headers["Host"] = NAME
    told: list[Any] = []
    for provider in PROVIDERS:
        caller = Caller(scene, provider, key)
        for fields in (
            {},
            {"prompt": "狐 [mock:fail]"},
            {"prompt": ""},
            {"model": "none"},
            {"prompt": "[mock:status=503]"},
        ):
            between()
            told.append(bare(order(caller, **fields)))
        where = {} if provider == "icodeeasy" else {"callback_url": f"http://{NAME}/_mock/sink/{key}"}
        if provider == "evolink":
            where = {"callback_url": f"https://app.example.com/{key}"}
        told.append(bare(order(caller, **where)))
        between()
        idle(scene)
        told += [bare(caller.get("/v1/nothing")), bare(caller.get("/v1/credits"))]
        told += [bare(scene.http.get(f"/_mock/{noun}", params={"api_key": key})) for noun in ("tasks", "callbacks")]
        told.append(bare(scene.http.get(f"/_mock/accounts/{key}", params={"provider": provider})))
        told += [bare(scene.http.get(url, follow_redirects=False)) for url in pictures(scene, caller)]
    between()
    sent = scene.http.get(f"/_mock/sink/{key}").json()["received"]
    assert sent, "no callback came"
    plain: list[Any] = json.loads(json.dumps([*told, sent]))
    return plain


def pictures(scene: Scene, caller: Caller) -> list[str]:
    """The paths of the pictures that the usage records name."""
    shown = scene.http.get(f"/_mock/accounts/{caller.key}", params={"provider": caller.provider}).json()
    found = [record["cost_breakdown"] for record in shown["usage"]]
    urls = [url for one in found for url in one.get("image_urls", one.get("result_urls"))]
    assert urls
    return [url.removeprefix(f"http://{NAME}") for url in urls]


def start(serve: Serve, **settings: Any) -> Scene:
    scene = serve(latency="5-90", **settings)
    route_app(scene, f"http://{NAME}/_mock/sink")
    return scene


PROGRAM = """
import json, sys
sys.path[:0] = ["tests"]
import time_machine
from support import web
from support.scene import Scene
from test_determinism import route_app, story, NAME
from mockserver.server import MockServer
from mockserver.settings import Settings

with time_machine.travel(sys.argv[1], tick=True):
    settings = Settings(port=0, clock="virtual", latency="5-90", seed="test")
    with MockServer(settings) as server, web.Client(base_url=server.root_url, timeout=10.0) as http:
        scene = Scene(server, http)
        route_app(scene, f"http://{NAME}/_mock/sink")
        print(json.dumps(story(scene, "sk_k")))
"""


@pytest.mark.parametrize(("day", "hash_seed"), [("2019-02-28", "1"), ("2041-12-31", "2")])
def test_another_process_on_another_day_gives_the_same_bytes(serve: Serve, day: str, hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"}
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", PROGRAM, day]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    there, here = json.loads(done.stdout), story(start(serve), "sk_k")
    for number, (one, other) in enumerate(zip(there, here, strict=True)):
        assert one == other, number


def test_another_seed_gives_another_story(serve: Serve) -> None:
    assert story(start(serve, seed="a"), "sk_k") != story(start(serve, seed="b"), "sk_k")


def test_without_a_seed_every_server_has_its_own_story(serve: Serve) -> None:
    assert story(start(serve, seed=None), "sk_k") != story(start(serve, seed=None), "sk_k")


def test_calls_of_another_account_in_between_change_nothing(serve: Serve) -> None:
    alone, shared = start(serve), start(serve)

    def others() -> None:
        for provider in PROVIDERS:
            caller = Caller(shared, provider, "sk_other")
            order(caller, prompt="[mock:delay=0]")
            order(caller, prompt="")

    assert story(shared, "sk_k", others) == story(alone, "sk_k")


@pytest.mark.parametrize("path", ["/evolink/files/task-unified-1-abcdefgh.png", "/xhuoapi/v1/openai/tasks"])
def test_calls_of_others_without_a_key_in_between_change_nothing(serve: Serve, path: str) -> None:
    alone, shared = start(serve), start(serve)
    assert story(shared, "sk_k", lambda: shared.http.get(path)) == story(alone, "sk_k")


def test_rules_and_callbacks_of_another_account_change_nothing(serve: Serve) -> None:
    alone, shared = start(serve), start(serve)
    for type in ("task_stuck", "callback_lost", "malformed", "status"):
        add(shared, type, {"api_key": "sk_other"})

    def others() -> None:
        Caller(shared, "xhuoapi", "sk_other").generate(callback_url=sink_url(shared, "other"))

    assert story(shared, "sk_k", others) == story(alone, "sk_k")


def test_two_keys_have_different_ids(serve: Serve) -> None:
    scene = start(serve)
    one, other = story(scene, "sk_a"), story(scene, "sk_b")
    assert all(a != b for a, b in zip(one, other, strict=True))
