"""The client for blocking code: `MockClient(url)`, and what `with MockServer() as mock` and the fixture give."""

import ssl
from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

from mockserver.client import assertions, models, money
from mockserver.client import operations as ops
from mockserver.client.addresses import DEFAULT_KEY, client_variables
from mockserver.client.asynchronous import AsyncMockClient
from mockserver.client.blocking_parts import Callbacks, Clock, Faults, OpenAIProvider, Provider, Sink
from mockserver.client.operations import Amount, Owner
from mockserver.client.protocol import MockError, Operation
from mockserver.client.wire import BlockingWire

T = TypeVar("T")


class MockClient:
    """A typed client of the control surface of a server at `root_url`. Threads may share it.

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
        self._context = context
        self.connect(control_url or root_url)
        self.owner = Owner(api_key)
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

    def connect(self, control_url: str) -> None:
        """Talk to the control surface at this address from now on."""
        self.control_url = control_url.rstrip("/")
        self._wire = BlockingWire(self.control_url, self._context)

    def do(self, operation: Operation[T]) -> T:
        """Run an operation of this client."""
        __tracebackhide__ = True
        try:
            call = next(operation)
            while True:
                try:
                    answer = self._wire.send(call)
                except MockError as error:
                    call = operation.throw(error)
                else:
                    call = operation.send(answer)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def requests(
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
        return self.do(found)

    def tasks(
        self,
        provider: str | None = None,
        *,
        status: models.TaskStatus | None = None,
        model: str | None = None,
        everyone: bool = False,
    ) -> list[models.Task]:
        """Generations, oldest first."""
        return self.do(ops.tasks(self.owner, provider, status, model, everyone))

    def task(self, task_id: str) -> models.Task:
        return self.do(ops.task(task_id))

    def accounts(self, provider: str | None = None, *, everyone: bool = False) -> list[money.Account]:
        """Every account that was used; without usage records."""
        return self.do(ops.accounts(self.owner, provider, everyone))

    def sink(self, name: str) -> Sink:
        """A built-in receiver of callbacks."""
        return Sink(self, self._sink_name(name))

    def _sink_name(self, name: str) -> str:
        return name

    def snapshot(self) -> Mapping[str, Any]:
        """All of the server's state as JSON, to be given to `restore`."""
        return self.do(ops.snapshot())

    def restore(self, state: Mapping[str, Any]) -> models.Clock:
        return self.do(ops.restore(state))

    def reset(self, api_key: str | None = None) -> None:
        """Forget everything, or one key's tasks, money, callbacks, requests and faults."""
        self.do(ops.reset(api_key or self.owner.key()))

    def health(self) -> Mapping[str, Any]:
        """What is pending, what is kept, and what the bounds have dropped."""
        return self.do(ops.health())

    def defects(self) -> list[models.Defect]:
        """Internal errors of the server: bugs of ours."""
        return self.do(ops.defects())

    def env(self) -> dict[str, str]:
        """What `mockserver env` prints, with this client's key: base URLs and keys by environment variable."""
        return client_variables(self.root_url, self.api_key)

    def assert_spent(self, provider: str, amount: Amount, *, everyone: bool = False) -> Decimal:
        """That exactly so much was charged at a provider."""
        __tracebackhide__ = True
        return self.do(assertions.spent(self.owner, provider, amount, everyone))

    def assert_requested(
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
        return self.do(assertions.requested(self.owner, provider, times, model, prompt, path, status, everyone))

    def assert_delivered(self, task_id: str | None = None, *, timeout: float = 10.0) -> list[models.Callback]:
        """That a task's callback arrives, or every one asked for, within `timeout` real seconds."""
        __tracebackhide__ = True
        return self.do(assertions.delivered(self.owner, task_id, timeout))

    def aio(self) -> AsyncMockClient:
        """The same for code in an asyncio loop: `async with mock.aio() as mock: await mock.clock.advance(7)`."""
        client = AsyncMockClient(self.root_url, control_url=self.control_url, context=self._context)
        client.take_place_of(self.owner, self._sink_name)
        return client

    def close(self) -> None:
        """Close the kept connections; another call opens new ones."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
