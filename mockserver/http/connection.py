"""One connection: replaces what aiohttp itself would answer in plain text by an answer in the right error shape."""

import asyncio
import re
from collections.abc import Awaitable
from typing import Any, Protocol

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import _ErrInfo

from mockserver.http.json_answer import JsonAnswer

HEADER_SECONDS = 30.0
"""How long a new connection may take to send its first request's header, in real seconds; aiohttp has no such limit."""

KEEPALIVE_SECONDS = 75.0
_KEPT = 2_048
_REQUEST_LINE = re.compile(rb"([A-Za-z]{1,200}) ([^ \r\n]{1,1000})")
_HOST = re.compile(rb"\r?\nhost: *([^\r\n]{1,260})", re.IGNORECASE)


class Application(Protocol):
    """What a connection serves; `app.py` has the one that there is."""

    max_body: int
    """Bytes that a request's body may have."""

    def handle(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """Answer a request."""

    def answer_malformed(self, request: web.BaseRequest, method: str, path: str, host: str) -> web.StreamResponse:
        """Answer what is not a valid HTTP request; what could be read of it is given, "" for the rest."""

    def answer_crash(self, where: str, error: BaseException | None) -> web.StreamResponse:
        """Answer a request whose handling crashed outside every provider."""


class Connection(web.RequestHandler):
    """aiohttp's request handler, with a time limit for the header and our answer to what can't be parsed."""

    def __init__(self, server: "Server", app: Application, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._app = app
        self._start = b""
        self.body: StreamReader | None = None
        self._answered = 0
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._header_timer = asyncio.get_running_loop().call_later(HEADER_SECONDS, self._close_if_silent)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
        if self.body is not None and self._current_request is None:
            self.body.feed_eof()  # else aiohttp waits for the rest of a body that nothing reads
        super().connection_lost(exc)

    def _close_if_silent(self) -> None:
        if not self._request_count:
            self.force_close()

    def data_received(self, data: bytes) -> None:
        self._start = data[:_KEPT]
        web.RequestHandler.data_received(self, data)
        if self._messages and isinstance(self._messages[-1][0], _ErrInfo) and self._unanswered() > 1:
            self._break_off_body()

    def _unanswered(self) -> int:
        """How many requests have not been answered yet."""
        return self._request_count - self._answered

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, and count it: aiohttp does not say how many requests are unanswered."""
        try:
            if isinstance(resp, JsonAnswer) and not self._upgraded:
                head = resp.head(request)
                if head is not None:
                    return resp, await self._write_whole(request, resp, head)
            return await super().finish_response(request, resp, start_time)
        finally:
            self._answered += 1

    async def _write_whole(self, request: web.BaseRequest, answer: JsonAnswer, head: bytes) -> bool:
        """Write a whole answer at once, and wait while the client reads too slowly; whether the client has left."""
        if self.transport is None or self.transport.is_closing():
            return True
        data = head + answer.data
        self.transport.write(data)
        request.writer.output_size += len(data)
        answer.mark_sent(len(data))
        if self._paused:
            try:
                await self._drain_helper()
            except ConnectionError:
                return True
        return False

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading, if reading is paused: else aiohttp would parse an empty chunk after each body."""
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio's own protocols may return True
        """Keep a half-closed plain connection open until its answer is sent; TLS has no half-closed connections."""
        if not self._unanswered():
            return None
        self._break_off_body()
        if self.ssl_context is not None:
            return None
        self.close()
        return True

    def _break_off_body(self) -> None:
        """Tell the handler that its request's body is incomplete: aiohttp would let it wait for ever."""
        for body in (self.body, *(body for _, body in self._messages)):
            if body is not None and not body.is_eof() and body.exception() is None:
                body.set_exception(web.RequestPayloadError("the body is broken off"))
                body.feed_eof()  # so that nothing waits for the rest of it after the answer either
                self.close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that could not be parsed, or whose handling crashed outside every provider."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun when the handler failed")
        if isinstance(exc, HttpProcessingError):
            response = self._answer_malformed(request)
        elif isinstance(exc, ConnectionError | web.RequestPayloadError):
            response = self._app.answer_malformed(request, "", "", "")
        else:
            self.log_exception("internal error at %s", request.path, exc_info=exc)
            response = self._app.answer_crash(f"{request.method} {request.path}", exc)
        response.force_close()
        return response

    def _answer_malformed(self, request: web.BaseRequest) -> web.StreamResponse:
        line = _REQUEST_LINE.match(self._start)
        host = _HOST.search(self._start)
        method, path = (line[1].decode(), line[2].decode("latin-1")) if line else ("", "")
        place = host[1].decode("latin-1") if host else ""
        return self._app.answer_malformed(request, method, path.partition("?")[0], place)


class Server(web.Server):
    """aiohttp's low-level server, with our connections and our limit on bodies."""

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

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        protocol.body = payload
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            self._loop,
            client_max_size=self._app.max_body,
            client_max_fields=100,
        )
