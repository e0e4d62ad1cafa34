"""Fault `latency`: the call takes longer, by the clock."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.call import Call
from mockserver.faults.base import Fault, Stage


class LatencyFault(Fault):
    """`seconds` of the clock pass before the call is looked at."""

    type: Literal["latency"] = "latency"
    seconds: Annotated[float, Field(ge=0, le=86_400)]
    stage: ClassVar[Stage] = "before"

    async def before(self, call: Call) -> None:
        await call.engine.waits.sleep(self.seconds, call.account)


FAULT = LatencyFault
