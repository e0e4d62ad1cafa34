"""Serves an application in the running event loop, at the address of its settings."""

import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Protocol

from aiohttp import web

from mockserver.http.connection import Application
from mockserver.http.connection_server import Server
from mockserver.http.sockets import BACKLOG, is_address, open_socket
from mockserver.settings import Settings

SHUTDOWN_SECONDS = 0.1
"""Real seconds that a request under way may still take at the end. Not 0, which aiohttp reads as no limit."""

_LOCAL_IPV4 = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")
"""An address of this machine in Linux's table of IPv4 routes."""


class Startable(Application, Protocol):
    """An application that is started once its port is open, and stopped after its last answer."""

    settings: Settings

    async def start(self) -> None: ...

    def interrupt(self) -> None: ...

    async def stop(self) -> None: ...


@asynccontextmanager
async def serving(app: Startable, sockets: Sequence[socket.socket] = ()) -> AsyncIterator[int]:
    """Serve an app; yields the port that it listens on. Raises OSError if the address cannot be bound.

    Args:
        sockets: listening ones, as `shared_sockets` gives them, to serve in place of the settings' address.
    """
    runner = web.ServerRunner(Server(app), shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await app.start()
        for site in _sites(runner, app.settings, sockets):
            await site.start()
        for shared in sockets:
            shared.listen(BACKLOG)
        yield runner.addresses[0][1]
    finally:
        app.interrupt()
        await runner.cleanup()
        await app.stop()


def _sites(runner: web.ServerRunner, settings: Settings, sockets: Sequence[socket.socket]) -> list[web.BaseSite]:
    tls = _tls(settings)
    if not sockets and is_address(settings.host):
        bound = open_socket(settings.host, settings.port)  # uvloop starts four threads even to look an address up
        return [web.SockSite(runner, bound, ssl_context=tls, backlog=BACKLOG)]
    if not sockets:
        return [web.TCPSite(runner, settings.host, settings.port, ssl_context=tls, reuse_address=True)]
    # asyncio accepts as many connections at once as the backlog says: with 1, each process gets its share of a burst
    return [web.SockSite(runner, shared, ssl_context=tls, backlog=1) for shared in sockets]


def root_url(settings: Settings, port: int) -> str:
    """The root URL for clients: `--public-url`, or else `local_url`."""
    return settings.public_url or local_url(settings, port)


def local_url(settings: Settings, port: int) -> str:
    """The root URL of the server on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{'https' if settings.tls_cert else 'http'}://{host}:{port}"


def served_urls(settings: Settings, port: int) -> list[str]:
    """The root URLs at which other machines reach a server that does not listen on loopback."""
    families = {"0.0.0.0": socket.AF_INET, "::": socket.AF_INET6}  # asyncio serves IPv6 alone on ::
    family = families.get(settings.host)
    scheme = "https" if settings.tls_cert else "http"
    hosts = own_addresses(family) if family else [settings.host]
    return [f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}" for host in hosts]


def own_addresses(family: socket.AddressFamily) -> list[str]:
    """This machine's addresses without loopback and link-local ones: on Linux those of all interfaces, elsewhere the
    one that it would send from."""
    beyond = "192.0.2.1" if family == socket.AF_INET else "2001:db8::1"  # for documentation: RFC 5737, RFC 3849
    found = _of_all_interfaces(family)
    with socket.socket(family, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((beyond, 9))  # sends nothing
        found.insert(0, ip_address(probe.getsockname()[0]))
    return [str(address) for address in dict.fromkeys(found) if not (address.is_loopback or address.is_link_local)]


def _of_all_interfaces(family: socket.AddressFamily) -> list[IPv4Address | IPv6Address]:
    """The addresses that Linux lists; none elsewhere."""
    try:
        if family == socket.AF_INET:
            return [IPv4Address(found) for found in _LOCAL_IPV4.findall(Path("/proc/net/fib_trie").read_text("ascii"))]
        lines = Path("/proc/net/if_inet6").read_text("ascii").splitlines()
        return [IPv6Address(bytes.fromhex(line.split()[0])) for line in lines]
    except OSError:
        return []


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_cert, settings.tls_key)
    return context
