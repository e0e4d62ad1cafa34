"""Fault `slow_body`: the body trickles, by the clock."""

from typing import Annotated, ClassVar, Literal

from aiohttp.web import StreamResponse
from pydantic import Field

from mockserver.call import Call
from mockserver.faults.base import Fault, Stage
from mockserver.faults.writing import write_slowly


class SlowBodyFault(Fault):
    """Send `bytes_per_second` bytes in each second of the clock."""

    type: Literal["slow_body"] = "slow_body"
    bytes_per_second: Annotated[int, Field(ge=1)]
    stage: ClassVar[Stage] = "after"

    async def after(self, call: Call, response: StreamResponse) -> StreamResponse:
        return await write_slowly(call, response, self.bytes_per_second)


FAULT = SlowBodyFault
