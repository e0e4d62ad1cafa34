"""Fault `callback_lost`: a callback is never sent."""

from typing import ClassVar, Literal

from mockserver.engine.callbacks import Disturbance
from mockserver.faults.base import Fault, Stage


class CallbackLostFault(Fault):
    """It is kept, in the state `lost`, and can be redelivered."""

    type: Literal["callback_lost"] = "callback_lost"
    stage: ClassVar[Stage] = "callback"

    def disturb(self) -> Disturbance:
        return Disturbance(lost=True)


FAULT = CallbackLostFault
