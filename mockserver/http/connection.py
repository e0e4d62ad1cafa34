"""One connection: its time limits, and its answers to invalid requests, which aiohttp would answer in plain text."""

import asyncio
from collections.abc import Awaitable
from math import inf
from typing import Any, Protocol

from aiohttp import StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import _ErrInfo

from mockserver.engine.clock import monotonic
from mockserver.engine.journal import Exchange
from mockserver.engine.problems import Kind, Problem
from mockserver.http.json_answer import JsonAnswer
from mockserver.http.request_head import RequestHead, RequestLine, safe_message, split_requests
from mockserver.http.timeouts import BodyTimeout, HeaderTimeout, ServerStopping

HEADER_SECONDS = 30.0
"""How long the header of a request may take, in real seconds; for the first request from the connection's start."""


INCOMPLETE = "the body is incomplete"

HALF_CLOSED_SECONDS = 0.1
"""A client that closes its side of the connection within so many real seconds still waits for its answer."""


class Application(Protocol):
    """What a connection needs of the application that it serves; implemented in `app.py`."""

    max_body: int
    """The largest request body, in bytes."""

    body_timeout: float
    """How long a request's body may pause, in real seconds."""

    def handle(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """Answer a request."""

    async def answer_malformed(
        self, request: web.BaseRequest, line: RequestLine, problem: Problem
    ) -> web.StreamResponse:
        """Answer an invalid HTTP request, or one that did not arrive in time."""

    def answer_crash(self, where: str, error: BaseException | None) -> web.StreamResponse:
        """Answer a request whose handling crashed outside every provider."""


class LateAnswer(web.Response):
    """Stands for an answer that `finish_response` waits for: aiohttp asks for it where nothing can wait."""

    def __init__(self, answer: Awaitable[web.StreamResponse]) -> None:
        super().__init__()
        self.answer = answer


class Connection(web.RequestHandler):
    """aiohttp's request handler, with time limits on receiving and our own answers to unparsable requests."""

    intercepted = False
    """Whether the client connected to a documented https host and the connection was redirected to this server."""

    def __init__(self, server: web.Server, app: Application, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._app = app
        self.head = RequestHead()
        self.body: StreamReader | None = None
        """The body of the request that is being answered, or of the last one answered."""

        self.exchange: Exchange | None = None
        """The journal's entry of the request that is being answered, or was answered last."""

        self._receiving: StreamReader = EMPTY_PAYLOAD
        """The body of the request that was parsed last."""

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
        self._record_hang_up()
        if self.body is not None and self._current_request is None:
            self.body.feed_eof()  # otherwise aiohttp waits for the rest of a body that no handler reads
        super().connection_lost(exc)

    def _record_hang_up(self) -> None:
        """Record that the client has left the request that is being answered.

        Not if its end came with the request: some clients close their side at once and still read the answer.
        """
        exchange = self.exchange
        if exchange is not None and exchange.hung_up is None and self._current_request is not None:
            now = monotonic()
            if now - exchange.started > HALF_CLOSED_SECONDS:
                exchange.record_hang_up(now)

    def data_received(self, data: bytes) -> None:
        if not data:  # aiohttp parses the bytes that it has buffered
            super().data_received(data)
            return
        self._last_byte = self._loop.time()
        for piece in split_requests(data):
            if self._malformed:
                return
            self._receive(piece)

    def _receive(self, data: bytes) -> None:
        """Parse bytes of at most one request line."""
        head, count = self.head, self._request_count
        begun = head.has_begun()
        head.receive(data, self._receiving.is_eof())
        super().data_received(data)
        if self._request_count > count and self._messages:
            message, self._receiving = self._messages[-1]
            self._malformed = isinstance(message, _ErrInfo)
            if isinstance(message, RawRequestMessage):
                self._continue_sent = False
                if not head.ascii:
                    self._messages[-1] = safe_message(message), self._receiving
                head.parsed(message, data, self._receiving)
            elif self._unanswered() > 1:
                self._fail_body(web.RequestPayloadError(INCOMPLETE))
        if not begun and head.has_begun() and self._request_count:
            self._header_since = self._last_byte

    def _check_deadline(self) -> None:
        """End the connection if its deadline has passed; otherwise check again at the deadline."""
        now, deadline = self._loop.time(), self._deadline()
        if now >= deadline:
            self._time_out()
        else:
            again = min(deadline, now + min(HEADER_SECONDS, self._app.body_timeout))
            self._timer = self._loop.call_at(again, self._check_deadline)

    def _deadline(self) -> float:
        """The loop's time by which more of the current request must arrive; infinity if the client is not sending."""
        if self.head.has_begun() or not self._request_count:
            return self._header_since + HEADER_SECONDS
        if self._receiving.is_eof() or self._reading_paused or self._buffer_paused or self._owes_continue():
            return inf
        return self._last_byte + self._app.body_timeout

    def _owes_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body."""
        request = self._current_request
        expects = request is not None and request.headers.get("Expect", "").lower() == "100-continue"
        return expects and not self._continue_sent and not self._receiving.total_bytes

    async def send_continue(self, request: web.BaseRequest) -> None:
        """Send `100 Continue`, for which the client waits before it sends the body."""
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
        self._continue_sent, self._last_byte = True, self._loop.time()

    def _time_out(self) -> None:
        """End a connection whose client is too slow: with an answer if a request has begun."""
        if self._request_count and not self.head.has_begun():
            self._fail_body(BodyTimeout(f"no byte of the body arrived for {self._app.body_timeout:g} seconds"))
        elif self.head.has_begun():
            self._malformed = True
            error = HeaderTimeout()
            self._request_count += 1
            self._messages.append((_ErrInfo(error.code, error, error.message), EMPTY_PAYLOAD))
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
        else:
            self.force_close()

    def interrupt(self) -> None:
        """Answer a request whose body is incomplete, because the server is about to stop."""
        self._fail_body(ServerStopping())

    def _unanswered(self) -> int:
        """The number of requests that have not been answered yet."""
        return self._request_count - self._answered

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer and count it, because aiohttp does not count unanswered requests."""
        if self._close:
            resp.force_close()
        try:
            if type(resp) is LateAnswer:
                resp = await resp.answer
                resp.force_close()
            if isinstance(resp, JsonAnswer) and not self._upgraded:
                head = resp.head(request)
                if head is not None:
                    gone = self._write_whole(request, resp, head)
                    return resp, gone or (self._paused and await self._drained())
            return await super().finish_response(request, resp, start_time)
        finally:
            self._answered += 1

    def _write_whole(self, request: web.BaseRequest, answer: JsonAnswer, head: bytes) -> bool:
        """Write a whole answer at once. True if the client has disconnected."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return True
        data = head + answer.data
        transport.write(data)
        request.writer.output_size += len(data)
        answer.mark_sent(len(data))
        return False

    async def _drained(self) -> bool:
        """Wait while the client reads slowly. True if it has disconnected."""
        try:
            await self._drain_helper()
        except ConnectionError:
            return True
        return False

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Resume reading only if it is paused; otherwise aiohttp would parse an empty chunk after each body."""
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio's own protocols may return True
        """Keep a half-closed plain connection open until its answer is sent; TLS has no half-closed connections."""
        if not self._unanswered():
            return None
        self._record_hang_up()
        self._fail_body(web.RequestPayloadError(INCOMPLETE))
        if self.ssl_context is not None:
            return None
        self.close()
        return True

    def _fail_body(self, error: web.RequestPayloadError) -> None:
        """Raise an error in the handler that reads an incomplete body: aiohttp would let it wait for ever."""
        if self.body is not None and self._current_request is None and not self.body.is_eof():
            self.body.feed_eof()  # the request has been answered: only aiohttp still reads its body
            self.close()
        for body in (self.body, *(body for _, body in self._messages)):
            if body is not None and not body.is_eof() and body.exception() is None:
                body.set_exception(error)
                body.feed_eof()  # so that aiohttp does not wait for the rest after the answer
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
            raise ConnectionError("the handler failed after the answer had begun")
        response: web.StreamResponse
        if isinstance(exc, HeaderTimeout):
            problem = Problem(Kind.REQUEST_TIMEOUT, exc.message)
            response = LateAnswer(self._app.answer_malformed(request, self.head.line(), problem))
        elif isinstance(exc, HttpProcessingError):
            problem = Problem(Kind.MALFORMED_BODY, "this is not a valid HTTP request")
            response = LateAnswer(self._app.answer_malformed(request, self.head.line(), problem))
        elif isinstance(exc, ConnectionError | web.RequestPayloadError):
            problem = Problem(Kind.MALFORMED_BODY, INCOMPLETE)
            response = LateAnswer(self._app.answer_malformed(request, RequestLine(), problem))
        else:
            self.log_exception("internal error at %s", request.path, exc_info=exc)
            response = self._app.answer_crash(f"{request.method} {request.path}", exc)
        response.force_close()
        return response
