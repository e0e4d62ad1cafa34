"""Fault `image_corrupt`: a picture's bytes cannot be decoded."""

from typing import ClassVar, Literal

from aiohttp.web import StreamResponse

from mockserver.faults.base import Fault, Stage
from mockserver.faults.broken_answers import body_of, has_body, has_type, with_body
from mockserver.http.context import RequestContext

HEADER_KEPT = 64
"""Bytes at the start that stay unchanged, so that the type is still recognised."""


class ImageCorruptFault(Fault):
    """Every byte after the header is inverted; the length stays. Other answers do not change."""

    type: Literal["image_corrupt"] = "image_corrupt"
    stage: ClassVar[Stage] = "after"
    pictures_only: ClassVar[bool] = True

    def acts_on(self, context: RequestContext, response: StreamResponse) -> bool:
        return has_body(context, response) and has_type(response, "image/")

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        body = body_of(response)
        inverted = body[HEADER_KEPT:].translate(bytes(255 - value for value in range(256)))
        return with_body(context, response, body[:HEADER_KEPT] + inverted)


FAULT = ImageCorruptFault
