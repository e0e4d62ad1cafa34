"""openai_images: the fields of a request, a class for each model (OI-MODEL-1, OI-N-1, OI-SIZE-1, OI-QUAL-1)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.sizes import Pair, parse_pixels
from mockserver.engine.tasks import ImageFormat
from mockserver.providers.parsing import NOT_BLANK, Fields

MOST_PICTURES = 10
MOST_IMAGES = 16
"""Input images of an edit by gpt-image-1 (OI-EDIT-1)."""

DEFAULT_MODEL = "dall-e-2"
GPT_FIELDS = ("background", "moderation", "output_compression", "output_format", "partial_images")
"""Fields of gpt-image-1 alone: one of them makes it the model of a request that names none (OI-MODEL-1)."""


class Request(Fields):
    """What every model takes."""

    refused_fields: ClassVar[tuple[str, ...]] = ()
    """Fields of the other models (OI-FIELD-1)."""

    model: str
    prompt: str
    n: Annotated[int, Field(ge=1, le=MOST_PICTURES)] = 1
    size: str
    quality: str
    stream: bool = False

    @property
    def pixels(self) -> Pair:
        """(width, height) of the pictures; `auto` is 1024x1024, a ruling of ours (OI-SIZE-1)."""
        return parse_pixels(self.size) or (1024, 1024)

    @property
    def tier(self) -> str:
        """The quality that is made and charged, where `auto` leaves it open (OI-QUAL-1)."""
        raise NotImplementedError

    @property
    def format(self) -> ImageFormat:
        return "png"

    @property
    def base64(self) -> bool:
        """Whether the answer holds the pictures themselves (OI-OUT-1)."""
        return True


class GptImage(Request):
    """gpt-image-1."""

    refused_fields: ClassVar[tuple[str, ...]] = ("response_format", "style")

    prompt: Annotated[str, Field(max_length=32_000), NOT_BLANK]
    size: Literal["auto", "1024x1024", "1536x1024", "1024x1536"] = "auto"
    quality: Literal["auto", "low", "medium", "high"] = "auto"
    background: Literal["auto", "transparent", "opaque"] = "auto"
    output_format: ImageFormat = "png"
    output_compression: Annotated[int, Field(ge=0, le=100)] = 100
    moderation: Literal["auto", "low"] = "auto"
    partial_images: Annotated[int, Field(ge=0, le=3)] = 0

    @property
    def tier(self) -> str:
        return "medium" if self.quality == "auto" else self.quality

    @property
    def format(self) -> ImageFormat:
        return self.output_format


class Dalle(Request):
    """What both dall-e models take."""

    refused_fields: ClassVar[tuple[str, ...]] = GPT_FIELDS

    response_format: Literal["url", "b64_json"] = "url"

    @property
    def tier(self) -> str:
        return "standard" if self.quality == "auto" else self.quality

    @property
    def base64(self) -> bool:
        return self.response_format == "b64_json"


class Dalle3(Dalle):
    """dall-e-3: one picture a call."""

    prompt: Annotated[str, Field(max_length=4_000), NOT_BLANK]
    n: Annotated[int, Field(ge=1, le=1)] = 1
    size: Literal["1024x1024", "1792x1024", "1024x1792"] = "1024x1024"
    quality: Literal["auto", "standard", "hd"] = "auto"
    style: Literal["vivid", "natural"] = "vivid"


class Dalle2(Dalle):
    """dall-e-2."""

    refused_fields: ClassVar[tuple[str, ...]] = (*GPT_FIELDS, "style")

    prompt: Annotated[str, Field(max_length=1_000), NOT_BLANK]
    size: Literal["256x256", "512x512", "1024x1024"] = "1024x1024"
    quality: Literal["auto", "standard"] = "auto"


MODELS: dict[str, type[Request]] = {"gpt-image-1": GptImage, "dall-e-2": Dalle2, "dall-e-3": Dalle3}
EDIT_MODELS = ("gpt-image-1", "dall-e-2")
"""OI-EDIT-1."""


def class_of(fields: Mapping[str, Any], known: tuple[str, ...] = tuple(MODELS)) -> tuple[str, type[Request]]:
    """The model of a request and the class of its fields.

    Raises:
        Problem: UNKNOWN_MODEL; or one for a field that is missing or that the model does not have.
    """
    model = fields.get("model", "gpt-image-1" if any(name in fields for name in GPT_FIELDS) else DEFAULT_MODEL)
    if not isinstance(model, str) or model not in known:
        raise Problem(Kind.UNKNOWN_MODEL, f"Value must be one of {', '.join(known)}.", field="model")
    if "prompt" not in fields:
        raise _parameter("missing_required_parameter", "prompt")
    for name in MODELS[model].refused_fields:
        if name in fields:
            raise _parameter("unknown_parameter", name)
    return model, MODELS[model]


def _parameter(code: str, name: str) -> Problem:
    return Problem(Kind.INVALID_PARAMETER, f"'{name}'.", field=name, code=code)


def check(asked: Request) -> None:
    """Check what concerns several fields together. Raises Problem(INVALID_PARAMETER)."""
    if asked.stream:
        raise Problem(Kind.INVALID_PARAMETER, "this mock server does not stream pictures", field="stream")
    if isinstance(asked, GptImage) and asked.background == "transparent" and asked.output_format == "jpeg":
        raise Problem(
            Kind.INVALID_PARAMETER, "a transparent background needs png or webp as output_format", field="background"
        )
