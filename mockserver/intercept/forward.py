"""What goes through the proxy and is not meant for the mock: refused, or passed on where a setting allows it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from aiohttp.web import BaseRequest, Response, StreamResponse

from mockserver.http.connection import Connection
from mockserver.http.public_urls import authority, host_name

Handler = Callable[[BaseRequest], Awaitable[StreamResponse]]

ANY = "*"
CHUNK = 65_536
HOP_BY_HOP = frozenset(
    (
        *("connection", "proxy-connection", "keep-alive", "upgrade", "te", "trailer", "transfer-encoding"),
        *("proxy-authenticate", "proxy-authorization"),
    )
)
"""Header fields that are about one connection and not about the message (RFC 9110, 7.6.1)."""


class Forwarding:
    """Which hosts besides the documented ones may be reached.

    Args:
        documented: the hosts that end at the mock: they are never reached.
        allowed: other hosts by name, or `*` for every one.
    """

    def __init__(self, documented: frozenset[str], allowed: Iterable[str]) -> None:
        self._documented = documented
        self._allowed = frozenset(host.lower() for host in allowed)
        if both := sorted(self._documented & self._allowed):
            raise ValueError(f"--allow-host {both[0]}: this host is the mock's own; it is never reached")

    def allows(self, host: str) -> bool:
        return bool(host) and host not in self._documented and (ANY in self._allowed or host in self._allowed)

    def refusal(self, host: str) -> str:
        """Why a host is not reached, and what to do."""
        return (
            f"The mock's proxy does not reach {host or 'a host whose name is malformed'}: only the documented hosts "
            f"lead anywhere, to the mock. Start it with --allow-host {host or 'HOST'} to let this one through."
        )

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connection to an allowed host. Raises OSError."""
        loop = asyncio.get_running_loop()
        error: OSError = OSError("it has no address")
        for family, kind, number, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            remote = socket.socket(family, kind, number)
            try:
                remote.setblocking(False)
                remote.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await loop.sock_connect(remote, address)
            except OSError as failure:
                remote.close()
                error = failure
            except BaseException:
                remote.close()
                raise
            else:
                return remote
        raise error


async def pipe(one: socket.socket, other: socket.socket) -> None:
    """Pass on what two connections send each other until both have ended. Raises OSError."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_copy(one, other))
        group.create_task(_copy(other, one))


async def _copy(source: socket.socket, target: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    try:
        while data := await loop.sock_recv(source, CHUNK):
            await loop.sock_sendall(target, data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one end is gone: wake the other direction too
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class ProxyHandler:
    """Answers requests at the proxy's port: the mock does, and what is for another host is refused or passed on.

    Args:
        handle: the mock's own handler.
    """

    def __init__(self, handle: Handler, documented: frozenset[str], forwarding: Forwarding) -> None:
        self._handle = handle
        self._documented = documented
        self._forwarding = forwarding
        self._session: ClientSession | None = None

    def __call__(self, request: BaseRequest) -> Awaitable[StreamResponse]:
        """Answer a request; one in absolute form may be to a host that the mock does not serve (RFC 9112, 3.2.2)."""
        if request.raw_path.startswith("/"):
            return self._handle(request)
        host = host_name(authority(request))
        if host not in self._documented:
            return self._other(request, host)
        connection = request.protocol
        if isinstance(connection, Connection):  # some clients send https this way, without CONNECT
            connection.intercepted = request.raw_path.startswith("https:")
        return self._handle(request)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _other(self, request: BaseRequest, host: str) -> StreamResponse:
        if not self._forwarding.allows(host):
            return Response(status=403, text=f"{self._forwarding.refusal(host)}\n")
        try:
            return await self._pass_on(request)
        except (ClientError, OSError, TimeoutError) as error:
            return Response(status=502, text=f"{host} can't be reached: {error or 'it does not answer'}\n")

    async def _pass_on(self, request: BaseRequest) -> StreamResponse:
        """Send a request to its host and its answer to the client. Redirects are the client's to follow."""
        if self._session is None:
            self._session = ClientSession(auto_decompress=False, timeout=ClientTimeout(total=None, sock_connect=10))
        body = request.content if request.can_read_body else None
        async with self._session.request(
            request.method,
            request.raw_path,
            headers=_end_to_end(request.headers),
            data=body,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for chunk in answer.content.iter_chunked(CHUNK):
                await response.write(chunk)
            await response.write_eof()
            return response


def _end_to_end(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP]
