"""Checks pictures that clients upload, against damaged files and files made to cost time or memory.

Size and structure are read first. Pixels are decoded as far as the budget of the call allows; what lies beyond it is
taken on its structure alone. Decoders get a file without the parts that say nothing about pixels: comments, profiles
and the like are where a small file can cost minutes. PNGs, which a few kilobytes can make huge, are only inflated,
piece by piece, so that they take no memory and the event loop's thread is not blocked.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from struct import error as StructError
from struct import unpack_from
from typing import NamedTuple

from mockserver.engine.clock import monotonic
from mockserver.engine.fast_dataclass import fast_dataclass

MAX_PIXELS = 50_000_000
"""Pixels of a picture; one of a 48 megapixel camera passes."""

MAX_PARTS = 20_000
"""Chunks, segments or blocks that a file may have before its pixels."""

MAX_SCANS = 100
"""Scans of a progressive JPEG; each may cost as much as a whole picture, hence also:"""

MAX_SCANNED = 16 * MAX_PIXELS
"""Pixels times scans of a progressive JPEG."""

LARGEST_DECODED = 2_000_000
"""Pixels (times scans) of a JPEG, WebP or GIF that is decoded: its decoder lets no other code run meanwhile."""

INFLATED_AT_ONCE = 256 * 1024
"""Bytes."""


@dataclass(slots=True)
class DecodingBudget:
    """What decoding the pictures of one call may still cost, in pixels, and until when (`monotonic` seconds)."""

    pixels: int
    end: float

    @classmethod
    def of_a_call(cls) -> "DecodingBudget":
        """16 megapixels and a quarter of a second."""
        return cls(16_000_000, monotonic() + 0.25)

    def take(self, pixels: int) -> int:
        """How many of these pixels may be decoded; they are used up."""
        taken = min(pixels, self.pixels) if monotonic() < self.end else 0
        self.pixels -= taken
        return taken


@fast_dataclass
class Picture:
    """What an uploaded picture is: its type ('png', 'jpeg', 'webp' or 'gif'), pixels and size in bytes."""

    type: str
    width: int
    height: int
    bytes: int


class NotAPicture(ValueError):
    """The bytes are no picture that a client may upload. The message is short and safe to show."""


class _Header(NamedTuple):
    width: int
    height: int
    body: Callable[[], bytes]
    """Makes the file without what says nothing about pixels; for a PNG, its compressed pixels."""
    cost: int
    """Pixels to decode."""
    bits: int = 0
    """Of a PNG's pixel."""


def inspect(data: bytes, budget: DecodingBudget | None = None) -> Picture:
    """The picture that the bytes hold, its type by the bytes alone; its first frame is decoded within the budget.

    Raises:
        NotAPicture: for other data, truncated files, damaged ones as far as they are decoded, and those of more than
            `MAX_PIXELS` pixels.
    """
    budget = budget or DecodingBudget.of_a_call()
    kind = _sniff(data)
    try:
        header = _HEADERS[kind](data)
    except (StructError, IndexError):
        raise _damaged(kind) from None
    if not header.width or not header.height:
        raise NotAPicture(f"the {kind} file has no pixels")
    if header.width * header.height > MAX_PIXELS:
        raise NotAPicture(f"the picture has more than {MAX_PIXELS} pixels")
    if kind == "png":
        _inflate(header, budget)
    elif header.cost <= min(LARGEST_DECODED, budget.pixels) and budget.take(header.cost):
        _decode(kind, header)
    return Picture(kind, header.width, header.height, len(data))


def _damaged(kind: str) -> NotAPicture:
    return NotAPicture(f"the {kind} file is truncated or damaged")


def _sniff(data: bytes) -> str:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    raise NotAPicture("the file is not a PNG, JPEG, WebP or GIF picture")


def _decode(kind: str, header: _Header) -> None:
    """Decode a picture's first frame with Pillow. Raises NotAPicture."""
    # Pillow's start costs 40 ms that a server which is sent no pictures need not pay.
    from PIL import Image

    try:
        with Image.open(BytesIO(header.body()), formats=[kind.upper()]) as picture:
            if kind == "jpeg":
                # Reads all the data, but keeps an eighth of each side of the pixels.
                picture.draft("L", (max(1, header.width // 8), max(1, header.height // 8)))
            elif picture.size != (header.width, header.height):
                raise ValueError("two sizes")
            picture.load()
    except Exception:  # noqa: BLE001 - on damaged data, Pillow's decoders raise errors of a dozen kinds
        raise _damaged(kind) from None


def _inflate(header: _Header, budget: DecodingBudget) -> None:
    """Inflate a PNG's pixels and drop them, as many as the budget allows. Raises NotAPicture if there are too few."""
    stream, rest, rows = zlib.decompressobj(), header.body(), 0
    row = 1 + (header.width * header.bits + 7) // 8
    needed = row * header.height
    while rows < needed:
        if budget.take(max(1, INFLATED_AT_ONCE * 8 // header.bits)) == 0:
            return
        try:
            piece = stream.decompress(rest, INFLATED_AT_ONCE)
        except zlib.error:
            raise _damaged("png") from None
        rows, rest = rows + len(piece), stream.unconsumed_tail
        if not piece:
            raise _damaged("png")


def _joined(parts: list[bytes], at: int) -> bytes:
    """The parts one after the other, the last one from an offset on."""
    return b"".join([*parts[:-1], parts[-1][at:]])


def _too_many() -> NotAPicture:
    return NotAPicture(f"the file has more than {MAX_PARTS} parts")


_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def _png(data: bytes) -> _Header:
    length, name, width, height, depth, colour = unpack_from(">I4sIIBB", data, 8)
    if (length, name) != (13, b"IHDR") or depth not in _PNG_DEPTHS.get(colour, ()):
        raise IndexError
    view, pixels, at, palette = memoryview(data), [], 8, False
    for _ in range(MAX_PARTS):
        length, name = unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise IndexError
        if name in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
            (checksum,) = unpack_from(">I", data, end - 4)
            if zlib.crc32(view[at + 4 : end - 4]) != checksum:
                raise IndexError
        palette = palette or name == b"PLTE"
        if name == b"IDAT":
            pixels.append(view[at + 8 : end - 4])
        if name == b"IEND":
            if not pixels or (colour == 3 and not palette):
                raise IndexError
            return _Header(width, height, lambda: b"".join(pixels), width * height, depth * _PNG_CHANNELS[colour])
        at = end
    raise _too_many()


def _jpeg(data: bytes) -> _Header:
    scans = data.count(b"\xff\xda")
    if scans > MAX_SCANS:
        raise NotAPicture(f"the file has more than {MAX_SCANS} scans")
    kept, at, size = [data[:2]], 2, (0, 0)
    for _ in range(MAX_PARTS):
        marker, length = unpack_from(">HH", data, at)
        if marker == 0xFFFF:  # a fill byte
            at += 1
            continue
        end = at + 2 + length
        if marker >> 8 != 0xFF or length < 2 or end > len(data):
            raise IndexError
        if marker == 0xFFDA:
            if data.rfind(b"\xff\xd9") < end:
                raise IndexError
            return _Header(*size, partial(_joined, [*kept, data], at), size[0] * size[1] * max(1, scans))
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = unpack_from(">HH", data, at + 5)
            size = (width, height)
            if MAX_SCANNED < scans * width * height < scans * MAX_PIXELS:
                raise NotAPicture("the picture has too many scans for its size")
        # Of the application segments, the decoder needs Adobe's (the colour transform) and none else.
        if marker == 0xFFEE or not (0xFFE0 <= marker <= 0xFFEF or marker == 0xFFFE):
            kept.append(data[at:end])
        at = end
    raise _too_many()


def _gif(data: bytes) -> _Header:
    width, height, flags = unpack_from("<HHB", data, 6)
    at = start = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    for _ in range(MAX_PARTS):
        if data[at] == 0x2C:
            left, top, across, down = unpack_from("<HHHH", data, at + 1)
            if not data.rstrip(b"\0\r\n").endswith(b";"):
                raise IndexError
            width, height = max(width, left + across), max(height, top + down)
            return _Header(width, height, partial(_joined, [data[:start], data], at), width * height)
        if data[at] != 0x21:
            raise IndexError
        at = _after_blocks(data, at + 2)
    raise _too_many()


def _after_blocks(data: bytes, at: int) -> int:
    """The offset after a GIF extension's blocks, the first of which is at `at`."""
    for _ in range(MAX_PARTS):
        length = data[at]
        at += 1 + length
        if not length:
            return at
    raise _too_many()


def _webp(data: bytes) -> _Header:
    length, _, kind = unpack_from("<I4s4s", data, 4)
    if 8 + length > len(data):
        raise IndexError
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        (bits,) = unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in unpack_from("<HH", data, 26))
    return _Header(width, height, lambda: data, width * height)


_HEADERS: dict[str, Callable[[bytes], _Header]] = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp}
