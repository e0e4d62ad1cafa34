"""A large JSON document as an answer: written in pieces, each made in a thread, so that others are served meanwhile."""

import asyncio
from collections.abc import Iterator

from aiohttp.web import BaseRequest, StreamResponse


async def streamed(request: BaseRequest, pieces: Iterator[bytes]) -> StreamResponse:
    """Answer a request with the pieces of a JSON document, one after the other."""
    response = StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    if request.method != "HEAD":
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            await response.write(piece)
    return response
