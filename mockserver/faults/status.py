"""Fault `status`: the call is refused with a documented error."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.engine.problems import Kind, Problem
from mockserver.faults.base import Fault, Stage
from mockserver.http.context import RequestContext


class StatusFault(Fault):
    """The error by `status` (400 to 599), by the provider's error `code`, or by both; `retry_after` in seconds."""

    type: Literal["status"] = "status"
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] | None = None
    retry_after: Annotated[float, Field(ge=0)] | None = None
    stage: ClassVar[Stage] = "before"

    async def before(self, context: RequestContext) -> None:
        status = self.status if self.status or self.code else 500
        retry_after = 1.0 if self.retry_after is None and status == 429 else self.retry_after
        raise Problem(Kind.FAILED, "[injected fault]", status=status, code=self.code, retry_after=retry_after)


FAULT = StatusFault
