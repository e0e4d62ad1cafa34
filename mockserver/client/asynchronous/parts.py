"""The parts of the client: providers with their accounts, the clock, faults, callbacks, sinks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, Literal

from mockserver.client import models, money, waiting
from mockserver.client import operations as ops
from mockserver.client.asynchronous.connection import AsyncConnection
from mockserver.client.discovered import openai_path
from mockserver.client.models import CallbackState
from mockserver.client.operations import Amount, Reply
from mockserver.client.protocol import Operation, hide_misuse

__tracebackhide__ = hide_misuse

Rules = list[models.Rule]
CallbackList = list[models.Callback]


class _Part:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection


@dataclass(frozen=True, slots=True)
class Account(money.Account):
    """An account as it was when it was read; `set` changes it on the server and reads it again."""

    _connection: AsyncConnection = field(repr=False, compare=False)
    _key: str = field(repr=False, compare=False)

    async def set(
        self,
        *,
        balance: Amount | None = None,
        quota: Amount | EllipsisType | None = ...,
        rate_limit: tuple[int, float] | EllipsisType | None = ...,
    ) -> Account:
        """Set the balance, what a calendar month may cost, and (requests, seconds); None lifts the latter two."""
        return await _account(
            self._connection, self._key, ops.set_account(self.provider, self._key, balance, quota, rate_limit)
        )


async def _account(connection: AsyncConnection, key: str, operation: Operation[money.Account]) -> Account:
    found = await connection.do(operation)
    values = {name: getattr(found, name) for name in money.Account.__dataclass_fields__}
    return Account(**values, _connection=connection, _key=key)


class Provider(_Part):
    """One provider of a server: its addresses, its API key and its accounts."""

    def __init__(self, connection: AsyncConnection, name: str) -> None:
        super().__init__(connection)
        self.name = name

    @property
    def base_url(self) -> str:
        """What replaces scheme and host of the real service; documented paths follow it."""
        return f"{self._connection.root_url}/{self.name}"

    @property
    def openai_base_url(self) -> str:
        """What an OpenAI SDK takes as its `base_url`. Raises AttributeError for a provider without such endpoints."""
        __tracebackhide__ = True
        return self.base_url + openai_path(self.name)

    @property
    def api_key(self) -> str:
        """The client's API key, or another one if this provider does not accept that."""
        return self._connection.scope.key_for(self.name)

    async def account(self, key: str | None = None) -> Account:
        """The money of an API key, by default of this client's own."""
        key = key or self.api_key
        return await _account(self._connection, key, ops.account(self.name, key))


class Clock(_Part):
    """The server's clock."""

    # blocking: @property
    async def now(self) -> float:
        """Unix seconds."""
        return (await self.get()).now

    async def get(self) -> models.Clock:
        return await self._connection.do(ops.clock())

    async def advance(
        self, seconds: float | None = None, *, until: float | Literal["idle"] | None = None
    ) -> models.Advanced:
        """Let time pass and run everything that falls due, callbacks with their attempts included.

        Args:
            seconds: for how long; give this or `until`.
            until: an instant in Unix seconds, or "idle": until nothing is planned.
        """
        return await self._connection.do(ops.advance(seconds, until))

    async def set(
        self,
        *,
        mode: Literal["real", "virtual"] | None = None,
        speed: float | None = None,
        autojump: bool | None = None,
    ) -> models.Clock:
        """Switch mode, speed (of a real clock) and autojump (of a virtual one)."""
        return await self._connection.do(ops.set_clock(mode, speed, autojump))


class Faults(_Part):
    """Fault rules: which calls, tasks and callbacks fail, and how."""

    async def add(
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
        optional: bool = False,
        **parameters: Any,
    ) -> models.Rule:
        """Add a rule: `faults.add("status", provider="icodeeasy", status=429, times=2)`.

        Every other keyword is a parameter of the fault. Raises MockError for a rule that could never fire. In a test,
        a rule that has not fired by the end is reported, unless it is `optional`.
        """
        match = {"provider": provider, "path": path, "method": method, "model": model, "prompt": prompt}
        when = {"skip": skip, "times": times, "every": every, "probability": probability}
        given = {**match, "task_id": task_id, **when, **parameters}
        return await self._connection.do(
            ops.add_fault(self._connection.scope, type, given, everyone, api_key, optional)
        )

    async def list(self, *, everyone: bool = False) -> Rules:
        """The rules in force, oldest first, with how often they matched and fired."""
        return await self._connection.do(ops.faults(self._connection.scope, everyone))

    async def kinds(self) -> dict[str, Mapping[str, Any]]:
        """Every kind of fault by its type: what it does, and its parameters as JSON schema."""
        return await self._connection.do(ops.fault_kinds())

    async def get(self, rule_id: str) -> models.Rule:
        return await self._connection.do(ops.fault(rule_id))

    async def remove(self, rule_id: str) -> models.Rule:
        return await self._connection.do(ops.remove_fault(rule_id))

    async def clear(self, *, everyone: bool = False) -> int:
        """Remove the rules; how many there were."""
        return await self._connection.do(ops.clear_faults(self._connection.scope, everyone))


class Callbacks(_Part):
    """Callbacks: their attempts, and the addresses that they are routed to."""

    async def list(
        self,
        task_id: str | None = None,
        *,
        provider: str | None = None,
        state: CallbackState | None = None,
        everyone: bool = False,
    ) -> CallbackList:
        """Oldest first."""
        return await self._connection.do(waiting.callbacks(self._connection.scope, task_id, provider, state, everyone))

    async def get(self, callback_id: str) -> models.Callback:
        return await self._connection.do(waiting.callback(callback_id))

    async def wait_delivered(self, task_id: str, timeout: float = 10.0) -> models.Callback:
        """Wait, at most `timeout` real seconds, for a task's callback to arrive. Raises NotDelivered."""
        return await self._connection.do(waiting.wait_delivered(task_id, timeout))

    async def redeliver(self, callback_id: str) -> models.Callback:
        """Start a callback's attempts again, whatever its state."""
        return await self._connection.do(waiting.redeliver(callback_id))

    async def route(self, source: str, target: str) -> dict[str, str]:
        """Send callbacks whose URL begins with `source` to `target` instead; the routing table."""
        return await self._connection.do(ops.add_route(self._connection.scope, source, target))

    async def routes(self) -> dict[str, str]:
        return await self._connection.do(ops.routes())

    async def set_routes(self, table: Mapping[str, str]) -> dict[str, str]:
        """Replace the server's whole routing table."""
        return await self._connection.do(ops.put_routes(table))


class Sink(_Part):
    """A built-in receiver, which answers 200 unless its script says otherwise."""

    def __init__(self, connection: AsyncConnection, name: str) -> None:
        super().__init__(connection)
        self.name = name
        self.url = f"{connection.control_url}/_mock/sink/{name}"

    async def script(self, *replies: Reply) -> Sink:
        """Set its answers, in order; after the last one it answers 200. `script(500, (200, 11))` is a 500, then a 200
        that takes 11 seconds of the clock. Forgets what it has received."""
        await self._connection.do(ops.script_sink(self.name, replies))
        return self

    async def get(self) -> models.Sink:
        return await self._connection.do(ops.sink(self.name))

    # blocking: @property
    async def received(self) -> tuple[models.Received, ...]:
        """The requests it was sent, oldest first."""
        return (await self.get()).received
