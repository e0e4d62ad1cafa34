"""Serving an app: in the running event loop, or in a thread of its own (`MockServer`)."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from mockserver.app import App, create_app
from mockserver.connection import Server
from mockserver.engine.clock import monotonic
from mockserver.settings import Settings

T = TypeVar("T")

SHUTDOWN_SECONDS = 0.1
"""What a request under way is given at the end. Not 0, which waits for it in full."""


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[str]:
    """Serve an app at the address of its settings; its root URL. Raises OSError if the address can't be had."""
    settings = app.settings
    runner = web.ServerRunner(Server(app), shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=_tls(settings), reuse_address=True)
        await site.start()
        app.start()
        yield root_url(settings, runner.addresses[0][1])
    finally:
        await runner.cleanup()
        await app.stop()


def root_url(settings: Settings, port: int) -> str:
    """Where clients on this machine reach the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return settings.public_url or f"{'https' if settings.tls_cert else 'http'}://{host}:{port}"


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose time no library can freeze: a server thread in a frozen test would hang."""

    def time(self) -> float:
        return monotonic()


class MockServer:
    """A server in a thread of its own, for tests: `with MockServer() as mock: mock.root_url`.

    Args:
        settings: as for the command line; the port is a free one unless it is set.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.app = create_app(settings or Settings(port=0))
        self.root_url = ""
        self._loop = _Loop()
        self._thread = threading.Thread(target=self._serve, name="mockserver", daemon=True)
        self._ready = threading.Event()
        self._done: asyncio.Event | None = None
        self._failure: BaseException | None = None

    def start(self) -> Self:
        """Serve until `stop`. Raises OSError if the address can't be had."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def stop(self) -> None:
        """End the server and its thread; tasks under way end with it."""
        if self._done is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _serve(self) -> None:
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()

    async def _main(self) -> None:
        self._done = asyncio.Event()
        try:
            async with listening(self.app) as self.root_url:
                self._ready.set()
                await self._done.wait()
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
