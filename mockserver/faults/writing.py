"""Writing answers badly: shared by the faults that happen to a body on its way out."""

from aiohttp.web import Response, StreamResponse

from mockserver.call import Call

CHUNKS_PER_SECOND = 4


def body_of(response: StreamResponse) -> bytes:
    """The body of an answer that is not sent yet."""
    body = getattr(response, "body", None)
    return body if isinstance(body, bytes) else b""


def with_body(call: Call, response: StreamResponse, body: bytes) -> Response:
    """The same answer with another body."""
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    call.exchange.response = body
    return Response(status=response.status, headers=headers, body=body)


def abort(call: Call, response: StreamResponse) -> StreamResponse:
    """Break the connection off at once; the answer is for the record alone."""
    if call.request.transport is not None:
        call.request.transport.abort()
    return response


async def write_part(call: Call, response: StreamResponse, length: int, broken_off: bool) -> StreamResponse:
    """Announce the whole body, send `length` bytes of it, and end the connection: broken off, or in good order.

    An answer to HEAD has no body that could be cut.
    """
    body = body_of(response)
    if call.request.method == "HEAD":
        return response
    stream = await _announce(call, response, len(body))
    if part := body[:length]:
        await stream.write(part)
    await call.request.writer.drain()
    transport = call.request.transport
    if transport is not None:
        transport.abort() if broken_off and not transport.get_write_buffer_size() else transport.close()
    call.exchange.response = body[:length]
    return stream


async def write_slowly(call: Call, response: StreamResponse, bytes_per_second: int) -> StreamResponse:
    """Send the whole body, so many bytes in a second of the clock."""
    body = body_of(response)
    if call.request.method == "HEAD":
        return response
    stream = await _announce(call, response, len(body))
    size = max(1, bytes_per_second // CHUNKS_PER_SECOND)
    for start in range(0, len(body), size):
        part = body[start : start + size]
        await call.engine.waits.sleep(len(part) / bytes_per_second, call.account)
        await stream.write(part)
    return stream


async def _announce(call: Call, response: StreamResponse, length: int) -> StreamResponse:
    """Send the status line and the headers of an answer whose body is to follow."""
    stream = StreamResponse(status=response.status, headers=response.headers)
    stream.headers["x-request-id"] = call.request_id
    stream.content_length = length
    await stream.prepare(call.request)
    return stream
