"""Fault `malformed`: the answer is invalid JSON."""

from typing import ClassVar, Literal

from aiohttp.web import StreamResponse

from mockserver.faults.base import Fault, Stage
from mockserver.faults.broken_answers import body_of, has_body, has_type, with_body
from mockserver.http.context import RequestContext


class MalformedFault(Fault):
    """Only the first half of a JSON body is sent, with the Content-Length of that half."""

    type: Literal["malformed"] = "malformed"
    stage: ClassVar[Stage] = "after"

    def acts_on(self, context: RequestContext, response: StreamResponse) -> bool:
        return has_body(context, response) and has_type(response, "application/json")

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        body = body_of(response)
        return with_body(context, response, body[: len(body) // 2])


FAULT = MalformedFault
