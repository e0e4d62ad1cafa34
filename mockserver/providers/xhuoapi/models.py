"""xhuoapi: the requests of generations and edits, a class for each model family (documents 000, 003; claims XH-…)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.sizes import Limits, Pair, parse_pixels
from mockserver.engine.tasks import ImageFormat
from mockserver.providers.parsing import LONGEST_SIZE, NOT_BLANK, Fields, NotStreamed, Prompt

DEFAULT_SIZE: Pair = (1024, 1024)
"""XH-SIZE-8, a ruling of ours."""

UPSTREAM_LIMITS = Limits(multiple=16, long_side=3840, pixels=8_294_400)
"""XH-SIZE-3: gpt-image-2's custom sizes."""

ALIASES: dict[Pair, Pair] = {
    (1024, 1024): (1254, 1254),
    (1792, 1024): (1672, 941),
    (1024, 1792): (941, 1672),
}
"""What gpt-image-2 really returns for a 1K size (XH-OUT-1, -2); each is accepted as a size too (XH-SIZE-4)."""

NANO_PIXELS: dict[str, Pair] = {"1:1": (1024, 1024), "16:9": (1344, 768), "9:16": (768, 1344)}
NANO_ASPECTS = {"1792x1024": "16:9", "1024x1792": "9:16"}
"""XH-NANO-2: the sizes that are not 1:1; the pixels are ours (XH-NANO-3)."""

MOST_REFERENCES = 16
TRACE_ID = r"[\x21-\x7e]{1,128}"
TraceId = Annotated[str, StringConstraints(pattern=f"^{TRACE_ID}$")]


class Request(Fields):
    """What every model knows. `async` and `trace_id` come from newer clients (XH-ASYNC-1, XH-TASK-2)."""

    model: str
    prompt: Prompt
    size: Any = None
    callback_url: str | None = None
    wait_not: Annotated[bool, Field(alias="async")] = False
    trace_id: TraceId | None = None
    seed: Any = None
    stream: NotStreamed = None

    @property
    def count(self) -> int:
        return 1

    @property
    def format(self) -> ImageFormat:
        return "png"

    @property
    def base64(self) -> bool:
        return False

    @property
    def tier(self) -> str:
        return "standard"

    def asked(self) -> Pair:
        """The size asked for, in pixels. Raises Problem(INVALID_PARAMETER) if it is malformed."""
        raise NotImplementedError

    def check(self) -> Pair:
        """Check what a field's type alone cannot; the size asked for, in pixels. Raises Problem."""
        return self.asked()

    def limit_broken(self, size: Pair) -> str | None:
        """Why the upstream model refuses a size, in pixels; None if it takes it."""
        return None

    def returned(self, size: Pair, exact: bool) -> Pair:
        """(width, height) of the picture of a size that was asked for."""
        return size


class OpenAIRequest(Request):
    """The OpenAI models: `size` in pixels, and the form of the answer (XH-FMT-1, -2)."""

    size: Annotated[str, Field(max_length=LONGEST_SIZE)] | None = None
    response_format: Literal["url", "b64_json"] = "url"

    @property
    def base64(self) -> bool:
        return self.response_format == "b64_json"

    def asked(self) -> Pair:
        if self.size in (None, "", "auto"):
            return DEFAULT_SIZE
        pixels = parse_pixels(self.size or "")
        if pixels is None:
            raise Problem(Kind.INVALID_PARAMETER, "size must be auto or WIDTHxHEIGHT, like 1024x1024.", field="size")
        return pixels

    def limit_broken(self, size: Pair) -> str | None:
        sizes = SIZES[self.model]
        return None if size in sizes else f"size must be one of {', '.join(f'{w}x{h}' for w, h in sizes)}"


class GptImage(OpenAIRequest):
    """gpt-image-1 and gpt-image-1.5, which ignore `n` (XH-N-1, XH-OUTFMT-1)."""

    prompt: Annotated[str, Field(max_length=32_000), NOT_BLANK]
    quality: Literal["auto", "high", "medium", "low"] = "auto"
    background: Literal["auto", "transparent", "opaque"] = "auto"
    output_format: ImageFormat = "png"
    output_compression: Annotated[int, Field(ge=0, le=100)] = 100
    moderation: Literal["auto", "low"] = "auto"
    partial_images: Annotated[int, Field(ge=0, le=3)] = 0

    @property
    def format(self) -> ImageFormat:
        return self.output_format


class GptImage2(GptImage):
    """gpt-image-2: any size within the upstream limits (XH-SIZE-1 to -6)."""

    def limit_broken(self, size: Pair) -> str | None:
        return _limit_broken(size)

    def returned(self, size: Pair, exact: bool) -> Pair:
        return size if exact else ALIASES.get(size, size)


@lru_cache(maxsize=256)
def _limit_broken(size: Pair) -> str | None:
    return None if size in ALIASES.values() else UPSTREAM_LIMITS.broken_by(*size)


class Dalle3(OpenAIRequest):
    """dall-e-3: one image a call (XH-N-2, XH-QUAL-1, XH-STYLE-1)."""

    prompt: Annotated[str, Field(max_length=4_000), NOT_BLANK]
    n: int = 1
    quality: Literal["standard", "hd", "auto"] = "standard"
    style: Literal["vivid", "natural"] = "vivid"

    @property
    def tier(self) -> str:
        return self.quality

    def check(self) -> Pair:
        if self.n != 1:
            raise Problem(Kind.UNSUPPORTED_BY_MODEL, "dall-e-3 supports n = 1 alone.", field="n")
        return super().check()


class Dalle2(OpenAIRequest):
    """dall-e-2: the one model that honours `n` (XH-N-2)."""

    prompt: Annotated[str, Field(max_length=1_000), NOT_BLANK]
    n: Annotated[int, Field(ge=1, le=10)] = 1
    quality: Literal["standard", "auto"] = "standard"

    @property
    def count(self) -> int:
        return self.n


class Nano(Request):
    """nano-banana*: a size that it does not know is 1:1, and nothing else is looked at (XH-NANO-1, -2)."""

    def asked(self) -> Pair:
        aspect = NANO_ASPECTS.get(self.size, "1:1") if isinstance(self.size, str) else "1:1"
        return NANO_PIXELS[aspect]


MODELS: dict[str, type[Request]] = {
    "dall-e-2": Dalle2,
    "dall-e-3": Dalle3,
    "gpt-image-1": GptImage,
    "gpt-image-1.5": GptImage,
    "gpt-image-2": GptImage2,
    "nano-banana": Nano,
    "nano-banana-2": Nano,
    "nano-banana-pro": Nano,
}
"""XH-MODEL-1."""

_GPT_IMAGE_SIZES: tuple[Pair, ...] = ((1024, 1024), (1536, 1024), (1024, 1536))
SIZES: dict[str, tuple[Pair, ...]] = {
    "dall-e-2": ((256, 256), (512, 512), (1024, 1024)),
    "dall-e-3": ((1024, 1024), (1792, 1024), (1024, 1792)),
    "gpt-image-1": _GPT_IMAGE_SIZES,
    "gpt-image-1.5": _GPT_IMAGE_SIZES,
}
"""XH-SIZE-7."""


def trace_id_of(fields: Mapping[str, Any]) -> str | None:
    """The trace id that a client sent for its call, if it is well-formed; a refusal shows it too."""
    trace_id = fields.get("trace_id")
    return trace_id if isinstance(trace_id, str) and re.fullmatch(TRACE_ID, trace_id) else None


def class_of(model: Any) -> type[Request]:
    """The request class of a model's name. Raises Problem: INVALID_PARAMETER if it is none, UNKNOWN_MODEL."""
    if model is None:
        raise Problem(Kind.INVALID_PARAMETER, "model is required.", field="model")
    if not isinstance(model, str):
        raise Problem(Kind.INVALID_PARAMETER, "model must be a string.", field="model")
    if model not in MODELS:
        raise Problem(Kind.UNKNOWN_MODEL, f"There are {', '.join(MODELS)}.", field="model")
    return MODELS[model]
