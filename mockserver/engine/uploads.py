"""What an uploaded picture is, by its bytes."""

import io
import warnings
from dataclasses import dataclass

MOST_PIXELS = 64_000_000
FORMATS = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp", "GIF": "gif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file: its type, its size in pixels, and its length in bytes."""

    type: str
    width: int
    height: int
    bytes: int


class NotAPicture(ValueError):
    """Bytes that are no picture; the text says why."""


def inspect(data: bytes) -> Picture:
    """The picture that `data` is, decoded to be sure. Raises NotAPicture."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=tuple(FORMATS))
            if image.width * image.height > MOST_PIXELS:
                raise NotAPicture("it has too many pixels")
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NotAPicture("its bytes are no complete PNG, JPEG, WebP or GIF") from error
    return Picture(FORMATS[str(image.format)], image.width, image.height, len(data))
