"""Fault `disconnect`: the connection is closed before the whole answer is sent."""

from typing import Annotated, ClassVar, Literal

from aiohttp.web import StreamResponse
from pydantic import Field

from mockserver.faults.base import Fault, Stage
from mockserver.faults.broken_answers import abort, has_body, write_part
from mockserver.http.context import RequestContext


class DisconnectFault(Fault):
    """Abort the connection before the answer, or after `after_bytes` bytes of its body.

    The call itself has been carried out: if the client repeats it, it is carried out, and charged, twice.
    """

    type: Literal["disconnect"] = "disconnect"
    after_bytes: Annotated[int, Field(ge=0)] | None = None
    stage: ClassVar[Stage] = "after"

    def acts_on(self, context: RequestContext, response: StreamResponse) -> bool:
        return not response.prepared and (self.after_bytes is None or has_body(context, response))

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        if self.after_bytes is None:
            return abort(context, response)
        return await write_part(context, response, self.after_bytes, broken_off=True)


FAULT = DisconnectFault
