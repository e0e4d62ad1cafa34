"""The servers of a pytest session: one for each combination of options, started when a test needs it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.pytest_plugin.tally import Tally

if TYPE_CHECKING:
    from mockserver.client import MockClient
    from mockserver.pytest_plugin.handle import MockProviders
    from mockserver.server import MockServer
    from mockserver.settings import Settings

MARKER = "mock_providers"
CLOCKS = ("virtual", "real")
UNUSED_FAULTS = ("warn", "error", "ignore")
ADVICE = ("summary", "error", "off")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The options of a test's server. `balance` is decimal text; None is the server's default.

    `scenario` is a scenario's name or file, or several with commas between; a file is looked for in pytest's rootdir.
    """

    latency: str = "instant"
    clock: str = "virtual"
    seed: str = "mock_providers"
    balance: str | None = None
    scenario: str | None = None

    def settings(self) -> Settings:
        """As the server's settings. Raises ValueError for a value that is not one of an option's."""
        from decimal import Decimal

        from mockserver.settings import Settings

        if self.clock not in CLOCKS:
            raise ValueError(f"clock is one of {', '.join(CLOCKS)}, not {self.clock!r}")
        clock: Any = self.clock
        settings = Settings(latency=self.latency, clock=clock, seed=self.seed, autojump=clock == "virtual")
        if self.scenario is not None:
            names = tuple(filter(None, map(str.strip, self.scenario.split(","))))
            settings = replace(settings, scenarios=names)
        try:
            return settings if self.balance is None else replace(settings, balance=Decimal(self.balance))
        except ArithmeticError:
            raise ValueError(f"balance is a number, not {self.balance!r}") from None


INTERCEPT = "intercept"
"""The option that leads the documented hosts to the test's server; it is no option of the server itself."""

NAMES = tuple(ServerOptions.__dataclass_fields__)


def ini_options(config: pytest.Config) -> ServerOptions:
    """The options in the ini file, which hold for every test."""
    given = {name: config.getini(f"{MARKER}_{name}") for name in NAMES}
    return replace(ServerOptions(), **{name: value for name, value in given.items() if value})


def ini_mode(config: pytest.Config, name: str, modes: tuple[str, ...]) -> str:
    """One of some modes, as the ini file says; by default the first. Raises UsageError."""
    mode = str(config.getini(f"{MARKER}_{name}") or modes[0])
    if mode not in modes:
        raise pytest.UsageError(f"{MARKER}_{name} is one of {', '.join(modes)}, not {mode!r}")
    return mode


def marker_options(item: pytest.Item) -> dict[str, str]:
    """The options in a test's markers; the nearest marker wins. Raises ValueError for an unknown option."""
    asked: dict[str, str] = {}
    for marker in reversed(list(item.iter_markers(MARKER))):
        known = (*NAMES, INTERCEPT)
        if marker.args or marker.kwargs.keys() - set(known):
            wrong = ", ".join([*map(repr, marker.args), *(marker.kwargs.keys() - set(known))])
            raise ValueError(f"the marker mock_providers takes {', '.join(f'{n}=' for n in known)} and not {wrong}")
        for name, value in marker.kwargs.items():
            asked[name] = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return asked


def placed(scenarios: str, root: Path) -> str:
    """Scenarios with their files placed below a folder: pytest may have been started in another one."""
    names = map(str.strip, scenarios.split(","))
    return ",".join(str(root / name) if "/" in name or name.endswith(".toml") else name for name in names)


class Session:
    """What one process of a test run shares: servers, connections, the tally, and the handles that are in use."""

    def __init__(self, config: pytest.Config) -> None:
        self.tally = Tally()
        self.active: dict[MockProviders, str] = {}
        self.unused_faults = ini_mode(config, "unused_faults", UNUSED_FAULTS)
        self.advice = ini_mode(config, "advice", ADVICE)
        self._ini = ini_options(config)
        self._root = config.rootpath
        self._intercept = bool(config.getini(f"{MARKER}_{INTERCEPT}"))
        self._url: str | None = config.getoption("mock_providers_url")
        self._control_token: str | None = config.getoption("mock_providers_control_token")
        self._attached: MockClient | None = None
        self._servers: dict[tuple[str, ServerOptions], MockServer] = {}

    @contextmanager
    def handle(self, name: str, asked: Mapping[str, str], purpose: str) -> Iterator[MockProviders]:
        """A handle on a clean mock server for the test `name`; servers are shared by handles of one `purpose`."""
        mock = self._open(name, asked, purpose)
        try:
            mock.begin()
            if asked.get(INTERCEPT, str(self._intercept and purpose == "test")) == "True":
                mock.intercept()
            self.active[mock] = purpose
            yield mock
        finally:
            self.active.pop(mock, None)
            mock.end()

    def _open(self, name: str, asked: Mapping[str, str], purpose: str) -> MockProviders:
        from mockserver.client import MockClient
        from mockserver.pytest_plugin.handle import MockProviders

        token = sha256(name.encode()).hexdigest()[:16]
        options = replace(self._ini, **{name: value for name, value in asked.items() if name != INTERCEPT})
        if options.scenario is not None:
            options = replace(options, scenario=placed(options.scenario, self._root))
        if self._url and not asked.keys() - {"balance"}:
            self._attached = self._attached or MockClient(self._url, control_token=self._control_token)
            return MockProviders(self._attached, key_token=token, tally=self.tally, balance=options.balance)
        server = self._server(purpose, options)
        return MockProviders(server, key_token=token, tally=self.tally, server=server)

    def _server(self, purpose: str, options: ServerOptions) -> MockServer:
        from mockserver.server import MockServer

        if (purpose, options) not in self._servers:
            self._servers[purpose, options] = MockServer(options.settings()).start()
        return self._servers[purpose, options]

    def defects(self) -> list[str]:
        """The internal errors of the servers in use that were not returned before."""
        return [text for mock in self.active for text in mock.new_defects()]

    def close(self) -> None:
        """Stop the servers. What their last tests were charged is added to the tally first."""
        with ExitStack() as stack:
            if self._attached is not None:
                stack.callback(self._attached.close)
            for server in self._servers.values():
                stack.callback(server.stop)
            for server in self._servers.values():
                from mockserver.client import operations

                for forgotten in server.do(operations.reset()):
                    self.tally.add(forgotten.charges, forgotten.callbacks)
        self._servers.clear()


def worker() -> str:
    """The name of this process under xdist; "" without it."""
    return os.environ.get("PYTEST_XDIST_WORKER", "")
