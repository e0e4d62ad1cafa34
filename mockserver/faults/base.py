"""The base class of all faults, and their discovery. Each kind of fault has a file of its own in this package."""

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
    """The base class of all faults. A subclass defines its `type`, its parameters, its `stage` and that stage's method.

    The stages: `before` and `after` are called before and after a provider's handler, `plan` when a job is accepted,
    `delivery_fault` when a task with a callback ends. With `pictures_only`, it acts only on routes that serve pictures.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    type: str
    stage: ClassVar[Stage]
    pictures_only: ClassVar[bool] = False

    async def before(self, context: RequestContext) -> None:
        """Act on a call before its handler: raise a Problem, or wait."""

    def acts_on(self, context: RequestContext, response: StreamResponse) -> bool:
        """Whether `after` can change this answer; if not, the answer does not count as a match."""
        return True

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        """The answer to send in place of `response`."""
        return response

    def plan(self, job: Job) -> Job:
        """The job to accept in place of `job`."""
        return job

    def delivery_fault(self) -> DeliveryFault:
        """The fault of the callback's delivery."""
        return NO_DELIVERY_FAULT


@cache
def kinds() -> dict[str, type[Fault]]:
    """All faults by `type`: the `FAULT` of each module of this package that defines one."""
    package = importlib.import_module(__package__ or "")
    modules = (importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    found = [module.FAULT for module in modules if hasattr(module, "FAULT")]
    return {str(fault.model_fields["type"].default): fault for fault in found}
