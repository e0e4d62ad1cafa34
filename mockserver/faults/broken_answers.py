"""Sends answers in part, slowly or altered: shared by the faults that act on an answer."""

from aiohttp.web import Response, StreamResponse

from mockserver.http.context import RequestContext

CHUNKS_PER_SECOND = 4


def body_of(response: StreamResponse) -> bytes:
    """The body of an unsent answer, b"" if it has none."""
    body = getattr(response, "body", None)
    return body if isinstance(body, bytes) else b""


def has_body(context: RequestContext, response: StreamResponse) -> bool:
    """Whether an answer is unsent and will have a body: not to HEAD, not a 304, not a redirect."""
    return context.request.method != "HEAD" and not response.prepared and bool(body_of(response))


def has_type(response: StreamResponse, start: str) -> bool:
    """Whether the Content-Type of an answer begins with `start`."""
    return response.headers.get("Content-Type", "").startswith(start)


def with_body(context: RequestContext, response: StreamResponse, body: bytes) -> Response:
    """The same answer with another body."""
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    context.exchange.response = body
    return Response(status=response.status, headers=headers, body=body)


def abort(context: RequestContext, response: StreamResponse) -> StreamResponse:
    """Abort the connection without sending anything; the answer is only recorded."""
    context.exchange.broken = True
    if context.request.transport is not None:
        context.request.transport.abort()
    return response


async def write_part(
    context: RequestContext, response: StreamResponse, length: int, broken_off: bool
) -> StreamResponse:
    """Announce the whole body, send `length` bytes of it, and abort the connection (`broken_off`) or close it."""
    body = body_of(response)
    context.exchange.broken = True
    stream = await _announce(context, response, len(body))
    if part := body[:length]:
        await stream.write(part)
    await context.request.writer.drain()
    transport = context.request.transport
    if transport is not None:
        transport.abort() if broken_off and not transport.get_write_buffer_size() else transport.close()
    context.exchange.response = body[:length]
    return stream


async def write_slowly(context: RequestContext, response: StreamResponse, bytes_per_second: int) -> StreamResponse:
    """Send the whole body, `bytes_per_second` bytes in a second of the clock."""
    body = body_of(response)
    stream = await _announce(context, response, len(body))
    size = max(1, bytes_per_second // CHUNKS_PER_SECOND)
    for start in range(0, len(body), size):
        part = body[start : start + size]
        await context.engine.waiters.sleep(len(part) / bytes_per_second, context.account)
        await stream.write(part)
    return stream


async def _announce(context: RequestContext, response: StreamResponse, length: int) -> StreamResponse:
    """Send the status line and the headers of an answer, before its body."""
    stream = StreamResponse(status=response.status, headers=response.headers)
    stream.headers["x-request-id"] = context.request_id
    stream.content_length = length
    await stream.prepare(context.request)
    return stream
