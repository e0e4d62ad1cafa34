"""A running server, a client of it, and its clock."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from mockserver.engine.callbacks import Delivery
from mockserver.engine.store import Wanted
from mockserver.server import MockServer


@dataclass(frozen=True)
class Scene:
    """A running server (`server`), a client whose relative URLs are on it (`http`), and its clock."""

    server: MockServer
    http: httpx.Client

    @property
    def root(self) -> str:
        return self.server.root_url

    def advance(self, seconds: float) -> list[tuple[float, str, str]]:
        """Advance the clock; returns the events that ran, as (time, kind, id)."""
        engine = self.server.app.engine

        async def move() -> list[tuple[float, str, str]]:
            return [*await engine.event_runner.advance(engine.now() + seconds)]

        return self.server.run(move())

    def now(self) -> float:
        return self.server.app.engine.now()

    def deliveries(self) -> list[Delivery]:
        """Every callback, oldest first."""
        return self.server.run(self.server.app.engine.store.deliveries(Wanted(), 10_000))[0][::-1]

    def mock(self, path: str, **params: Any) -> Any:
        """The answer of `GET /_mock/{path}`."""
        answer = self.http.get(f"/_mock/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def money(self, provider: str, key: str) -> dict[str, Decimal]:
        """opening, balance, held and captured of an account, which must add up."""
        account = self.mock(f"accounts/{key}", provider=provider)
        amounts = {name: Decimal(account[name]) for name in ("opening", "balance", "held", "captured")}
        assert amounts["opening"] == amounts["balance"] + amounts["held"] + amounts["captured"]
        return amounts
