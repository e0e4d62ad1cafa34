"""Sends calls to the control surface: http.client with kept connections for blocking code, aiohttp for asyncio."""

from __future__ import annotations

import select
import ssl
from collections import deque
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockserver.client.protocol import ControlCall, MockError, hide_misuse, read_answer

if TYPE_CHECKING:
    from aiohttp import ClientSession

__tracebackhide__ = hide_misuse


def _headers(token: str | None) -> dict[str, str]:
    return {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}


def unreachable(root: str, error: Exception) -> MockError:
    return MockError(0, "unreachable", f"No mock server answers at {root}: {error or type(error).__name__}")


class BlockingTransport:
    """Keeps connections open, as many as there were calls at the same time: threads may share it, and a receiver may
    make a call while an advance waits for that receiver's answer."""

    def __init__(self, root: str, context: ssl.SSLContext | None = None, token: str | None = None) -> None:
        self._root, self._parts, self._context = root, urlsplit(root), context
        self._headers = _headers(token)
        self._idle: deque[HTTPConnection] = deque()

    def send(self, call: ControlCall) -> Any:
        """Make a call. Raises MockError."""
        connection = self._take(call.timeout)
        try:
            connection.request(call.method, self._parts.path.rstrip("/") + call.target, call.content, self._headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, HTTPException) as error:
            connection.close()
            raise unreachable(self._root, error) from None
        except BaseException:  # an interrupted exchange leaves the connection out of step
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return read_answer(answer.status, data)

    def _take(self, timeout: float | None) -> HTTPConnection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if connection.sock is not None and not _ended(connection):
                connection.sock.settimeout(timeout)
                return connection
            connection.close()
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return HTTPSConnection(host, port, timeout=timeout, context=self._context)
        return HTTPConnection(host, port, timeout=timeout)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _ended(connection: HTTPConnection) -> bool:
    """Whether the server has closed a connection: an idle one has nothing to read."""
    try:
        return bool(select.select([connection.sock], [], [], 0)[0])
    except (OSError, ValueError):
        return True


class AsyncTransport:
    """An aiohttp session, opened at the first call in the loop that makes it."""

    def __init__(self, root: str, context: ssl.SSLContext | None = None, token: str | None = None) -> None:
        self._root, self._context = root.rstrip("/"), context
        self._headers = _headers(token)
        self._session: ClientSession | None = None

    async def send(self, call: ControlCall) -> Any:
        """Make a call. Raises MockError."""
        from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar
        from yarl import URL

        if self._session is None:
            self._session = ClientSession(cookie_jar=DummyCookieJar(), headers=self._headers)
        url = URL(self._root + call.target, encoded=True)
        timeout = ClientTimeout(total=call.timeout)
        context = self._context or True
        try:
            async with self._session.request(
                call.method, url, data=call.content, timeout=timeout, ssl=context
            ) as answer:
                return read_answer(answer.status, await answer.read())
        except (OSError, ClientError, TimeoutError) as error:
            raise unreachable(self._root, error) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
