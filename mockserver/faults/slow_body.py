"""Fault `slow_body`: the answer's body is sent slowly."""

from typing import Annotated, ClassVar, Literal

from aiohttp.web import StreamResponse
from pydantic import Field

from mockserver.faults.base import Fault, Stage
from mockserver.faults.broken_answers import has_body, write_slowly
from mockserver.http.context import RequestContext


class SlowBodyFault(Fault):
    """The body is sent at `bytes_per_second` bytes per second of the clock."""

    type: Literal["slow_body"] = "slow_body"
    bytes_per_second: Annotated[int, Field(ge=1)]
    stage: ClassVar[Stage] = "after"

    def acts_on(self, context: RequestContext, response: StreamResponse) -> bool:
        return has_body(context, response)

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        return await write_slowly(context, response, self.bytes_per_second)


FAULT = SlowBodyFault
