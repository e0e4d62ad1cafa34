"""Fault `callback_delayed`: a callback is sent late."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.engine.callbacks import DeliveryFault
from mockserver.faults.base import Fault, Stage


class CallbackDelayedFault(Fault):
    """The first attempt is made `seconds` after the task's end."""

    type: Literal["callback_delayed"] = "callback_delayed"
    seconds: Annotated[float, Field(ge=0, le=86_400)]
    stage: ClassVar[Stage] = "callback"

    def delivery_fault(self) -> DeliveryFault:
        return DeliveryFault(delay=self.seconds)


FAULT = CallbackDelayedFault
