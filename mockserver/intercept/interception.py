"""Interception around one server: its certificates, its proxy's port, and the private folder that programs read."""

import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockserver.app import App
from mockserver.http.sockets import open_socket
from mockserver.intercept.certificates import Certificates, trusted_roots
from mockserver.intercept.forward import Forwarding, ProxyHandler
from mockserver.intercept.listener import InterceptServer, Listener

BUNDLE = "ca-bundle.pem"
"""The file of certificates in a private folder."""


@dataclass(frozen=True, slots=True)
class Interception:
    """What a program must know to be led to the mock.

    Args:
        hosts: the documented host names.
        address: where the proxy listens, as this machine reaches it.
        ca_pem: the certificate of the run's CA.
        bundle: a file with that and the CA certificates that programs trust anyway.
    """

    hosts: tuple[str, ...]
    address: tuple[str, int]
    ca_pem: str
    bundle: str

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def documented_hosts(app: App) -> tuple[str, ...]:
    """Every host name that ends at the mock."""
    return tuple(sorted({host for provider in app.providers for host in provider.hosts}))


@asynccontextmanager
async def intercepting(
    app: App, port: int = 0, allow_hosts: Iterable[str] = (), host: str | None = None
) -> AsyncIterator[Interception]:
    """Lead what comes to a port to an app that runs in this loop.

    Args:
        port: 0 for a free one.
        allow_hosts: other hosts that clients may reach through the proxy; `*` for every one.
        host: the address to listen on; that of the app's settings unless given.

    Raises:
        OSError: if the address can't be had.
        ValueError: if a package is missing, or a documented host is among `allow_hosts`.
    """
    hosts = documented_hosts(app)
    forwarding = Forwarding(frozenset(hosts), allow_hosts)
    certificates = Certificates(hosts)
    with (
        open_socket(host or app.settings.host, port) as listening,
        tempfile.TemporaryDirectory(prefix="mockserver-") as folder,
    ):
        bundle = write_bundle(Path(folder, BUNDLE), certificates.ca_pem)
        async with leading(app, listening, certificates, forwarding, bundle) as interception:
            yield interception


@asynccontextmanager
async def leading(
    app: App, listening: socket.socket, certificates: Certificates, forwarding: Forwarding, bundle: str
) -> AsyncIterator[Interception]:
    """Lead what comes to a listening socket to an app that runs in this loop. Closes the socket at the end."""
    hosts, address = tuple(sorted(certificates.hosts)), _reached_at(listening)
    handler = ProxyHandler(app.handle, certificates.hosts, forwarding)
    server = InterceptServer(app, handler)
    listener = Listener(listening, certificates, server, forwarding)
    try:
        listener.start()
        app.public_urls.proxy = {
            "port": address[1],
            "hosts": list(hosts),
            "ca_pem": certificates.ca_pem,
            "ca_bundle": bundle,
        }
        yield Interception(hosts, address, certificates.ca_pem, bundle)
    finally:
        app.public_urls.proxy = None
        await listener.close()
        await server.end()
        await handler.close()


def write_bundle(path: Path, ca_pem: str) -> str:
    """Write what a program is to trust; the file's path."""
    path.write_text(trusted_roots() + ca_pem, "utf-8")
    return str(path)


def _reached_at(listening: socket.socket) -> tuple[str, int]:
    host, port = listening.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port


class BlockingInterception:
    """Interception around an app that runs in another thread's loop.

    Args:
        run: runs a coroutine in that loop and waits for its result.
    """

    def __init__(self, app: App, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._app = app
        self._run = run
        self._stack = AsyncExitStack()

    def open(self, allow_hosts: Iterable[str] = ()) -> Interception:
        """Begin. Raises as `intercepting` does."""
        found: Interception = self._run(self._stack.enter_async_context(intercepting(self._app, 0, allow_hosts)))
        return found

    def close(self) -> None:
        """End every connection that came this way; its clients must connect again."""
        self._run(self._stack.aclose())
