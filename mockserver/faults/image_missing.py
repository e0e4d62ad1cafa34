"""Fault `image_missing`: a picture's link leads nowhere."""

from typing import ClassVar, Literal

from mockserver.call import Call
from mockserver.engine.problems import Kind, Problem
from mockserver.faults.base import Fault, Stage


class ImageMissingFault(Fault):
    """404 in the provider's shape."""

    type: Literal["image_missing"] = "image_missing"
    stage: ClassVar[Stage] = "before"
    pictures_only: ClassVar[bool] = True

    async def before(self, call: Call) -> None:
        raise Problem(Kind.IMAGE_NOT_FOUND, "[injected fault]")


FAULT = ImageMissingFault
