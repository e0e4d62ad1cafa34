"""Fault `image_missing`: a picture's URL is answered with 404."""

from typing import ClassVar, Literal

from mockserver.engine.problems import Kind, Problem
from mockserver.faults.base import Fault, Stage
from mockserver.http.context import RequestContext


class ImageMissingFault(Fault):
    """The answer is a 404 in the provider's error shape."""

    type: Literal["image_missing"] = "image_missing"
    stage: ClassVar[Stage] = "before"
    pictures_only: ClassVar[bool] = True

    async def before(self, context: RequestContext) -> None:
        raise Problem(Kind.IMAGE_NOT_FOUND, "[injected fault]")


FAULT = ImageMissingFault
