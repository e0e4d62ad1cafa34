"""One connection: replaces what aiohttp itself would answer in plain text by an answer in the right error shape."""

import asyncio
from collections.abc import Awaitable
from math import inf
from typing import Any, Protocol

from aiohttp import HttpVersion10, HttpVersion11, StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import ERROR, _ErrInfo
from multidict import CIMultiDict, CIMultiDictProxy

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.text import safe_text
from mockserver.http.json_answer import JsonAnswer
from mockserver.http.request_head import RequestHead, RequestLine, split_requests
from mockserver.http.timeouts import BodyTimeout, HeaderTimeout, ServerStopping

HEADER_SECONDS = 30.0
"""How long the header of a request may take, in real seconds; the first one's time begins with the connection."""

KEEPALIVE_SECONDS = 75.0


class Application(Protocol):
    """What a connection serves; `app.py` has the one that there is."""

    max_body: int
    """Bytes that a request's body may have."""

    body_timeout: float
    """Real seconds for which no byte of a body may come."""

    def handle(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """Answer a request."""

    def answer_malformed(self, request: web.BaseRequest, line: RequestLine, problem: Problem) -> web.StreamResponse:
        """Answer what is not a valid HTTP request, or did not come in time."""

    def answer_crash(self, where: str, error: BaseException | None) -> web.StreamResponse:
        """Answer a request whose handling crashed outside every provider."""


class Connection(web.RequestHandler):
    """aiohttp's request handler, with time limits for what a client sends and our answer to what can't be parsed."""

    intercepted = False
    """Whether the client meant a documented https host, and its connection was led here."""

    def __init__(self, server: "Server", app: Application, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._app = app
        self.head = RequestHead()
        self.body: StreamReader | None = None
        """The body of the request that is being answered, or was answered last."""

        self._receiving: StreamReader = EMPTY_PAYLOAD
        """The body of the newest request."""

        self._malformed = False
        self._answered = 0
        self._continue_sent = False
        self._last_byte = self._header_since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._last_byte = self._header_since = self._loop.time()
        self._check_deadline()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.body is not None and self._current_request is None:
            self.body.feed_eof()  # else aiohttp waits for the rest of a body that nothing reads
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not data:  # aiohttp asks its parser for what it has kept
            super().data_received(data)
            return
        self._last_byte = self._loop.time()
        for piece in split_requests(data):
            if self._malformed:
                return
            self._receive(piece)

    def _receive(self, data: bytes) -> None:
        """Parse bytes of at most one request line."""
        begun, count = self.head.begun, self._request_count
        self.head.receive(data, self._receiving.is_eof())
        super().data_received(data)
        if self._request_count > count and self._messages:
            message, self._receiving = self._messages[-1]
            self._malformed = isinstance(message, _ErrInfo)
            if isinstance(message, RawRequestMessage):
                self._continue_sent = False
                self.head.parsed(message, data, self._receiving.is_eof())
            elif self._unanswered() > 1:
                self._break_off_body(web.RequestPayloadError("the body is broken off"))
        if self.head.begun and not begun and self._request_count:
            self._header_since = self._last_byte

    def _check_deadline(self) -> None:
        """Time out a client that has sent nothing for too long; else look again when that could be so."""
        now, deadline = self._loop.time(), self._deadline()
        if now >= deadline:
            self._time_out()
        else:
            again = min(deadline, now + min(HEADER_SECONDS, self._app.body_timeout))
            self._timer = self._loop.call_at(again, self._check_deadline)

    def _deadline(self) -> float:
        """When the client has to have sent more of the request that it is sending; infinity if it is sending none."""
        if self.head.begun or not self._request_count:
            return self._header_since + HEADER_SECONDS
        if self._receiving.is_eof() or self._reading_paused or self._buffer_paused or self._owes_continue():
            return inf
        return self._last_byte + self._app.body_timeout

    def _owes_continue(self) -> bool:
        """Whether the client waits for a `100 Continue` before it sends the body."""
        request = self._current_request
        expects = request is not None and request.headers.get("Expect", "").lower() == "100-continue"
        return expects and not self._continue_sent and not self._receiving.total_bytes

    async def send_continue(self, request: web.BaseRequest) -> None:
        """Tell a client that waits for it to send its body."""
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
        self._continue_sent, self._last_byte = True, self._loop.time()

    def _time_out(self) -> None:
        """End a connection whose client is too slow, with an answer where one is possible."""
        if self._request_count and not self.head.begun:
            self._break_off_body(BodyTimeout(f"no byte of the body came for {self._app.body_timeout:g} seconds"))
        elif self.head.begun:
            self._malformed = True
            error = HeaderTimeout()
            self._request_count += 1
            self._messages.append((_ErrInfo(error.code, error, error.message), EMPTY_PAYLOAD))
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
        else:
            self.force_close()

    def interrupt(self) -> None:
        """Answer a request whose body has not come whole: the server is about to stop."""
        self._break_off_body(ServerStopping())

    def _unanswered(self) -> int:
        """How many requests have not been answered yet."""
        return self._request_count - self._answered

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, and count it: aiohttp does not say how many requests are unanswered."""
        if self._close:
            resp.force_close()
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
        self._break_off_body(web.RequestPayloadError("the body is broken off"))
        if self.ssl_context is not None:
            return None
        self.close()
        return True

    def _break_off_body(self, error: web.RequestPayloadError) -> None:
        """Tell the handler that its request's body will not be completed: aiohttp would let it wait for ever."""
        if self.body is not None and self._current_request is None and not self.body.is_eof():
            self.body.feed_eof()  # its request has been answered: only aiohttp still reads it
            self.close()
        for body in (self.body, *(body for _, body in self._messages)):
            if body is not None and not body.is_eof() and body.exception() is None:
                body.set_exception(error)
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
        if isinstance(exc, HeaderTimeout):
            problem = Problem(Kind.REQUEST_TIMEOUT, exc.message)
            response = self._app.answer_malformed(request, self.head.line(), problem)
        elif isinstance(exc, HttpProcessingError):
            problem = Problem(Kind.MALFORMED_BODY, "this is not a valid HTTP request")
            response = self._app.answer_malformed(request, self.head.line(), problem)
        elif isinstance(exc, ConnectionError | web.RequestPayloadError):
            problem = Problem(Kind.MALFORMED_BODY, "the body is broken off")
            response = self._app.answer_malformed(request, RequestLine(), problem)
        else:
            self.log_exception("internal error at %s", request.path, exc_info=exc)
            response = self._app.answer_crash(f"{request.method} {request.path}", exc)
        response.force_close()
        return response


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

    async def shutdown(self, timeout: float | None = None) -> None:
        """End every connection, after the answers that are given within `timeout` seconds."""
        for connection in self.connections:
            if isinstance(connection, Connection):
                connection.interrupt()
        await super().shutdown(timeout)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        protocol.body = payload
        return web.BaseRequest(
            _safe_message(message, protocol.head),
            payload,
            protocol,
            writer,
            task,
            self._loop,
            client_max_size=self._app.max_body,
            client_max_fields=100,
        )


def _safe_message(message: RawRequestMessage, head: RequestHead) -> RawRequestMessage:
    """A parsed request with texts that can be stored and shown, whatever bytes its header had.

    aiohttp's stand-in for a request that can't be parsed says HTTP/1.0: it gets the version of the request line.
    """
    if message is ERROR:
        return ERROR._replace(version=HttpVersion10 if head.line().version in ("0.9", "1.0") else HttpVersion11)
    if message.path.isascii() and all(map(str.isascii, message.headers.values())):
        return message
    headers = CIMultiDict((safe_text(name), safe_text(value)) for name, value in message.headers.items())
    return message._replace(path=safe_text(message.path), headers=CIMultiDictProxy(headers))
