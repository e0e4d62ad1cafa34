"""Fault `callback_reordered`: a callback is sent after the account's next one."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.engine.callbacks import DeliveryFault
from mockserver.faults.base import Fault, Stage


class CallbackReorderedFault(Fault):
    """The callback waits until the next one of its account has been sent, at most `seconds`."""

    type: Literal["callback_reordered"] = "callback_reordered"
    seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    stage: ClassVar[Stage] = "callback"

    def delivery_fault(self) -> DeliveryFault:
        return DeliveryFault(held=self.seconds)


FAULT = CallbackReorderedFault
