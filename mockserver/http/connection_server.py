"""aiohttp's low-level server with this project's connections: their limits, and requests whose texts can be stored."""

from typing import Any

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http import RawRequestMessage
from aiohttp.web_protocol import ERROR

from mockserver.http.connection import Application, Connection
from mockserver.http.request_head import RequestHead

KEEPALIVE_SECONDS = 75.0
"""Real seconds for which an idle connection is kept open."""


class Server(web.Server):
    """aiohttp's low-level server; each connection is a `Connection`, and the application limits the size of a body."""

    def __init__(self, app: Application) -> None:
        super().__init__(
            app.handle,
            request_factory=self._request,
            access_log=None,
            keepalive_timeout=KEEPALIVE_SECONDS,
            auto_decompress=False,
        )
        self._app = app

    def __call__(self) -> Connection:
        return Connection(self, self._app, loop=self._loop, **self._kwargs)

    async def shutdown(self, timeout: float | None = None) -> None:
        """End every connection, after the answers that are given within `timeout` seconds."""
        for connection in self.connections:
            if isinstance(connection, Connection):
                connection.interrupt()
        await super().shutdown(timeout)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        protocol.body = payload
        return web.BaseRequest(
            message if message is not ERROR else _stand_in(protocol.head),
            payload,
            protocol,
            writer,
            task,
            self._loop,
            client_max_size=self._app.max_body,
            client_max_fields=100,
        )


def _stand_in(head: RequestHead) -> RawRequestMessage:
    """aiohttp's stand-in for a request that can't be parsed: it says HTTP/1.0, but here what the request line says."""
    return ERROR._replace(version=HttpVersion10 if head.line().version in ("0.9", "1.0") else HttpVersion11)
