"""Fault `slow_body`: the body arrives slowly, by the clock."""

from typing import Annotated, ClassVar, Literal

from aiohttp.web import StreamResponse
from pydantic import Field

from mockserver.faults.base import Fault, Stage
from mockserver.faults.broken_answers import has_body, write_slowly
from mockserver.http.context import RequestContext


class SlowBodyFault(Fault):
    """Send `bytes_per_second` bytes in each second of the clock."""

    type: Literal["slow_body"] = "slow_body"
    bytes_per_second: Annotated[int, Field(ge=1)]
    stage: ClassVar[Stage] = "after"

    def acts_on(self, context: RequestContext, response: StreamResponse) -> bool:
        return has_body(context, response)

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        return await write_slowly(context, response, self.bytes_per_second)


FAULT = SlowBodyFault
