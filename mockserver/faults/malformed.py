"""Fault `malformed`: the answer arrives whole, but its JSON does not parse."""

from typing import ClassVar, Literal

from aiohttp.web import StreamResponse

from mockserver.faults.base import Fault, Stage
from mockserver.faults.broken_answers import body_of, with_body
from mockserver.http.context import RequestContext


class MalformedFault(Fault):
    """The second half of the body is missing, and the length says so."""

    type: Literal["malformed"] = "malformed"
    stage: ClassVar[Stage] = "after"

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        body = body_of(response)
        return with_body(context, response, body[: len(body) // 2] or b"{")


FAULT = MalformedFault
