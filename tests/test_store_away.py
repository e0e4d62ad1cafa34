"""A store that is away: every call is refused in the shape of whom it asks, and all goes on when the store is back."""

from collections.abc import Iterator
from time import sleep
from typing import Any

import httpx
import pytest
from engine.suspending import SuspendingStore
from test_bad_wire import parsed, talk

from mockserver.engine import attempts
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store import opening
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "evolink": ("/v1/images/generations", {"model": "gpt-image-2-beta", "prompt": "x"}),
    "icodeeasy": ("/v1/images/generations?async=1", {"model": "gpt-image-2", "prompt": "x"}),
    "xhuoapi": ("/v1/openai/images/generations", {"model": "gpt-image-2", "prompt": "x", "async": True}),
}


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    monkeypatch.setattr(opening, "MemoryStore", SuspendingStore)
    monkeypatch.setattr(attempts, "RETRY", 0.02)
    with MockServer(Settings(latency="instant", seed="away")) as started:
        yield started


def store_of(mock: MockServer) -> SuspendingStore:
    store = mock.app.engine.store
    assert isinstance(store, SuspendingStore)
    return store


def submit(mock: MockServer, name: str, **fields: Any) -> httpx.Response:
    path, body = CALLS[name]
    headers = {"Authorization": "Bearer sk_a_key_of_a_test"}
    return web.post(f"{mock.root_url}/{name}{path}", json={**body, **fields}, headers=headers)


@pytest.mark.parametrize("name", CALLS)
def test_a_provider_refuses_in_its_own_shape(mock: MockServer, name: str) -> None:
    store_of(mock).link.away = True
    refused = submit(mock, name)
    assert (refused.status_code, refused.json()["error"].keys() >= {"message"}) == (503, True)
    assert refused.headers["x-request-id"]
    store_of(mock).link.away = False
    assert submit(mock, name).status_code in (200, 202)
    assert len(mock.requests(everyone=True)) == 1
    assert mock.defects() == []


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_http_is_answered_all_the_same(mock: MockServer, name: str) -> None:
    store_of(mock).link.away = True
    answer = parsed(talk(mock.root_url, f"POST /{name}/v1 HTTP/1.1\r\nContent-Length: x\r\n\r\n".encode()))
    assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_the_control_surface_says_what_is_wrong(mock: MockServer) -> None:
    store_of(mock).link.away = True
    answer = web.get(f"{mock.root_url}/_mock/health")
    assert answer.status_code == 503
    assert answer.json() == {"error": {"code": "store_unavailable", "message": "the store is away."}}
    store_of(mock).link.away = False
    assert mock.health()["status"] == "ok"


def test_an_answer_that_was_made_stands_without_its_entry(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(store_of(mock), "close_entry", fail)
    assert submit(mock, "evolink").status_code == 200
    assert mock.defects() == []


def test_what_falls_due_meanwhile_runs_when_the_store_is_back(mock: MockServer) -> None:
    mock.callbacks.route("https://app.example", f"{mock.root_url}/_mock/sink/app")
    accepted = submit(mock, "evolink", prompt="x [mock:delay=0.3]", callback_url="https://app.example/hook")
    store_of(mock).link.away = True
    sleep(0.5)  # real time, in which the task ends
    assert submit(mock, "evolink").status_code == 503
    store_of(mock).link.away = False
    callback = mock.callbacks.wait_delivered(accepted.json()["id"])
    assert callback.state == "delivered"
    assert mock.defects() == []
