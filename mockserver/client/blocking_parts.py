"""The parts of a `MockClient`: providers with their accounts, the clock, faults, callbacks, sinks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal

from mockserver.client import models, money, waiting
from mockserver.client import operations as ops
from mockserver.client.addresses import Addresses
from mockserver.client.models import CallbackState
from mockserver.client.operations import Amount, Reply
from mockserver.client.protocol import Operation

if TYPE_CHECKING:
    from mockserver.client.blocking import MockClient

Rules = list[models.Rule]
CallbackList = list[models.Callback]


class _Part:
    def __init__(self, client: MockClient) -> None:
        self._client = client


@dataclass(frozen=True, slots=True)
class Account(money.Account):
    """An account as it was when it was read; `set` changes it on the server and reads it again."""

    _client: MockClient = field(repr=False, compare=False)
    _key: str = field(repr=False, compare=False)

    def set(
        self,
        *,
        balance: Amount | None = None,
        quota: Amount | EllipsisType | None = ...,
        rate_limit: tuple[int, float] | EllipsisType | None = ...,
    ) -> Account:
        """Set the balance, what a calendar month may cost, and (requests, seconds); None lifts the latter two."""
        return _account(self._client, self._key, ops.set_account(self.provider, self._key, balance, quota, rate_limit))


def _account(client: MockClient, key: str, operation: Operation[money.Account]) -> Account:
    found = client.do(operation)
    values = {name: getattr(found, name) for name in money.Account.__dataclass_fields__}
    return Account(**values, _client=client, _key=key)


class Provider(Addresses):
    """One provider of a server: its addresses and its accounts."""

    def __init__(self, client: MockClient, name: str) -> None:
        super().__init__(lambda: client.root_url, name)
        self._client = client

    def account(self, key: str | None = None) -> Account:
        """The money of an API key, by default of this client's own."""
        key = key or self._client.api_key
        return _account(self._client, key, ops.account(self.name, key))


class OpenAIProvider(Provider):
    """One that OpenAI SDKs can be pointed at."""

    @property
    def openai_base_url(self) -> str:
        """What an OpenAI SDK takes as its `base_url`."""
        return self._openai_base_url()


class Clock(_Part):
    """The server's clock."""

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self.get().now

    def get(self) -> models.Clock:
        return self._client.do(ops.clock())

    def advance(self, seconds: float) -> models.Advanced:
        """Let time pass, and everything that falls due in it happen, callbacks with their attempts included."""
        return self._client.do(ops.advance(seconds))

    def advance_to(self, instant: float) -> models.Advanced:
        """The same until an instant, in Unix seconds."""
        return self._client.do(ops.advance(until=instant))

    def advance_until_idle(self) -> models.Advanced:
        """The same until nothing is planned."""
        return self._client.do(ops.advance(until="idle"))

    def set(
        self,
        *,
        mode: Literal["real", "virtual"] | None = None,
        speed: float | None = None,
        autojump: bool | None = None,
    ) -> models.Clock:
        """Switch mode, speed (of a real clock) and autojump (of a virtual one)."""
        return self._client.do(ops.set_clock(mode, speed, autojump))


class Faults(_Part):
    """What goes wrong."""

    def add(
        self,
        type: str,
        *,
        provider: str | None = None,
        path: str | None = None,
        method: str | None = None,
        model: str | None = None,
        prompt: str | None = None,
        task_id: str | None = None,
        api_key: str | None = None,
        skip: int | None = None,
        times: int | None = None,
        every: int | None = None,
        probability: float | None = None,
        everyone: bool = False,
        **parameters: Any,
    ) -> models.Rule:
        """Let a fault happen: `faults.add("status", provider="icodeeasy", status=429, times=2)`.

        What is no part of the match or of the timing is a parameter of the fault. Raises MockError for a rule that
        could never fire.
        """
        match = {"provider": provider, "path": path, "method": method, "model": model, "prompt": prompt}
        when = {"skip": skip, "times": times, "every": every, "probability": probability}
        given = {**match, "task_id": task_id, **when, **parameters}
        return self._client.do(ops.add_fault(self._client.owner, type, given, everyone, api_key))

    def list(self, *, everyone: bool = False) -> Rules:
        """The rules in force, oldest first, with how often they matched and fired."""
        return self._client.do(ops.faults(self._client.owner, everyone))

    def get(self, rule_id: str) -> models.Rule:
        return self._client.do(ops.fault(rule_id))

    def remove(self, rule_id: str) -> models.Rule:
        return self._client.do(ops.remove_fault(rule_id))

    def clear(self, *, everyone: bool = False) -> int:
        """Remove the rules; how many there were."""
        return self._client.do(ops.clear_faults(self._client.owner, everyone))


class Callbacks(_Part):
    """Callbacks that are sent, and where they go."""

    def list(
        self,
        task_id: str | None = None,
        *,
        provider: str | None = None,
        state: CallbackState | None = None,
        everyone: bool = False,
    ) -> CallbackList:
        """Oldest first."""
        return self._client.do(waiting.callbacks(self._client.owner, task_id, provider, state, everyone))

    def get(self, callback_id: str) -> models.Callback:
        return self._client.do(waiting.callback(callback_id))

    def wait_delivered(self, task_id: str, timeout: float = 10.0) -> models.Callback:
        """Wait, at most `timeout` real seconds, for a task's callback to arrive. Raises NotDelivered."""
        return self._client.do(waiting.wait_delivered(task_id, timeout))

    def redeliver(self, callback_id: str) -> models.Callback:
        """Begin a callback's attempts anew, whatever has become of it."""
        return self._client.do(waiting.redeliver(callback_id))

    def route(self, source: str, target: str) -> dict[str, str]:
        """Send callbacks whose URL begins with `source` to `target` instead; the routing table."""
        return self._client.do(ops.add_route(self._client.owner, source, target))

    def routes(self) -> dict[str, str]:
        return self._client.do(ops.routes())

    def set_routes(self, table: Mapping[str, str]) -> dict[str, str]:
        """Put a routing table in place of the one in force, everybody's."""
        return self._client.do(ops.put_routes(table))


class Sink(_Part):
    """A built-in receiver, which answers 200 unless its script says otherwise."""

    def __init__(self, client: MockClient, name: str) -> None:
        super().__init__(client)
        self.name = name
        self.url = f"{client.control_url}/_mock/sink/{name}"

    def script(self, *replies: Reply) -> Sink:
        """What it answers from now on, one after the other, and 200 past the end: `script(500, (200, 11))` is a 500,
        then a 200 that takes 11 seconds of the clock. It forgets what it was sent."""
        self._client.do(ops.script_sink(self.name, replies))
        return self

    def get(self) -> models.Sink:
        return self._client.do(ops.sink(self.name))

    @property
    def received(self) -> tuple[models.Received, ...]:
        """What it was sent, oldest first."""
        return self.get().received
