"""The grammar of sizes (`WIDTHxHEIGHT`, `W:H`) and limits on them, as data."""

import math
import re
from collections.abc import Iterable
from functools import lru_cache

from mockserver.engine.fast_dataclass import fast_dataclass

_PIXELS = re.compile(r"([1-9][0-9]*)x([1-9][0-9]*)")
_DIGITS_READ = 18  # enough to be beyond every limit; Python refuses to read numbers of thousands of digits
_RATIO = re.compile(r"([1-9][0-9]{0,3}):([1-9][0-9]{0,3})")

Pair = tuple[int, int]


@lru_cache(maxsize=256)
def parse_pixels(text: str) -> Pair | None:
    """(width, height) of `WIDTHxHEIGHT` in plain ASCII digits without signs, spaces or leading zeros; else None."""
    match = _PIXELS.fullmatch(text)
    return (int(match[1][:_DIGITS_READ]), int(match[2][:_DIGITS_READ])) if match else None


@lru_cache(maxsize=256)
def pixels_text(width: int, height: int) -> str:
    """`WIDTHxHEIGHT`; cached, so that tasks share one text."""
    return f"{width}x{height}"


def parse_ratio(text: str) -> Pair | None:
    """(w, h) of `W:H`; else None."""
    match = _RATIO.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


@fast_dataclass
class Limits:
    """The sizes that a model accepts: both sides multiples of `multiple`, a maximum long side and area."""

    multiple: int
    long_side: int
    pixels: int

    def broken_by(self, width: int, height: int) -> str | None:
        """A message that names the first limit that a size breaks; None if it is within all of them."""
        if width % self.multiple or height % self.multiple:
            return f"size width and height must be multiples of {self.multiple}"
        if max(width, height) > self.long_side:
            return f"size width and height must not exceed {self.long_side}"
        if width * height > self.pixels:
            return f"size must not exceed {self.pixels} pixels in total"
        return None


def nearest_ratio(width: int, height: int, ratios: Iterable[Pair]) -> Pair:
    """The ratio closest to width:height by logarithmic distance; the earlier one of two equally close."""
    target = math.log(width / height)
    return min(ratios, key=lambda ratio: abs(target - math.log(ratio[0] / ratio[1])))


@lru_cache(maxsize=256)
def fit_ratio(ratio: Pair, pixels: int, multiple: int) -> Pair:
    """(width, height) of about `pixels` pixels and the shape `ratio`, both sides multiples of `multiple`.

    Of the candidates around the exact short side, the one whose ratio is closest.
    """
    w, h = ratio
    ideal = math.sqrt(pixels * min(w, h) / max(w, h))
    first = max(1, math.floor(ideal / multiple) - 2)
    pairs = []
    for step in range(first, first + 6):
        short = step * multiple
        long = round(short * max(w, h) / min(w, h) / multiple) * multiple
        pairs.append((abs(long / short / (max(w, h) / min(w, h)) - 1), abs(short - ideal), short, long))
    _, _, short, long = min(pairs)
    return (short, long) if w < h else (long, short)
