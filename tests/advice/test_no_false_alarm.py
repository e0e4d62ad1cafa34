"""Clients that behave get no advice, and the others exactly what is true of them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from mockserver.advice.base import advice_for
from mockserver.advice.records import read_records
from mockserver.engine.store.memory import MemoryStore
from support.calls import PROVIDERS, Caller, fixture
from support.scene import Scene

ROOT = Path(__file__).parents[2]
BASES = {"xhuoapi": "/xhuoapi/v1/openai", "icodeeasy": "/icodeeasy/v1"}


def rules_of(scene: Scene) -> list[str]:
    return [one["rule"] for one in scene.mock("advice")["advice"]]


@pytest.fixture(params=BASES)
def sdk(scene: Scene, request: pytest.FixtureRequest) -> openai.OpenAI:
    """The SDK as it is installed: it retries twice."""
    return openai.OpenAI(base_url=scene.root + BASES[request.param], api_key="sk_k")


def test_the_openai_sdk(scene: Scene, sdk: openai.OpenAI) -> None:
    image = sdk.images.generate(model="gpt-image-2", prompt="a fox", n=1, size="1024x1024")
    assert image.data is not None
    scene.http.get(str(image.data[0].url), follow_redirects=True).raise_for_status()
    sdk.images.edit(model="gpt-image-2", prompt="a fox", image=fixture("reference.png"))
    with pytest.raises(openai.BadRequestError):
        sdk.images.generate(model="gpt-image-2", prompt="a fox", size="1x")
    assert rules_of(scene) == []


@pytest.mark.parametrize(("fault", "expected"), [("status", []), ("disconnect", ["pays-twice"])])
def test_the_openai_sdk_retries_by_itself(
    scene: Scene, sdk: openai.OpenAI, fault: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    body = {"fault": {"type": fault}, "times": 1}
    scene.http.post("/_mock/faults", json=body).raise_for_status()
    sdk.images.generate(model="gpt-image-2", prompt="a fox")
    assert rules_of(scene) == expected


def test_the_openai_sdk_waits_for_retry_after(scene: Scene, sdk: openai.OpenAI) -> None:
    scene.http.post("/_mock/faults", json={"fault": {"type": "status", "status": 429}, "times": 1})
    sdk.images.generate(model="gpt-image-2", prompt="a fox")
    assert rules_of(scene) == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_curl_command_of_a_provider(scene: Scene, name: str) -> None:
    for _ in range(2):
        done = subprocess.run(
            ["/bin/sh", "-c", PROVIDERS[name].curl_line(scene.root)], capture_output=True, timeout=30, check=True
        )
        assert b'"error"' not in done.stdout
    assert rules_of(scene) == []


def test_the_contract_suite(tmp_path: Path) -> None:
    """It tries what is ignored and what has ended, and leaves pictures behind while it moves the clock."""
    kept = tmp_path / "advice"
    environment = {
        **os.environ,
        "ADVICE_FILE": str(kept),
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(Path(__file__).parent / "watching"), str(ROOT), os.environ.get("PYTHONPATH")])
        ),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "advice_of_mocks",
        "-p",
        "no:cacheprovider",
        "-q",
        "contract_tests",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    found: list[dict[str, Any]] = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    told = {(one["provider"], one["rule"]) for one in found}
    assert EXPECTED <= told <= EXPECTED | REPEATED


REPEATED = {(name, "retries-4xx") for name in PROVIDERS}
"""Hypothesis draws an invalid value twice now and then, and so sends a refused call again: the advice is true of it."""

DRAWN = {("xhuoapi", "retries-4xx")}
"""What is true of it if Hypothesis draws the same invalid size twice, which depends on its version."""

EXPECTED = {
    ("evolink", "expired-link"),
    ("evolink", "redirected-callback"),
    ("evolink", "slow-callback"),
    ("evolink", "unacknowledged-callback"),
    ("evolink", "unfetched-picture"),
    ("icodeeasy", "ignored-parameter"),
    ("icodeeasy", "unfetched-picture"),
    ("xhuoapi", "expired-link"),
    ("xhuoapi", "fast-polling"),
    ("xhuoapi", "ignored-parameter"),
    ("xhuoapi", "off-list-size"),
    ("xhuoapi", "polls-ended-task"),
    ("xhuoapi", "unfetched-picture"),
}
"""Each was looked at, and is so. `fast-polling` is of a task that has ended: the suite asks for it in many ways."""


def test_only_tasks_that_requests_are_about_are_looked_at(
    serve: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = serve(keep_requests=10)
    caller = Caller(scene, "evolink", "k")
    for _ in range(30):
        caller.generate()
    engine, looked = scene.server.app.engine, []
    find = engine.find

    async def counted(provider: str, task_id: str) -> Any:
        looked.append(task_id)
        return await find(provider, task_id)

    def forbidden(*_: Any) -> Any:
        raise AssertionError("there may be 100,000 tasks")

    monkeypatch.setattr(engine, "find", counted)
    monkeypatch.setattr(MemoryStore, "tasks", forbidden)
    assert advice_for(scene.server.run(read_records(engine, scene.server.app.providers))) == []
    assert len(looked) == 10
