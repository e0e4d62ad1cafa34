"""What a fault is: a few parameters, and what it does at one stage of a call. One file each; nothing else knows it."""

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
    """One thing that goes wrong. A kind of fault gives its `type`, its parameters, its stage, and that stage's method.

    `before` and `after` go around a provider's handler, `plan` changes a job that is being accepted, and `disturb`
    befalls the callback of a task that ends. With `pictures_only` it happens where a picture is served alone.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    type: str
    stage: ClassVar[Stage]
    pictures_only: ClassVar[bool] = False

    async def before(self, context: RequestContext) -> None:
        """Happen ahead of the handler: raise a Problem, or take time."""

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        """Happen to an answer on its way out."""
        return response

    def plan(self, job: Job) -> Job:
        """Change what is about to be accepted."""
        return job

    def delivery_fault(self) -> DeliveryFault:
        """What befalls the callback."""
        return NO_DELIVERY_FAULT


@cache
def kinds() -> dict[str, type[Fault]]:
    """Every kind of fault by its `type`: each module of this package that holds a FAULT."""
    package = importlib.import_module(__package__ or "")
    modules = (importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    found = [module.FAULT for module in modules if hasattr(module, "FAULT")]
    return {str(fault.model_fields["type"].default): fault for fault in found}
