"""Fault `truncate`: the body ends before the length that its header gives."""

from typing import Annotated, ClassVar, Literal

from aiohttp.web import StreamResponse
from pydantic import Field

from mockserver.faults.base import Fault, Stage
from mockserver.faults.broken_answers import body_of, has_body, write_part
from mockserver.http.context import RequestContext


class TruncateFault(Fault):
    """Send `bytes` bytes of the body (half of it if absent), then close the connection without an error."""

    type: Literal["truncate"] = "truncate"
    bytes: Annotated[int, Field(ge=0)] | None = None
    stage: ClassVar[Stage] = "after"

    def acts_on(self, context: RequestContext, response: StreamResponse) -> bool:
        return has_body(context, response)

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        length = len(body_of(response)) // 2 if self.bytes is None else self.bytes
        return await write_part(context, response, length, broken_off=False)


FAULT = TruncateFault
