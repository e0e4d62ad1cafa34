"""Fault `latency`: the call takes longer."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.faults.base import Fault, Stage
from mockserver.http.context import RequestContext


class LatencyFault(Fault):
    """`seconds` of the clock pass before the call is handled."""

    type: Literal["latency"] = "latency"
    seconds: Annotated[float, Field(ge=0, le=86_400)]
    stage: ClassVar[Stage] = "before"

    async def before(self, context: RequestContext) -> None:
        await context.engine.waiters.sleep(self.seconds, context.account)


FAULT = LatencyFault
