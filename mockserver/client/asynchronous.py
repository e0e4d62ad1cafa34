"""The client for code in an asyncio loop: `AsyncMockClient(url)`, and what `async with MockServer() as mock` gives."""

import ssl
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

from mockserver.client import assertions, models, money
from mockserver.client import operations as ops
from mockserver.client.addresses import DEFAULT_KEY, client_variables
from mockserver.client.asynchronous_parts import Callbacks, Clock, Faults, OpenAIProvider, Provider, Sink
from mockserver.client.operations import Amount, Owner
from mockserver.client.protocol import MockError, Operation
from mockserver.client.wire import AsyncWire

T = TypeVar("T")


class AsyncMockClient:
    """As `MockClient`, to be awaited: `async with AsyncMockClient(url) as mock: await mock.clock.advance(7)`.

    Args:
        api_key: the key that is meant where none is named; any well-formed one will do.
        control_url: where the control surface is, if that is not `root_url`.
        context: for a server with a certificate of its own.
    """

    def __init__(
        self,
        root_url: str,
        *,
        api_key: str = DEFAULT_KEY,
        control_url: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.root_url = root_url.rstrip("/")
        self.control_url = (control_url or root_url).rstrip("/")
        self._context = context
        self._wire = AsyncWire(self.control_url, context)
        self.owner = Owner(api_key)
        self._sink_name: Callable[[str], str] = str
        self.evolink = Provider(self, "evolink")
        self.icodeeasy = OpenAIProvider(self, "icodeeasy")
        self.xhuoapi = OpenAIProvider(self, "xhuoapi")
        self.clock = Clock(self)
        self.faults = Faults(self)
        self.callbacks = Callbacks(self)

    @property
    def api_key(self) -> str:
        """A key that is valid at all three."""
        return self.owner.api_key

    async def do(self, operation: Operation[T]) -> T:
        """Run an operation of this client."""
        __tracebackhide__ = True
        try:
            call = next(operation)
            while True:
                try:
                    answer = await self._wire.send(call)
                except MockError as error:
                    call = operation.throw(error)
                else:
                    call = operation.send(answer)
        except StopIteration as stop:
            value: T = stop.value
            return value

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
        """The calls that were made, oldest first. `path` is a documented one, with `*`; `prompt` a part of it."""
        found = ops.requests(
            self.owner,
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
        return await self.do(ops.tasks(self.owner, provider, status, model, everyone))

    async def task(self, task_id: str) -> models.Task:
        return await self.do(ops.task(task_id))

    async def accounts(self, provider: str | None = None, *, everyone: bool = False) -> list[money.Account]:
        """Every account that was used; without usage records."""
        return await self.do(ops.accounts(self.owner, provider, everyone))

    def sink(self, name: str) -> Sink:
        """A built-in receiver of callbacks."""
        return Sink(self, self._sink_name(name))

    async def snapshot(self) -> Mapping[str, Any]:
        """All of the server's state as JSON, to be given to `restore`."""
        return await self.do(ops.snapshot())

    async def restore(self, state: Mapping[str, Any]) -> models.Clock:
        return await self.do(ops.restore(state))

    async def reset(self, api_key: str | None = None) -> None:
        """Forget everything, or one key's tasks, money, callbacks, requests and faults."""
        await self.do(ops.reset(api_key or self.owner.key()))

    async def health(self) -> Mapping[str, Any]:
        """What is pending, what is kept, and what the bounds have dropped."""
        return await self.do(ops.health())

    async def defects(self) -> list[models.Defect]:
        """Internal errors of the server: bugs of ours."""
        return await self.do(ops.defects())

    def env(self) -> dict[str, str]:
        """What `mockserver env` prints, with this client's key: base URLs and keys by environment variable."""
        return client_variables(self.root_url, self.api_key)

    async def assert_spent(self, provider: str, amount: Amount, *, everyone: bool = False) -> Decimal:
        """That exactly so much was charged at a provider."""
        __tracebackhide__ = True
        return await self.do(assertions.spent(self.owner, provider, amount, everyone))

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
        """That pictures were asked for, exactly `times` times or at least once. With `path`, that it was called."""
        __tracebackhide__ = True
        return await self.do(assertions.requested(self.owner, provider, times, model, prompt, path, status, everyone))

    async def assert_delivered(self, task_id: str | None = None, *, timeout: float = 10.0) -> list[models.Callback]:
        """That a task's callback arrives, or every one asked for, within `timeout` real seconds."""
        __tracebackhide__ = True
        return await self.do(assertions.delivered(self.owner, task_id, timeout))

    def take_place_of(self, owner: Owner, sink_name: Callable[[str], str]) -> None:
        """Speak for an owner, and name sinks as it does."""
        self.owner, self._sink_name = owner, sink_name

    async def close(self) -> None:
        """Close the kept connections; another call opens new ones."""
        await self._wire.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
