"""Checks of pictures that clients upload, against files made to cost time or memory as well as broken ones.

Sizes and structure are read here, before any decoder sees the file, and decoders get it without the parts
that say nothing about pixels: comments, profiles and the like are where a small file can cost minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from struct import error as StructError
from struct import unpack_from
from typing import NamedTuple

MAX_PIXELS = 50_000_000  # a 48 megapixel camera's picture passes; a check takes up to 200 MB
MAX_PARTS = 20_000  # chunks, segments or blocks that a file may have before its pixels
MAX_SCANS = 100  # of a progressive JPEG; each may cost as much as a whole picture, hence also:
MAX_SCANNED = 16 * MAX_PIXELS  # pixels times scans


@dataclass(frozen=True, slots=True)
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
    body: bytes
    """The file without what says nothing about pixels."""


def inspect(data: bytes) -> Picture:
    """The picture that the bytes hold, its type by the bytes alone. The first frame is decoded in full.

    Raises NotAPicture for other data, truncated or damaged files and those of more than `MAX_PIXELS` pixels.
    """
    kind = _sniff(data)
    try:
        header = _HEADERS[kind](data)
    except (StructError, IndexError):
        raise NotAPicture(f"the {kind} file is truncated or damaged") from None
    if not header.width or not header.height:
        raise NotAPicture(f"the {kind} file has no pixels")
    if header.width * header.height > MAX_PIXELS:
        raise NotAPicture(f"the picture has more than {MAX_PIXELS} pixels")
    _decode(kind, header)
    return Picture(kind, header.width, header.height, len(data))


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
    # Pillow's start costs 40 ms that a server which is sent no pictures need not pay.
    from PIL import Image

    try:
        with Image.open(BytesIO(header.body), formats=[kind.upper()]) as picture:
            if kind == "jpeg":
                # Reads all the data, but keeps an eighth of each side of the pixels.
                picture.draft("L", (max(1, header.width // 8), max(1, header.height // 8)))
            elif picture.size != (header.width, header.height):
                raise ValueError("two sizes")
            picture.load()
    except Exception:  # noqa: BLE001 - on damaged data, Pillow's decoders raise errors of a dozen kinds
        raise NotAPicture(f"the {kind} file is truncated or damaged") from None


def _too_many() -> NotAPicture:
    return NotAPicture(f"the file has more than {MAX_PARTS} parts")


def _png(data: bytes) -> _Header:
    width, height = unpack_from(">II", data, 16)
    kept, at = [data[:8]], 8
    for _ in range(MAX_PARTS):
        length, kind = unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise IndexError
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            kept.append(data[at:end])
        if kind == b"IEND":
            return _Header(width, height, b"".join(kept))
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
            return _Header(*size, b"".join([*kept, data[at:]]))
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
            return _Header(max(width, left + across), max(height, top + down), data[:start] + data[at:])
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
    (kind,) = unpack_from("<4s", data, 12)
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        (bits,) = unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in unpack_from("<HH", data, 26))
    return _Header(width, height, data)


_HEADERS: dict[str, Callable[[bytes], _Header]] = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp}
