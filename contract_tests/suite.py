"""A run: builds its mocks, receiver and clients from the options, each when it is first needed."""

import secrets
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from hashlib import sha256

import httpx
import pytest

from . import drift, mock, receiver
from .budget import BudgetExhausted
from .client import RUN, Client
from .hooks import Hook
from .library import claims, key_prefix
from .options import Options
from .plan import Plan
from .pricing import unit
from .recording import Recorder, Replay
from .report import Results, new_results
from .target import Kind, Target, placeholder

SEED = "contract"


class Suite:
    """One run. `close` stops the mocks and the receiver that it has started."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self.options = options
        self.say = say
        self.results: Results = new_results(
            claims().values(), {name: describe(t) for name, t in options.targets.items()}
        )
        if options.drift:
            self.results.compared = {provider: drift.Tally() for provider in options.targets}
        self.plan = Plan((), {})
        self.live_tests = 0
        self.stopped = ""
        self._broken = False
        self.run = secrets.token_hex(6)
        self.recorder = Recorder(options.record) if options.record else None
        self._replays: dict[str, Replay] = {}
        self._stack = ExitStack()

    def close(self) -> None:
        self._stack.close()

    @cached_property
    def mock_root(self) -> str:
        """A mock under a virtual clock whose generations take no time; callbacks reach `receiver_url`."""
        route = f"{mock.CALLBACK_ORIGIN}={httpx.URL(self.receiver_url).copy_with(path='/')}".rstrip("/")
        return self._start("--clock", "virtual", "--latency", "instant", "--callback-route", route)

    @cached_property
    def documented_root(self) -> str:
        """A mock whose generations take the documented time, and whose accounts open with 3 of each unit."""
        return self._start("--clock", "virtual", "--latency", "documented", "--balance", "3")

    def _start(self, *arguments: str) -> str:
        """A mock's root URL. If a mock has failed to start, the other tests fail at once."""
        if self._broken:
            pytest.fail("the mock did not start; the first test says why", pytrace=False)
        try:
            return self._stack.enter_context(mock.started([*arguments, "--seed", SEED, "--quiet"]))
        except RuntimeError:
            self._broken = True
            raise

    @cached_property
    def receiver_url(self) -> str:
        """A receiver on this machine, for mocks of the suite's own."""
        return self._stack.enter_context(receiver.running())

    @cached_property
    def transport(self) -> httpx.Client:
        """The HTTP client of all calls. Proxies from the environment are used for remote targets alone."""
        trusted = ssl.create_default_context(cafile=self.options.ca_bundle) if self.options.ca_bundle else True
        remote = any(target.is_paid for target in self.options.targets.values())
        client = httpx.Client(verify=trusted, trust_env=remote, follow_redirects=False)
        return self._stack.enter_context(client)

    def client(self, provider: str, test: str, named: tuple[str, ...] = (), documented: bool = False) -> Client:
        """A client of a provider for one test; on a mock with an account of its own."""
        target = self.options.targets[provider]
        if target.kind is Kind.MOCK:
            return self._mock_client(provider, test, self.documented_root if documented else self.mock_root)
        client = Client(target, test, target.key, self.transport, say=self.say, recorder=self.recorder)
        client.exhausted, client.placeholders = self._stop, self._stand_ins(target)
        client.run = self.run if target.is_paid else RUN
        client.patience = self.options.patience
        client.allowance = self.options.budget.allowances.get(provider) if target.is_paid else None
        client.replay = self._replay(target)
        if self.options.drift:
            client.listeners.append(self._comparison(client, named))
        return client

    def _stop(self, error: BudgetExhausted) -> None:
        """The next call could exceed the cap: the session ends with this test."""
        self.stopped = f"stopped by the budget: {error}"
        pytest.skip(self.stopped)

    def _stand_ins(self, target: Target) -> dict[str, str]:
        known = {
            target.base_url: placeholder(target.provider),
            self.options.callback_base_url: placeholder("callbacks"),
            self.options.callback_read_url: placeholder("receiver"),
            self.run: RUN,
        }
        return {address: name for address, name in known.items() if address}

    def _mock_client(self, provider: str, test: str, root: str) -> Client:
        key = f"{key_prefix(provider)}contract_{sha256(test.encode()).hexdigest()[:12]}"
        target = Target(provider, Kind.MOCK, f"{root}/{provider}", key)
        return Client(target, test, key, self.transport, recorder=self.recorder)

    def _comparison(self, client: Client, named: tuple[str, ...]) -> drift.MockComparison:
        twin = replace(self._mock_client(client.provider, client.test, self.mock_root), recorder=None)
        findings = self.results.findings
        tally = self.results.compared[client.provider]
        return drift.MockComparison(twin, client.test, named, client.target.base_url, client.key, findings, tally)

    def _replay(self, target: Target) -> Replay | None:
        if target.folder is None:
            return None
        return self._replays.setdefault(str(target.folder), Replay(target.folder))

    def control(self, client: Client) -> mock.Control:
        """The control surface of the mock that a client calls."""
        root = client.target.base_url.removesuffix(f"/{client.provider}")
        return mock.Control(root, self.transport, client.provider, client.key)

    def hook(self, client: Client) -> Hook | None:
        """A callback URL for one test; None if the target could not reach it."""
        name = client.unique("hook")
        kind = client.target.kind
        if kind is Kind.MOCK:
            path = httpx.URL(self.receiver_url).path
            return Hook(client, f"{mock.CALLBACK_ORIGIN}{path}/{name}", f"{self.receiver_url}/{name}")
        if kind is Kind.REPLAY:
            return Hook(client, f"{placeholder('callbacks')}/{name}", f"{placeholder('receiver')}/{name}")
        if not self.options.callback_base_url:
            return None
        return Hook(client, f"{self.options.callback_base_url}/{name}", f"{self.options.callback_read_url}/{name}")

    def money_spent(self) -> dict[str, str]:
        allowances = self.options.budget.allowances
        return {name: f"{allowance.spent} of {allowance.cap} {unit(name)}" for name, allowance in allowances.items()}


def describe(target: Target) -> str:
    """A target's name in reports; never its key."""
    if target.kind is Kind.REMOTE:
        return target.base_url
    return target.kind.value if target.folder is None else f"replay of {target.folder.name}"
