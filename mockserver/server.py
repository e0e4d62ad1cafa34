"""A server for tests and tools, with its client: in a thread of its own, or in the caller's event loop."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from mockserver.app import App, create_app
from mockserver.client.asynchronous.client import AsyncMockClient
from mockserver.client.mock_client import MockClient
from mockserver.client.scope import Scope
from mockserver.engine.clock import monotonic
from mockserver.engine.event_runner import CRASHED_ATTEMPT
from mockserver.http.listening import local_url, root_url, serving
from mockserver.settings import Settings

T = TypeVar("T")


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that keeps real time in a test that freezes time: otherwise the server's thread would hang."""

    def time(self) -> float:
        return monotonic()


class AsyncMockServer(AsyncMockClient):
    """The client of a server in the running event loop: what `async with MockServer() as mock` returns."""

    def __init__(self, app: App, root: str, control_url: str) -> None:
        token = app.settings.control_token
        super().__init__(root, control_url=control_url, context=_trusting(app), control_token=token)
        self.scope = Scope(allowed_keys=app.settings.api_keys)
        self.app = app


class MockServer(MockClient):
    """A server for tests, and its client.

    `with MockServer() as mock` serves in a thread of its own. `async with MockServer() as mock` serves in the caller's
    event loop, and the methods of `mock` are coroutines.

    Args:
        settings: as for the command line.
        port: the port to listen on, 0 for a free one. Without it the port of the settings counts, unless that is the
            default (8080): then a free one is chosen.
    """

    def __init__(self, settings: Settings | None = None, *, port: int | None = None) -> None:
        given = settings or Settings()
        if given.workers > 1:
            raise ValueError("a MockServer is one process: mockserver serve --workers starts several")
        chosen = given.port if port is None and given.port != Settings().port else port or 0
        self.app = create_app(replace(given, port=chosen))
        super().__init__("", context=_trusting(self.app), control_token=given.control_token)
        self.scope = Scope(allowed_keys=given.api_keys)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._done: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._stack: AsyncExitStack | None = None

    def start(self) -> Self:
        """Serve until `stop`. Raises OSError if the address cannot be bound, RuntimeError at a second start."""
        if self._thread is not None or self._stack is not None:
            raise RuntimeError("a MockServer can be started only once; create a new one")
        self._loop = _Loop()
        self._thread = threading.Thread(target=self._serve, args=(self._loop,), name="mockserver", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def stop(self) -> None:
        """Stop the server and its thread, and cancel what is under way."""
        self.close()
        if self._thread is None or self._loop is None:
            return
        if self._done is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop and wait for its result."""
        if self._loop is None:
            work.close()
            raise RuntimeError("this server does not run in a thread of its own")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.set_exception_handler(self._crashed)
        try:
            loop.run_until_complete(self._main())
            loop.run_until_complete(_end_tasks(loop))
        finally:
            loop.close()

    def _crashed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Record an error that no caller receives, as an internal error of the server."""
        error = context.get("exception")
        if error is not None and context["message"] != CRASHED_ATTEMPT:  # the engine has recorded those
            self.app.engine.defects.add(context["message"], error)
        loop.default_exception_handler(context)

    async def _main(self) -> None:
        self._done = asyncio.Event()
        try:
            async with serving(self.app) as port:
                self._reach(port)
                self._ready.set()
                await self._done.wait()
        except BaseException as error:
            if self._ready.is_set():
                raise
            self._failure = error
        finally:
            self._ready.set()

    def _reach(self, port: int) -> None:
        self.root_url = root_url(self.app.settings, port)
        self.connect(local_url(self.app.settings, port))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> AsyncMockServer:
        if self._thread is not None or self._stack is not None:
            raise RuntimeError("a MockServer can be started only once; create a new one")
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(serving(self.app))
            self._reach(port)
            client = AsyncMockServer(self.app, self.root_url, self.control_url)
            await stack.enter_async_context(client)
            self._stack = stack.pop_all()
        return client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._stack is not None
        await self._stack.aclose()


async def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks that connections have left, so that none is destroyed while it is pending."""
    left = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _trusting(app: App) -> ssl.SSLContext | None:
    """The TLS context of this server's own client: it accepts any certificate."""
    return ssl._create_unverified_context() if app.settings.tls_cert else None
