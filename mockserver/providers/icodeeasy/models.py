"""icodeeasy: the request of generations and edits (document 001, "Request parameters"; claims IC-…)."""

from typing import Annotated, Literal

from pydantic import Field

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.sizes import Pair, fit_ratio, nearest_ratio, parse_pixels, parse_ratio
from mockserver.providers.parsing import LONGEST_SIZE, Fields, NotStreamed, Prompt

MODEL = "gpt-image-2"
MOST_IMAGES = 10
MOST_REFERENCES = 16

RATIOS: dict[str, Pair] = {
    text: (int(text.split(":")[0]), int(text.split(":")[1]))
    for text in ["1:1", "3:2", "2:3", "4:3", "3:4", "5:4", "4:5", "16:9", "9:16", "2:1", "1:2", "21:9", "9:21"]
}
"""The supported ratios (IC-SIZE-1). The size `auto` means 1:1."""

PIXELS = {"1k": 1024 * 1024, "2k": 2048 * 2048}
"""About how many pixels a resolution has (IC-RES-1; the figures are ours)."""

MULTIPLE = 16

References = Annotated[list[str], Field(max_length=MOST_REFERENCES, fail_fast=True)]


class Generation(Fields):
    """IC-MODEL-1, IC-PROMPT-1, IC-N-1, IC-SIZE-1, IC-RES-1, IC-QUAL-1, IC-REF-1."""

    model: Literal["gpt-image-2"]
    prompt: Prompt
    n: Annotated[int, Field(ge=1, le=MOST_IMAGES)] = 1
    size: Annotated[str, Field(max_length=LONGEST_SIZE)] = "1:1"
    resolution: Literal["1k", "2k"] = "1k"
    quality: Literal["low", "medium", "high", "auto"] = "medium"
    image_urls: References = Field(default_factory=list)
    image_input: References = Field(default_factory=list)
    stream: NotStreamed = None

    def pixels(self) -> Pair:
        """(width, height) of the result. Raises Problem for a size that is neither a supported ratio nor pixels."""
        return fit_ratio(_ratio(self.size), PIXELS[self.resolution], MULTIPLE)


def _ratio(size: str) -> Pair:
    if size == "auto":
        return RATIOS["1:1"]
    if size in RATIOS:
        return RATIOS[size]
    pixels = parse_pixels(size)
    if pixels is not None:
        return nearest_ratio(*pixels, RATIOS.values())
    said = "unsupported ratio" if parse_ratio(size) else "neither a ratio nor WIDTHxHEIGHT"
    raise Problem(Kind.INVALID_PARAMETER, f"size: {said}; use {', '.join(RATIOS)} or auto", field="size")
