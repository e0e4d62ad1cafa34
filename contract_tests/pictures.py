"""Format, size and hash of a picture, from its bytes or from the note that a recording keeps of it."""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

from PIL import Image, UnidentifiedImageError

_NOTE = re.compile(r"picture:(\w+);(\d+)x(\d+);bytes=(\d+);sha256=([0-9a-f]{64})")
MIN_BASE64 = 60
"""Shorter text is not decoded as base64: no picture is that small."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's facts; `format` in Pillow's names (PNG, JPEG, WEBP)."""

    format: str
    width: int
    height: int
    bytes: int
    sha256: str

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def ratio(self) -> float:
        return self.width / self.height

    @property
    def note(self) -> str:
        """The text that a recording keeps in place of the picture."""
        return f"picture:{self.format};{self.size};bytes={self.bytes};sha256={self.sha256}"


def picture_of(data: bytes) -> Picture | None:
    """The facts of a picture that decodes whole, or of a recording's note; None for anything else."""
    noted = _NOTE.fullmatch(data.decode("latin-1")) if len(data) < 200 else None
    if noted:
        kind, width, height, length, digest = noted.groups()
        return Picture(kind, int(width), int(height), int(length), digest)
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
            return Picture(str(image.format), *image.size, len(data), sha256(data).hexdigest())
    except (UnidentifiedImageError, OSError, ValueError):
        return None


def picture_in_base64(text: str) -> Picture | None:
    """The same for base64 text without a `data:` prefix."""
    if _NOTE.fullmatch(text):
        return picture_of(text.encode())
    try:
        return picture_of(b64decode(text, validate=True)) if len(text) >= MIN_BASE64 else None
    except (binascii.Error, ValueError):
        return None
