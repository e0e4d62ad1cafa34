"""The design of a placeholder picture: its text and where that stands, its colours, its landscape.

A pixel is the sum of a background colour, which depends on the column alone, and a grey: of the text, the bars, the
sky, the sun or the hills.
"""

from colorsys import hsv_to_rgb
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from math import sin
from typing import Literal, NamedTuple

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.fonts import CELL_WIDTH, wrap

INK, BAR, SUN, SKY = 150, 80, 140, 56  # greys added to the background; the sky's is that of its top row
FAR, NEAR = 36, 12  # greys of the two ranges of hills
SCENES = 8  # landscapes for a size
BARS = 32  # bits of the task's own band of bars
STEPS = 64  # colours from the left edge to the right

Format = Literal["png", "jpeg", "webp"]


@fast_dataclass
class Label:
    """The text on a picture. `size` is a text such as '1024x1024'; another `seed` gives other colours and bars."""

    provider: str
    model: str
    size: str
    task_id: str
    prompt: str
    index: int = 0
    seed: str = ""


class Layout(NamedTuple):
    """The strip's measures, in pixels. `lines` is empty on a picture too small for text."""

    scale: int
    margin: int
    pitch: int
    lines: tuple[bytes, ...]
    bars: int
    """Height of the band of bars, with as high a plain band below it."""

    @property
    def strip(self) -> int:
        """Rows taken by the strip; the first row of the landscape."""
        return self.margin + len(self.lines) * self.pitch + 2 * self.bars if self.lines else 1


def layout(label: Label, width: int, height: int) -> Layout:
    """The text's scale and lines for a size: about 60 narrow letters to a line on large pictures."""
    scale = max(1, min(width // 480, height // 240))
    margin = 8 * scale if width >= 128 and height >= 128 else 2
    pitch = (20 if height >= 128 else 18) * scale
    columns = (width - 2 * margin) // (CELL_WIDTH * scale)
    bars = 4 * scale if height >= 128 else 0
    # On a large picture the landscape gets at least two fifths of the height.
    room = (height * 3 // 5 if height >= 256 else height) - margin - 2 * bars
    lines = _lines(label, columns, room // pitch) if columns >= 6 else ()
    return Layout(scale, margin, pitch, lines, bars)


def _lines(label: Label, columns: int, rows: int) -> tuple[bytes, ...]:
    """The fields, the most important first, in as many lines as there is room for."""
    head, size = f"{label.provider} · {label.model}", f"{label.size} · #{label.index}"
    if rows == 1:
        return wrap(f"{head} · {size} · {label.task_id} · {label.prompt}", columns, 1)
    lines: tuple[bytes, ...] = ()
    for text, most in ((head, 2), (size, 1), (label.task_id, 2), (label.prompt, 4)):
        room = min(most, rows - len(lines))
        lines += wrap(text, columns, room) if room > 0 else ()
    return lines


def digest(label: Label) -> bytes:
    """The hash that a task's colours, bars and landscape are derived from."""
    name = f"{label.provider}\n{label.task_id}\n{label.index}" + (f"\n{label.seed}" if label.seed else "")
    return sha256(name.encode("utf-8", "surrogatepass")).digest()


def colours(seed: bytes) -> list[tuple[int, int, int]]:
    """The background's colours from left to right, dark enough that INK can be added to each channel."""
    hue, turn = int.from_bytes(seed[:2], "big") / 65536, (seed[2] - 128) / 512
    left, right = ([round(255 * c) for c in hsv_to_rgb(h % 1, 0.72, 0.37)] for h in (hue, hue + turn))
    ends, last = list(zip(left, right, strict=True)), STEPS - 1
    red, green, blue = ([old + (new - old) * step // last for step in range(STEPS)] for old, new in ends)
    return list(zip(red, green, blue, strict=True))


def bars(seed: bytes) -> list[int]:
    """The greys of the band of bars, from left to right."""
    return [BAR * (int.from_bytes(seed[4:8], "big") >> bit & 1) for bit in range(BARS)]


@lru_cache(maxsize=256)
def spread(items: int, width: int) -> tuple[int, ...]:
    """The widths in pixels of `items` equal parts of `width`, which add up to it exactly."""
    return tuple([end - start for start, end in pairwise(width * item // items for item in range(items + 1))])


def block(width: int, height: int) -> int:
    """The side of the landscape's large pixels."""
    return max(1, min(width, height) // 60)


def scene(columns: int, rows: int, variant: int) -> list[list[int]]:
    """The landscape's greys by rows of blocks: sky that lightens downwards, a sun, two ranges of hills."""
    far = [rows * (0.36 + 0.13 * sin(x * 7 / columns + 1.7 * variant)) for x in range(columns)]
    near = [rows * (0.24 + 0.11 * sin(x * 5 / columns + 2.9 * variant + 2)) for x in range(columns)]
    centre, middle, radius = columns * (2 + variant) // 11, rows // 3, min(rows, columns) * 0.13 + 0.5

    def column(x: int) -> list[int]:
        top = max(0, rows - int(max(near[x], far[x])))
        half = radius**2 - (x - centre) ** 2
        sky = [SUN if (y - middle) ** 2 <= half else SKY + 48 * y // rows for y in range(top)]
        return sky + [NEAR if rows - y <= near[x] else FAR for y in range(top, rows)]

    return [list(row) for row in zip(*map(column, range(columns)), strict=True)]
