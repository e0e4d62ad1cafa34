"""The client: every operation of the control surface as a method."""

import ssl
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mockserver.client import assertions, models, money
from mockserver.client import operations as ops
from mockserver.client.asynchronous.connection import AsyncConnection
from mockserver.client.asynchronous.parts import Callbacks, Clock, Faults, Provider, Sink
from mockserver.client.discovered import check_name, installed
from mockserver.client.environment import client_environment
from mockserver.client.operations import Amount
from mockserver.client.protocol import hide_misuse
from mockserver.client.scope import Scope

__tracebackhide__ = hide_misuse


class AsyncMockClient(AsyncConnection):
    """A typed client of the control surface of a server at `root_url`.

    Every provider that is installed is an attribute, by its name.

    Args:
        api_key: the key that is used where none is named; by default one that the providers accept.
        control_url: the address of the control surface, if that is not `root_url`.
        context: for a server with a certificate of its own.
        control_token: what the server was given as `--control-token`; by default `MOCKSERVER_CONTROL_TOKEN`.
    """

    if TYPE_CHECKING:  # those of this package; `provider(name)` is typed for any other
        evolink: Provider
        icodeeasy: Provider
        xhuoapi: Provider

    def __init__(
        self,
        root_url: str,
        *,
        api_key: str | None = None,
        control_url: str | None = None,
        context: ssl.SSLContext | None = None,
        control_token: str | None = None,
    ) -> None:
        super().__init__(root_url, control_url, Scope(api_key), context, control_token)
        self.clock = Clock(self)
        self.faults = Faults(self)
        self.callbacks = Callbacks(self)

    @property
    def api_key(self) -> str:
        """A key that every provider accepts, if one key can; where not, `mock.NAME.api_key` is what NAME accepts."""
        return self.scope.api_key

    def provider(self, name: str) -> Provider:
        """A provider by its name. Raises ValueError, with the names that there are, for any other."""
        __tracebackhide__ = True
        return Provider(self, check_name(name))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Provider:
            __tracebackhide__ = True
            if name.startswith("_") or name not in installed():
                known = "" if name.startswith("_") else f"; the providers are {', '.join(installed())}"
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r:.60}{known}")
            return Provider(self, name)

    async def requests(
        self,
        provider: str | None = None,
        *,
        path: str | None = None,
        method: str | None = None,
        model: str | None = None,
        prompt: str | None = None,
        status: int | None = None,
        task_id: str | None = None,
        everyone: bool = False,
    ) -> list[models.Request]:
        """The calls to providers, oldest first. `path` is a documented one, `*` allowed; `prompt` is a part of it."""
        found = ops.requests(
            self.scope,
            provider,
            path=path,
            method=method,
            model=model,
            prompt=prompt,
            status=status,
            task_id=task_id,
            everyone=everyone,
        )
        return await self.do(found)

    async def tasks(
        self,
        provider: str | None = None,
        *,
        status: models.TaskStatus | None = None,
        model: str | None = None,
        everyone: bool = False,
    ) -> list[models.Task]:
        """Generations, oldest first."""
        return await self.do(ops.tasks(self.scope, provider, status, model, everyone))

    async def task(self, task_id: str) -> models.Task:
        return await self.do(ops.task(task_id))

    async def complete_task(self, task_id: str) -> models.Task:
        """Complete a task now. Raises MockError for one that has ended, as the other two do."""
        return await self.do(ops.complete_task(task_id))

    async def fail_task(self, task_id: str, code: str | None = None) -> models.Task:
        """Let a task fail now, with an error code of its provider or with the provider's general failure."""
        return await self.do(ops.fail_task(task_id, code))

    async def cancel_task(self, task_id: str) -> models.Task:
        """Cancel a task now, as a provider does that drops it."""
        return await self.do(ops.cancel_task(task_id))

    async def resend(self, request_id: str) -> models.Resent:
        """Send a recorded request again, with its API key. Raises MockError if its body was not kept whole."""
        return await self.do(ops.resend(request_id))

    async def advice(self, *, everyone: bool = False) -> list[models.Advice]:
        """What the calls so far show that would hurt in production."""
        return await self.do(ops.advice(self.scope, everyone))

    async def accounts(self, provider: str | None = None, *, everyone: bool = False) -> list[money.Account]:
        """Every account that was used, without its usage records."""
        return await self.do(ops.accounts(self.scope, provider, everyone))

    def sink(self, name: str) -> Sink:
        """A built-in receiver of callbacks."""
        return Sink(self, self.scope.sink_prefix + name)

    async def snapshot(self) -> Mapping[str, Any]:
        """The server's whole state as JSON, which `restore` takes."""
        return await self.do(ops.snapshot())

    async def restore(self, state: Mapping[str, Any]) -> models.Clock:
        return await self.do(ops.restore(state))

    async def reset(self, api_key: str | None = None) -> None:
        """Forget everything, or one key's tasks, money, callbacks, requests and faults."""
        keys = (api_key,) if api_key else self.scope.filter().get("api_key", ())
        await self.do(ops.reset(*keys))

    async def health(self) -> Mapping[str, Any]:
        """The tasks and callbacks that are pending, and how many records are kept and were dropped."""
        return await self.do(ops.health())

    async def defects(self) -> list[models.Defect]:
        """Internal errors of the server: bugs of this package."""
        return await self.do(ops.defects())

    def env(self) -> dict[str, str]:
        """What `mockserver env` prints, with this client's key: base URLs and keys by environment variable."""
        return client_environment(self.root_url, key_for=self.scope.key_for)

    async def assert_spent(self, provider: str, amount: Amount, *, everyone: bool = False) -> Decimal:
        """Assert that exactly `amount` was charged at a provider."""
        return await self.do(assertions.spent(self.scope, provider, amount, everyone))

    async def assert_requested(
        self,
        provider: str | None = None,
        *,
        times: int | None = None,
        model: str | None = None,
        prompt: str | None = None,
        path: str | None = None,
        status: int | None = None,
        everyone: bool = False,
    ) -> list[models.Request]:
        """Assert that pictures were requested `times` times, or at least once. With `path`, that it was called."""
        return await self.do(assertions.requested(self.scope, provider, times, model, prompt, path, status, everyone))

    async def assert_delivered(self, task_id: str | None = None, *, timeout: float = 10.0) -> list[models.Callback]:
        """Assert that a task's callback, or every requested one, arrives within `timeout` real seconds."""
        return await self.do(assertions.delivered(self.scope, task_id, timeout))

    async def assert_well_behaved(self, *, ignore: Iterable[str] = (), everyone: bool = False) -> None:
        """Assert that there is no advice: that the client did nothing that would hurt in production.

        Args:
            ignore: rules that may have advice, by name.

        Raises:
            ValueError: for a name that is none of a rule.
        """
        await self.do(assertions.well_behaved(self.scope, ignore, everyone))

    async def close(self) -> None:
        """Close the kept connections; another call opens new ones."""
        await self.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
