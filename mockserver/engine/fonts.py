"""One-bit glyphs of GNU Unifont, 16 pixels high, one or two cells wide (fontdata/unifont-OFL.txt)."""

import unicodedata
import zlib
from functools import lru_cache
from pathlib import Path
from struct import iter_unpack, unpack_from

CELL_WIDTH, CELL_HEIGHT = 8, 16
Glyph = bytes  # 16 for each cell, left cell first; a byte is a row of 8 pixels, the highest bit leftmost

BOX: Glyph = bytes([0, 0, 0, 0x7E, *[0x42] * 9, 0x7E, 0, 0])
"""Drawn for what the font does not have: unassigned code points, controls, lone surrogates."""

_DATA = Path(__file__).with_name("fontdata") / "unifont.bin"


@lru_cache(maxsize=1)
def _pages() -> dict[int, memoryview]:
    """Page number → its compressed bytes."""
    data = memoryview(_DATA.read_bytes())
    (count,) = unpack_from(">H", data)
    pages, start = {}, 2 + 4 * count
    for page, length in iter_unpack(">HH", data[2:start]):
        pages[page] = data[start : start + length]
        start += length
    return pages


@lru_cache(maxsize=64)
def _page(number: int) -> bytes:
    """The widths and glyphs of 256 code points; none of them has a glyph if the font has no such page."""
    packed = _pages().get(number)
    return zlib.decompress(packed) if packed else bytes(256)


def _drawn(code: int) -> Glyph:
    """The font's glyph of a code point; empty if it has none."""
    page, low = _page(code >> 8), code & 0xFF
    start = 256 + 16 * sum(page[:low])
    return page[start : start + 16 * page[low]]


@lru_cache(maxsize=4096)
def glyph(character: str) -> Glyph:
    """The glyph of one character; empty for what has none of its own: marks, joiners, variation selectors."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return b""
    return _drawn(ord(character)) or BOX


def wrap(text: str, columns: int, lines: int) -> tuple[bytes, ...]:
    """The text as at most `lines` lines of at most `columns` cells (16 bytes each), broken at spaces.

    Longer text is cut, and the last line then ends in an ellipsis. White space counts as one space.
    """
    # Each glyph is at least a cell wide: text far beyond the last cell need not be read.
    return _wrap(text[: 4 * columns * lines + 64], columns, lines)


@lru_cache(maxsize=512)
def _wrap(text: str, columns: int, lines: int) -> tuple[bytes, ...]:
    rows = [b""]
    for word in unicodedata.normalize("NFC", text).split():
        # A word of a script written from right to left is reversed; the order of words is kept.
        leftwards = unicodedata.bidirectional(word[0]) in ("R", "AL")
        _place([glyph(character) for character in (word[::-1] if leftwards else word)], rows, columns)
        if len(rows) > lines:
            rows = [*rows[: lines - 1], _cut(rows[lines - 1], columns)]
            break
    return tuple(row for row in rows if row)


def _place(word: list[Glyph], rows: list[bytes], columns: int) -> None:
    """Adds the word to the last row if it fits, else begins a row; a word longer than a row fills rows."""
    full, drawn = 16 * columns, b"".join(word)
    gap = glyph(" ") if rows[-1] else b""
    if len(rows[-1]) + len(gap) + len(drawn) <= full:
        rows[-1] += gap + drawn
        return
    # Scripts without spaces are one long word: it goes on in the same line, if a fair part of that is left.
    if len(drawn) > full and len(rows[-1]) * 4 < full * 3:
        rows[-1] += gap
    else:
        rows.append(b"")
    for each in word:
        if len(rows[-1]) + len(each) > full:
            rows.append(b"")
        rows[-1] += each


def _cut(row: bytes, columns: int) -> bytes:
    """The row, cut where needed, with an ellipsis; a wide glyph may lose its right half."""
    dots = glyph("…")
    return row[: 16 * columns - len(dots)] + dots
