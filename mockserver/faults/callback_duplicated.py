"""Fault `callback_duplicated`: a callback is sent more than once."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.engine.callbacks import DeliveryFault
from mockserver.faults.base import Fault, Stage


class CallbackDuplicatedFault(Fault):
    """The callback is sent `copies` more times, each as a delivery of its own."""

    type: Literal["callback_duplicated"] = "callback_duplicated"
    copies: Annotated[int, Field(ge=1, le=10)] = 1
    stage: ClassVar[Stage] = "callback"

    def delivery_fault(self) -> DeliveryFault:
        return DeliveryFault(copies=self.copies)


FAULT = CallbackDuplicatedFault
