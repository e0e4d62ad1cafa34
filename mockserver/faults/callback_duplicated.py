"""Fault `callback_duplicated`: a callback comes more than once."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.engine.callbacks import DeliveryFault
from mockserver.faults.base import Fault, Stage


class CallbackDuplicatedFault(Fault):
    """It comes `copies` more times, each a delivery of its own."""

    type: Literal["callback_duplicated"] = "callback_duplicated"
    copies: Annotated[int, Field(ge=1, le=10)] = 1
    stage: ClassVar[Stage] = "callback"

    def delivery_fault(self) -> DeliveryFault:
        return DeliveryFault(copies=self.copies)


FAULT = CallbackDuplicatedFault
