"""Whatever fails while a call is answered, the answer is in the provider's own shape, and the defect is on record."""

from dataclasses import replace
from typing import Any

import pytest
from test_bad_wire import PROVIDERS

from mockserver.engine.problems import Kind
from mockserver.faults import malformed
from support.calls import GENERATIONS, Caller
from support.errors import assert_refused
from support.scene import Scene

CODES = {"xhuoapi": "api_error", "icodeeasy": "server_error", "evolink": "internal_error"}


def defects(scene: Scene) -> int:
    return int(scene.mock("health")["defects"]["count"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_fault_that_crashes_on_an_answer(scene: Scene, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: Any) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr(malformed.FAULT, "after", crash)
    scene.http.post("/_mock/faults", json={"fault": {"type": "malformed"}})
    caller = Caller(scene, provider, "sk_k")
    assert_refused(provider, caller.generate(), 500, CODES[provider])
    assert defects(scene) == 1
    assert "boom" in scene.mock("health")["defects"]["last"][0]["traceback"]
    assert caller.requests()[0]["status"] == 500


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_problem_that_the_table_lacks(scene: Scene, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = scene.server.app.mounts[provider]
    lacking = {kind: refusal for kind, refusal in mount.provider.refusals.items() if kind is not Kind.MALFORMED_BODY}
    provider_without: Any = replace(mount.provider, refusals=lacking, failures={})  # type: ignore[type-var]
    monkeypatch.setitem(scene.server.app.mounts, provider, replace(mount, provider=provider_without))
    headers = {"Content-Type": "application/json"}
    answer = Caller(scene, provider, "sk_k").send("POST", GENERATIONS[provider], content=b"{", headers=headers)
    assert_refused(provider, answer, 500, CODES[provider])
    assert defects(scene) == 1
