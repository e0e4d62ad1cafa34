"""Fault `callback_lost`: a callback is never sent."""

from typing import ClassVar, Literal

from mockserver.engine.callbacks import DeliveryFault
from mockserver.faults.base import Fault, Stage


class CallbackLostFault(Fault):
    """The callback is recorded in the state `lost`, and can be redelivered."""

    type: Literal["callback_lost"] = "callback_lost"
    stage: ClassVar[Stage] = "callback"

    def delivery_fault(self) -> DeliveryFault:
        return DeliveryFault(lost=True)


FAULT = CallbackLostFault
