"""Serves an application in the running event loop, at the address of its settings."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from aiohttp import web

from mockserver.http.connection import Application
from mockserver.http.connection_server import Server
from mockserver.settings import Settings

SHUTDOWN_SECONDS = 0.1
"""Real seconds that a request under way may still take at the end. Not 0, which aiohttp reads as no limit."""


class Startable(Application, Protocol):
    """An application that is started once its port is open, and stopped after its last answer."""

    settings: Settings

    def start(self) -> None: ...

    def interrupt(self) -> None: ...

    async def stop(self) -> None: ...


@asynccontextmanager
async def serving(app: Startable) -> AsyncIterator[int]:
    """Serve an app; yields the port that it listens on. Raises OSError if the address cannot be bound."""
    settings = app.settings
    runner = web.ServerRunner(Server(app), shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=_tls(settings), reuse_address=True)
        await site.start()
        app.start()
        yield runner.addresses[0][1]
    finally:
        app.interrupt()
        await runner.cleanup()
        await app.stop()


def root_url(settings: Settings, port: int) -> str:
    """The root URL for clients: `--public-url`, or else `local_url`."""
    return settings.public_url or local_url(settings, port)


def local_url(settings: Settings, port: int) -> str:
    """The root URL of the server on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{'https' if settings.tls_cert else 'http'}://{host}:{port}"


def served_urls(settings: Settings, port: int) -> list[str]:
    """The root URLs for other machines: one per address that the server listens on."""
    families = {"0.0.0.0": (socket.AF_INET,), "::": (socket.AF_INET6, socket.AF_INET)}.get(settings.host, ())
    found = [address for family in families for address in _own_addresses(family)]
    scheme = "https" if settings.tls_cert else "http"
    hosts = found if families else [settings.host]
    return [f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}" for host in hosts]


def _own_addresses(family: socket.AddressFamily) -> list[str]:
    """The source address of this machine for packets to other machines. Sends nothing."""
    remote = "192.0.2.1" if family == socket.AF_INET else "2001:db8::1"  # for documentation: RFC 5737, RFC 3849
    with socket.socket(family, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((remote, 9))
        return [probe.getsockname()[0]]
    return []


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context
