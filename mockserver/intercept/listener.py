"""The proxy's port. A connection's first bytes say what it is: CONNECT, the beginning of TLS, or plain HTTP.

CONNECT is read from the socket byte-exactly and everything behind it is left there, so that the connection can then be
handed to the event loop as if it had just been accepted: nothing needs to be buffered or replayed.
"""

import asyncio
import logging
import re
import socket
import ssl
from asyncio import timeout
from contextlib import suppress
from functools import partial
from typing import Any

from mockserver.engine.clock import pause
from mockserver.http.connection import Application, Connection
from mockserver.http.connection_server import Server
from mockserver.http.listening import SHUTDOWN_SECONDS
from mockserver.http.public_urls import host_name
from mockserver.intercept.certificates import Certificates
from mockserver.intercept.forward import Forwarding, Handler, pipe

HANDSHAKE_SECONDS = 10.0
"""How long a client may take for its CONNECT, and then for its TLS handshake, in real seconds."""

LONGEST_CONNECT = 8_192
"""Bytes of a CONNECT with all its header fields."""

ACCEPT_AGAIN_SECONDS = 0.1
"""How long the listener waits where no file descriptor is left."""

HTTPS_PORT = 443
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

_CONNECT = re.compile(rb"CONNECT ([^ \r\n]{1,300}):([0-9]{1,5}) HTTP/1\.[01]\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_TLS_HANDSHAKE = b"\x16"

log = logging.getLogger("mockserver")


class Refused(Exception):
    """A CONNECT that is not granted: its status, and a sentence for the client."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    def answer(self) -> bytes:
        body = f"{self}\n".encode()
        head = f"HTTP/1.1 {self.status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class InterceptedConnection(Connection):
    """A connection of a client that meant a documented https host. `host` is the one that its CONNECT named, if any."""

    intercepted = True

    def __init__(self, server: Server, app: Application, host: str | None, **kwargs: Any) -> None:
        super().__init__(server, app, **kwargs)
        self._connect_host = host

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve, unless TLS was begun for another host than the CONNECT named."""
        super().connection_made(transport)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        name = getattr(tls, "requested_name", None)
        if self._connect_host is not None and name is not None and host_name(name) != self._connect_host:
            self.force_close()


class InterceptServer(Server):
    """Serves an application to those who come by the proxy's port.

    Args:
        handler: answers requests in place of the application's own handler.
    """

    def __init__(self, app: Application, handler: Handler) -> None:
        super().__init__(app)
        self.request_handler = handler

    async def end(self) -> None:
        """End every connection, as a process that is gone would: a client that keeps one connects again."""
        transports = [connection.transport for connection in self.connections]
        await self.shutdown(SHUTDOWN_SECONDS)
        for transport in filter(None, transports):
            transport.abort()
        await _turn()

    def intercepted_connection(self, host: str | None) -> InterceptedConnection:
        """What serves a client after its TLS handshake."""
        return InterceptedConnection(self, self._app, host, loop=self._loop, **self._kwargs)


class Listener:
    """Accepts the connections of one socket.

    Args:
        server: serves a connection with the mock.
        forwarding: decides what becomes of connections to other hosts.
    """

    def __init__(
        self,
        listening: socket.socket,
        certificates: Certificates,
        server: InterceptServer,
        forwarding: Forwarding,
    ) -> None:
        self._socket = listening
        self._certificates = certificates
        self._server = server
        self._forwarding = forwarding
        self._tasks: set[asyncio.Task[None]] = set()
        self._acceptor: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._socket.setblocking(False)
        self._acceptor = asyncio.create_task(self._accept())

    async def close(self) -> None:
        """Stop accepting, and end every connection that has not been handed to the mock."""
        tasks = {*self._tasks, *filter(None, [self._acceptor])}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._socket)
            except OSError as error:  # no file descriptor is left: the next one may be
                log.warning("the proxy can't accept a connection: %s", error)
                await pause(ACCEPT_AGAIN_SECONDS)
                continue
            task = asyncio.create_task(self._serve(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket) -> None:
        """Find out what a connection is, and hand it on; whatever fails ends this connection alone."""
        handed_on = False
        try:
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with timeout(HANDSHAKE_SECONDS):
                first = await _peek(client)
                target = await self._read_connect(client) if first == b"C" else None
            if target is not None and target[0] not in self._certificates.hosts:
                await self._tunnel(client, *target)
            elif target is not None or first == _TLS_HANDSHAKE:
                handed_on = True
                await self._serve_tls(client, target[0] if target else None)
            elif first:
                handed_on = True
                await asyncio.get_running_loop().connect_accepted_socket(self._server, client)
        except Refused as refusal:
            with suppress(OSError):
                await asyncio.get_running_loop().sock_sendall(client, refusal.answer())
                client.shutdown(socket.SHUT_WR)
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError
            pass
        finally:
            if not handed_on:
                client.close()

    async def _read_connect(self, client: socket.socket) -> tuple[str, int]:
        """The host and port of a CONNECT, with the answer sent. Raises Refused."""
        head = await _read_head(client)
        match = _CONNECT.match(head)
        if match is None:
            raise Refused("400 Bad Request", "This is no CONNECT HOST:PORT of HTTP/1.1.")
        host, port = host_name(match[1].decode("latin-1")), int(match[2])
        if host in self._certificates.hosts and port != HTTPS_PORT:
            raise Refused("403 Forbidden", f"The mock serves {host} at port {HTTPS_PORT} alone, not at {port}.")
        if host not in self._certificates.hosts and not self._forwarding.allows(host):
            raise Refused("403 Forbidden", self._forwarding.refusal(host))
        if host in self._certificates.hosts:
            await asyncio.get_running_loop().sock_sendall(client, ESTABLISHED)
        return host, port

    async def _tunnel(self, client: socket.socket, host: str, port: int) -> None:
        """Connect a client with an allowed host, and pass on what either sends, untouched."""
        loop = asyncio.get_running_loop()
        try:
            async with timeout(HANDSHAKE_SECONDS):
                remote = await self._forwarding.connect(host, port)
        except (OSError, TimeoutError) as error:
            raise Refused(
                "502 Bad Gateway", f"{host}:{port} can't be reached: {error or 'it does not answer'}"
            ) from None
        with remote:
            await loop.sock_sendall(client, ESTABLISHED)
            await pipe(client, remote)

    async def _serve_tls(self, client: socket.socket, host: str | None) -> None:
        """Shake hands as the documented hosts would, and serve the mock."""
        await asyncio.get_running_loop().connect_accepted_socket(
            partial(self._server.intercepted_connection, host),
            client,
            ssl=self._certificates.context,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
        )


async def _turn() -> None:
    """Let the loop run what is ready."""
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await ran.wait()


async def _readable(client: socket.socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(client.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(client.fileno())


async def _peek(client: socket.socket) -> bytes:
    """The first byte of a connection, which stays unread; b"" if there is none."""
    await _readable(client)
    return client.recv(1, socket.MSG_PEEK)


async def _read_head(client: socket.socket) -> bytes:
    """Everything up to the empty line, and nothing behind it. Raises Refused."""
    head = b""
    while len(head) < LONGEST_CONNECT:
        await _readable(client)
        seen = client.recv(LONGEST_CONNECT, socket.MSG_PEEK)
        if not seen:
            raise Refused("400 Bad Request", "The request is broken off.")
        end = _END.search(head + seen)
        wanted = end.end() - len(head) if end else len(seen)
        head += client.recv(wanted)
        if end:
            return head
        if not b"CONNECT ".startswith(head[:8]) and not head.startswith(b"CONNECT "):
            break
    raise Refused("400 Bad Request", f"This is no CONNECT of at most {LONGEST_CONNECT} bytes.")
