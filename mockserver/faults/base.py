"""What a fault is: its parameters, and what it does at one stage of a call. Each kind has a file of its own."""

import importlib
import pkgutil
from functools import cache
from typing import ClassVar, Literal

from aiohttp.web import StreamResponse
from pydantic import BaseModel, ConfigDict

from mockserver.engine.callbacks import NO_DELIVERY_FAULT, DeliveryFault
from mockserver.engine.tasks import Job
from mockserver.http.context import RequestContext

Stage = Literal["before", "after", "task", "callback"]


class Fault(BaseModel):
    """The base of all kinds of fault. A kind gives its `type`, its parameters, its stage, and that stage's method.

    `before` is called ahead of a provider's handler and `after` behind it, `plan` when a job is accepted, and
    `delivery_fault` when a task with a callback ends. A kind with `pictures_only` acts on routes that serve pictures.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    type: str
    stage: ClassVar[Stage]
    pictures_only: ClassVar[bool] = False

    async def before(self, context: RequestContext) -> None:
        """Act on a call ahead of its handler: raise a Problem, or wait."""

    def acts_on(self, context: RequestContext, response: StreamResponse) -> bool:
        """Whether an answer is of the sort that `after` is about; another one does not count as a match."""
        return True

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        """The answer to send in place of this one."""
        return response

    def plan(self, job: Job) -> Job:
        """The job to accept in place of this one."""
        return job

    def delivery_fault(self) -> DeliveryFault:
        """What happens to the callback."""
        return NO_DELIVERY_FAULT


@cache
def kinds() -> dict[str, type[Fault]]:
    """Every kind of fault by its `type`: each module of this package that holds a FAULT."""
    package = importlib.import_module(__package__ or "")
    modules = (importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    found = [module.FAULT for module in modules if hasattr(module, "FAULT")]
    return {str(fault.model_fields["type"].default): fault for fault in found}
