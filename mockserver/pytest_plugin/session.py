"""The servers of a pytest session: one for each combination of settings that tests ask for, made at the first need."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.pytest_plugin.tally import Tally

if TYPE_CHECKING:
    from mockserver.pytest_plugin.handle import MockProviders
    from mockserver.server import MockServer
    from mockserver.settings import Settings

MARKER = "mock_providers"
CLOCKS = ("virtual", "real")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a test asks of its server. `balance` is decimal text; None is the server's default."""

    latency: str = "instant"
    clock: str = "virtual"
    seed: str = "mock_providers"
    balance: str | None = None

    def settings(self) -> Settings:
        """As the server's settings. Raises ValueError for what makes no sense."""
        from decimal import Decimal

        from mockserver.settings import Settings

        if self.clock not in CLOCKS:
            raise ValueError(f"clock is one of {', '.join(CLOCKS)}, not {self.clock!r}")
        clock: Any = self.clock
        settings = Settings(latency=self.latency, clock=clock, seed=self.seed, autojump=clock == "virtual")
        try:
            return settings if self.balance is None else replace(settings, balance=Decimal(self.balance))
        except ArithmeticError:
            raise ValueError(f"balance is a number, not {self.balance!r}") from None


NAMES = tuple(ServerOptions.__dataclass_fields__)


def ini_options(config: pytest.Config) -> ServerOptions:
    """The wishes of the ini file: what holds for every test."""
    given = {name: config.getini(f"{MARKER}_{name}") for name in NAMES}
    return replace(ServerOptions(), **{name: value for name, value in given.items() if value})


def marker_options(item: pytest.Item) -> dict[str, str]:
    """What a test's markers ask for, the nearest one last."""
    asked: dict[str, str] = {}
    for marker in reversed(list(item.iter_markers(MARKER))):
        if marker.args or marker.kwargs.keys() - set(NAMES):
            wrong = ", ".join([*map(repr, marker.args), *(marker.kwargs.keys() - set(NAMES))])
            raise ValueError(f"the marker mock_providers takes {', '.join(f'{n}=' for n in NAMES)} and not {wrong}")
        asked.update({name: str(value) for name, value in marker.kwargs.items()})
    return asked


class Session:
    """What one process of a test run shares."""

    def __init__(self, config: pytest.Config) -> None:
        self.tally = Tally()
        self.active: list[MockProviders] = []
        self._ini = ini_options(config)
        self._url: str | None = config.getoption("mock_providers_url")
        self._servers: dict[tuple[str, ServerOptions], MockServer] = {}

    @contextmanager
    def handle(self, name: str, asked: Mapping[str, str], purpose: str) -> Iterator[MockProviders]:
        """A clean mock for whoever is called `name`; servers are shared among those of one purpose."""
        mock = self._open(name, asked, purpose)
        try:
            mock.begin()
            self.active.append(mock)
            yield mock
        finally:
            if mock in self.active:
                self.active.remove(mock)
            mock.end()

    def _open(self, name: str, asked: Mapping[str, str], purpose: str) -> MockProviders:
        from mockserver.pytest_plugin.handle import MockProviders

        key = f"sk_test_{sha256(name.encode()).hexdigest()[:16]}"
        of_server = asked.keys() - {"balance"}
        wishes = replace(self._ini, **asked)
        if self._url and not of_server:
            return MockProviders(self._url, api_key=key, tally=self.tally, own_server=False, balance=wishes.balance)
        server = self._server(purpose, wishes)
        return MockProviders(
            server.root_url, api_key=key, tally=self.tally, own_server=True, control_url=server.control_url
        )

    def _server(self, purpose: str, wishes: ServerOptions) -> MockServer:
        from mockserver.server import MockServer

        if (purpose, wishes) not in self._servers:
            self._servers[purpose, wishes] = MockServer(wishes.settings()).start()
        return self._servers[purpose, wishes]

    def defects(self) -> list[str]:
        """What went wrong inside the servers since this was last asked."""
        return [text for mock in self.active for text in mock.new_defects()]

    def close(self) -> None:
        for server in self._servers.values():
            server.stop()
        self._servers.clear()


def worker() -> str:
    """The name of this process under xdist; "" without it."""
    return os.environ.get("PYTEST_XDIST_WORKER", "")
