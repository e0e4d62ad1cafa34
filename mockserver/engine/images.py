"""Renders pictures: a landscape of large pixels in a task's own colours, below a strip of text that describes the task.

The background's colours depend on the column alone, and the greys added to it do not depend on the task's colours. So,
encoded as the difference from the row above, all rows but the first are the same for all colours, and the encoded
landscape is cached and shared by all tasks.
"""

import json
from collections import Counter
from dataclasses import fields
from functools import lru_cache
from io import BytesIO
from itertools import accumulate, pairwise
from operator import mul
from typing import NamedTuple

from mockserver.engine.fonts import CELL_HEIGHT, CELL_WIDTH
from mockserver.engine.picture_layout import (
    BAR,
    BARS,
    INK,
    SCENES,
    SKY,
    STEPS,
    Format,
    Label,
    Layout,
    bars,
    block,
    colours,
    digest,
    layout,
    scene,
    spread,
)
from mockserver.engine.png import (
    EMPTY,
    UP,
    Adler,
    Piece,
    Rows,
    RunEncoder,
    assemble,
    deflated,
    encode_row,
    join_rows,
    row_difference,
    run_sum,
    scalar,
)


# A piece for 3840x2160 is 30 kB at most, so these are 4 MB at most.
@lru_cache(maxsize=128)
def _landscape(width: int, height: int, above: int, side: int, variant: int) -> Piece:
    """The rows below the strip, `height` of them; `above` is the grey of the row before."""
    widths = [min(side, width - x) for x in range(0, width, side)]
    heights = [min(side, height - y) for y in range(0, height, side)]
    greys = scene(len(widths), len(heights), variant)
    changes = [row_difference(old, new, widths) for old, new in pairwise([[above] * len(widths), *greys])]
    frequencies = Counter(run for runs in changes for run in runs)
    frequencies.update({(UP, 1): height, (0, 3 * width): height})
    code = RunEncoder(frequencies, exact=True)
    blank, parts = encode_row(code, [(0, 3 * width)]), []
    for runs, rows in zip(changes, heights, strict=True):
        parts += [encode_row(code, runs), blank.times(rows - 1)]
    return join_rows(code, parts)


# How often cells of English, Korean and Chinese text have a run of one grey over 1 to 8 columns.
_PLAIN = (40, 30, 20, 16, 10, 8, 5, 100)
_INKED = (32, 9, 4, 6, 3, 2, 1, 1)


@lru_cache(maxsize=64)
def _code(scale: int, width: int) -> RunEncoder:
    """The Huffman code for the strip of a size, made for lines that are half full."""
    cells = max(1, width // (2 * CELL_WIDTH * scale))
    frequencies = Counter({(UP, 1): 200 * scale, (0, 3 * width): 200 * scale, (BAR, 3 * width // BARS): 1})
    frequencies[256 - BAR, 3 * width // BARS] = 1
    for byte, typical in ((0, _PLAIN), (INK, _INKED), (256 - INK, _INKED)):
        for columns, often in enumerate(typical, start=1):
            frequencies[byte, 3 * scale * columns] += often * cells
    return RunEncoder(frequencies)


@lru_cache(maxsize=8192)
def _change(above: int, below: int, scale: int, width: int) -> tuple[str, Adler]:
    """The encoded difference between one row of a cell and the next, 8 columns wide."""
    old, new = ([INK * (row >> bit & 1) for bit in range(CELL_WIDTH - 1, -1, -1)] for row in (above, below))
    code, total, bits = _code(scale, width), EMPTY, ""
    for byte, count in row_difference(old, new, [scale] * CELL_WIDTH):
        bits += code.bits(byte, count)
        total = total.then(run_sum(byte, count))
    return bits, total


class _Cell(NamedTuple):
    """A cell as 17 rows of differences, the last of which clears it, and its share of the Adler-32 sum."""

    rows: tuple[str, ...]
    a: int
    b: int
    moment: int
    """The sum of each row's `a` times the row's number."""


@lru_cache(maxsize=2048)
def _cell(pixels: bytes, scale: int, width: int) -> _Cell:
    rows = [_change(above, below, scale, width) for above, below in pairwise(b"\0" + pixels + b"\0")]
    moment = sum(number * total.a for number, (_, total) in enumerate(rows))
    bits = tuple(bits for bits, _ in rows)
    return _Cell(bits, sum(total.a for _, total in rows), sum(total.b for _, total in rows), moment)


@lru_cache(maxsize=64)
def _blank(scale: int, width: int) -> Rows:
    """A row equal to the one above it."""
    return encode_row(_code(scale, width), [(0, 3 * width)])


# A line is 100 kB at most, so these are 3 MB at most. Tasks of the same prompt share its lines.
@lru_cache(maxsize=32)
def _kept_line(line: bytes, scale: int, margin: int, pitch: int, width: int) -> Rows:
    return _line(line, scale, margin, pitch, width)


def _line(line: bytes, scale: int, margin: int, pitch: int, width: int) -> Rows:
    """The `pitch` rows of a line of text."""
    code = _code(scale, width)
    blank = _blank(scale, width)
    cells = [_cell(line[at : at + CELL_HEIGHT], scale, width) for at in range(0, len(line), CELL_HEIGHT)]
    tail = 3 * (width - margin - len(cells) * CELL_WIDTH * scale)
    lead, end = code.bits(UP, 1) + code.bits(0, 3 * margin), code.bits(0, tail)
    rows = [lead + "".join(row) + end for row in zip(*(cell.rows for cell in cells), strict=True)]
    bits = (blank.bits * (scale - 1)).join(rows) + blank.bits * (pitch - CELL_HEIGHT * scale - 1)
    return Rows(bits, blank.sum.times(pitch).plus(_ink(cells, scale, pitch, width, tail)))


def _ink(cells: list[_Cell], scale: int, pitch: int, width: int, tail: int) -> tuple[int, int]:
    """What a line's ink adds to the checksums of its rows, with `tail` bytes to the right of it."""
    # A byte counts in `b` once for itself and once for each byte that follows it in the line's rows.
    row_bytes, total = 1 + 3 * width, sum(cell.a for cell in cells)
    to_the_right = 3 * CELL_WIDTH * scale * (sum(accumulate(cell.a for cell in cells)) - total)
    below = total * (tail + (pitch - 1) * row_bytes) - scale * row_bytes * sum(cell.moment for cell in cells)
    return total, sum(cell.b for cell in cells) + to_the_right + below


# The first lines are the same for all tasks of a model and a size. 15 kB at most each.
@lru_cache(maxsize=128)
def _head(plan: Layout, width: int) -> Piece:
    """The rows from the second one of the picture to the end of the layout's lines."""
    code, blank = _code(plan.scale, width), _blank(plan.scale, width)
    lines = [_line(line, plan.scale, plan.margin, plan.pitch, width) for line in plan.lines]
    return join_rows(code, [blank.times(plan.margin - 1), *lines])


def _strip(plan: Layout, width: int, seed: bytes) -> list[Piece]:
    """The rows from the second one of the picture to the landscape: the margin, the lines, the bars."""
    code, blank, place = (
        _code(plan.scale, width),
        _blank(plan.scale, width),
        (plan.scale, plan.margin, plan.pitch, width),
    )
    parts = [_line(line, *place) for line in plan.lines[2:3]]  # the task's id, as a rule
    parts += [_kept_line(line, *place) for line in plan.lines[3:]]
    if plan.bars:
        none, greys, widths = [0] * BARS, bars(seed), spread(BARS, width)
        rest = blank.times(plan.bars - 1)
        runs = row_difference(none, greys, widths)
        parts += [encode_row(code, runs), rest, encode_row(code, [(-byte % 256, count) for byte, count in runs]), rest]
    return [_head(plan._replace(lines=plan.lines[:2]), width), *([join_rows(code, parts)] if parts else [])]


def _first_row(width: int, grey: int, seed: bytes) -> Piece:
    """The only row that is encoded in full: the background's colours, with a grey added."""
    lifted = [bytes((red + grey, green + grey, blue + grey)) for red, green, blue in colours(seed)]
    return deflated(b"\0" + b"".join(list(map(mul, lifted, spread(STEPS, width)))))


_FACTS = tuple(field.name for field in fields(Label) if field.name != "seed")


def facts(label: Label) -> dict[str, str]:
    """The text chunks' keys and values."""
    values = {name: str(getattr(label, name)) for name in _FACTS}
    return {**values, "seed": label.seed} if label.seed else values


def render(label: Label, width: int, height: int, format: Format = "png") -> bytes:
    """A picture file of exactly `width` x `height` pixels (16 or more each), 8-bit RGB.

    The same call gives the same bytes. A PNG has the label's facts as text chunks, keyed by field; a JPEG as
    a comment and a WebP as its EXIF description, in JSON, the prompt cut to 8,000 characters. What the font
    lacks is drawn as a box; lone surrogates are U+FFFD in the facts.
    """
    seed, plan = digest(label), layout(label, width, height)
    grey = 0 if plan.lines else SKY
    pieces = [_first_row(width, grey, seed)]
    if plan.lines:
        pieces += _strip(plan, width, seed)
    left = height - plan.strip
    if left:
        pieces.append(_landscape(width, left, grey, block(width, height), seed[3] % SCENES))
    data = assemble(width, height, pieces, facts(label))
    return data if format == "png" else _converted(data, label, format)


def _converted(data: bytes, label: Label, format: Format) -> bytes:
    # Pillow's start costs 40 ms that a server of PNG alone need not pay.
    from PIL import Image

    # A JPEG comment holds 65,533 bytes, of which a control character takes six; EXIF text is ASCII.
    short = {key: scalar(value)[: 8000 if key == "prompt" else 500] for key, value in facts(label).items()}
    description = json.dumps(short, ensure_ascii=format == "webp")
    with Image.open(BytesIO(data)) as picture, BytesIO() as out:
        exif = Image.Exif()
        exif[0x010E] = description  # ImageDescription
        options = {"comment": description.encode()} if format == "jpeg" else {"exif": exif}
        picture.info.clear()
        picture.save(out, format, quality=90, **options)
        return out.getvalue()
