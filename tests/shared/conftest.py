"""Servers in processes of their own that share a store, on SQLite and on Redis."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from support import web
from support.serving import Running, running
from support.stores import KINDS, store_url

XHUOAPI, EVOLINK = "/xhuoapi/v1/openai/images/generations", "/evolink/v1/images/generations"
APP = "https://app.example.com"
FLAGS = ("--clock", "virtual", "--seed", "s", "--latency", "5", "--callback-route", f"{APP}=http://127.0.0.1:9")


@dataclass(frozen=True)
class Process:
    """One server of several on a store, and a client of it."""

    running: Running
    http: httpx.Client

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """What a control call answers, which must be a 200."""
        content = {} if body is None else {"json": body}
        answer = self.http.request(method, f"/_mock/{path}", params=params, **content)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, key: str = "k", *, status: int = 200, **fields: Any) -> Any:
        """Submit to evolink; the answer's body."""
        body = {"model": "gpt-image-2-beta", "prompt": "a fox", **fields}
        answer = self.http.post(EVOLINK, json=body, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status, answer.text
        return answer.json()

    def poll(self, task_id: str, key: str = "k") -> Any:
        return self.http.get(f"/evolink/v1/tasks/{task_id}", headers={"Authorization": f"Bearer {key}"}).json()

    def advance(self, seconds: float) -> list[tuple[str, str]]:
        """Advance the clock; what ran, as (kind, id)."""
        answer = self.ask("POST", "clock/advance", {"seconds": seconds})
        return [(event["kind"], event["id"]) for event in answer["ran"]]

    def money(self, key: str = "k", provider: str = "evolink") -> dict[str, Decimal]:
        account = self.ask("GET", f"accounts/{key}", provider=provider)
        amounts = {name: Decimal(account[name]) for name in ("opening", "balance", "held", "captured")}
        assert amounts["opening"] == amounts["balance"] + amounts["held"] + amounts["captured"]
        return amounts


@contextmanager
def serving(url: str, *flags: str) -> Iterator[Process]:
    """One server on a store."""
    with (
        running("--store", url, *flags) as server,
        web.Client(base_url=server.root, timeout=20) as http,
    ):
        yield Process(server, http)


def until(true: Callable[[], object], seconds: float = 15) -> None:
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "it did not come to that"
        sleep(0.02)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store without anything in it."""
    with store_url(request.param, tmp_path) as found:
        yield found


@pytest.fixture(scope="module", params=KINDS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Process]]:
    with ExitStack() as stack:
        found = stack.enter_context(store_url(request.param, tmp_path_factory.mktemp("store")))
        yield stack.enter_context(serving(found, *FLAGS)), stack.enter_context(serving(found, *FLAGS))


@pytest.fixture
def pair(both: tuple[Process, Process]) -> tuple[Process, Process]:
    """Two servers on one store, just reset, under a virtual clock."""
    both[0].ask("POST", "reset", {})
    return both
