"""Uploads: what is a picture, and files made to cost a decoder time or memory."""

import contextlib
import zlib
from collections.abc import Callable
from io import BytesIO
from struct import pack
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mockserver.engine.images import render
from mockserver.engine.picture_layout import Label
from mockserver.engine.uploads import MAX_PIXELS, NotAPicture, Picture, inspect

FORMATS = ["PNG", "JPEG", "WEBP", "GIF"]


def picture(mode: str = "RGB", size: tuple[int, int] = (90, 60)) -> Image.Image:
    image = Image.linear_gradient("L").resize(size).convert(mode)
    ImageDraw.Draw(image).ellipse((10, 10, 50, 50), outline=1)
    return image


def file(format: str, image: Image.Image | None = None, **options: object) -> bytes:
    out = BytesIO()
    (image or picture()).save(out, format, **options)
    return out.getvalue()


SAMPLES = {
    "png": file("PNG"),
    "png, palette": file("PNG", picture("P"), transparency=0),
    "png, alpha": file("PNG", picture("LA")),
    "png, 16 bits": file("PNG", picture("I;16")),
    "jpeg": file("JPEG"),
    "jpeg, progressive, comment, exif": file("JPEG", progressive=True, comment=b"x", exif=Image.Exif()),
    "jpeg, grey": file("JPEG", picture("L")),
    "jpeg, cmyk": file("JPEG", picture("CMYK")),
    "webp": file("WEBP"),
    "webp, lossless": file("WEBP", lossless=True),
    "webp, alpha, exif": file("WEBP", picture("RGBA"), exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0"),
    "webp, animated": file("WEBP", save_all=True, append_images=[picture().rotate(90)]),
    "gif": file("GIF"),
    "gif, comment": file("GIF", comment=b"x" * 600),
    "gif, animated": file("GIF", save_all=True, append_images=[picture().rotate(90)]),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_pictures_are_told_by_their_bytes(name: str) -> None:
    data = SAMPLES[name]
    assert inspect(data) == Picture(name.split(",")[0], 90, 60, len(data))


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_our_own_pictures_are_pictures(format: str) -> None:
    data = render(Label("a", "b", "c", "d", "등대"), 320, 200, format)  # type: ignore[arg-type]  # a parameter
    assert inspect(data) == Picture(format, 320, 200, len(data))


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=25, deadline=None)
@given(part=st.floats(0, 1, exclude_max=True))
def test_truncated_files_are_refused(name: str, part: float) -> None:
    data = SAMPLES[name]
    for kept in (int(part * len(data)), len(data) - 1, len(data) - 2):
        with pytest.raises(NotAPicture):
            inspect(data[:kept])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\0\0\0\0WEBP",
        b"<svg/>",
        b"BM" + bytes(99),
        b"%PDF-1.7",
    ],
    ids=repr,
)
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(NotAPicture) as caught:
        inspect(data)
    assert len(str(caught.value)) < 80


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40, deadline=None)
@given(at=st.integers(0, 10_000), noise=st.binary(min_size=1, max_size=6))
def test_damage_gives_a_picture_or_a_refusal(name: str, at: int, noise: bytes) -> None:
    data = bytearray(SAMPLES[name])
    at %= len(data)
    data[at : at + len(noise)] = noise
    with contextlib.suppress(NotAPicture):
        assert inspect(bytes(data)).bytes == len(data)


def chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))


def png(*ancillary: bytes, width: int = 90, height: int = 60) -> bytes:
    header = chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(91 * 60)))
    return b"".join([b"\x89PNG\r\n\x1a\n", header, *ancillary, rows, chunk(b"IEND", b"")])


SCAN = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
SEGMENT = b"\xff\xe1\xff\xff" + bytes(65533)
ZEROS = zlib.compress(bytes(50_000_000), 9)
JPEG, GIF = SAMPLES["jpeg"], SAMPLES["gif"]
LARGE = JPEG.replace(pack(">HH", 60, 90), pack(">HH", 7000, 7000), 1)
FRAME = GIF.index(pack("<BHHHH", 0x2C, 0, 0, 90, 60))


def webp_canvas() -> bytes:
    data = bytearray(SAMPLES["webp, animated"])
    data[24:30] = b"\xff\x3f\x00\xff\x3f\x00"
    return bytes(data)


REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "png of 4 * 10^18 pixels": ("pixels", lambda: png(width=2**31 - 1, height=2**31 - 1)),
    "png without pixels": ("no pixels", lambda: png(width=0)),
    "png of a size that its rows have not": ("truncated", lambda: png(width=7000, height=7000)),
    "png with 10^6 chunks": ("parts", lambda: png(chunk(b"abCd", b"") * 1_000_000)),
    "jpeg of 65,280 rows": ("pixels", lambda: JPEG.replace(pack(">HH", 60, 90), b"\xff\x00" * 2, 1)),
    "jpeg with 10^6 comments": ("parts", lambda: JPEG[:2] + b"\xff\xfe\0\x02" * 1_000_000 + JPEG[2:]),
    "jpeg with 10^6 fill bytes": ("parts", lambda: JPEG[:2] + b"\xff" * 1_000_000 + JPEG[2:]),
    "jpeg with 5,000 scans": ("scans", lambda: JPEG[:-2] + SCAN * 5000 + JPEG[-2:]),
    "large jpeg with 90 scans": ("scans", lambda: LARGE[:-2] + SCAN * 90 + LARGE[-2:]),
    "gif of 65,535 rows": ("pixels", lambda: GIF[:6] + b"\xff" * 4 + GIF[10:]),
    "gif whose frame has 65,535 rows": (
        "pixels",
        lambda: GIF.replace(pack("<HHHH", 0, 0, 90, 60), b"\0\0\0\0\xff\xff\xff\xff"),
    ),
    "gif with 10^6 comments": ("parts", lambda: GIF[:FRAME] + b"\x21\xfe\x01x\0" * 1_000_000 + GIF[FRAME:]),
    "gif with a comment of 10^6 blocks": (
        "parts",
        lambda: GIF[:FRAME] + b"\x21\xfe" + b"\x01x" * 1_000_000 + b"\0" + GIF[FRAME:],
    ),
    "webp of 16,384 rows": ("pixels", webp_canvas),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bombs_are_refused_at_once(name: str) -> None:
    why, make = REFUSED[name]
    data = make()
    start = process_time()
    with pytest.raises(NotAPicture, match=why):
        inspect(data)
    assert process_time() - start < 1


def frames(count: int) -> bytes:
    one = file("GIF", Image.new("P", (4, 4)))
    start = one.index(b"\x2c")
    return one[:start] + one[start:-1] * count + b";"


PASSED: dict[str, Callable[[], bytes]] = {
    "png with profiles that unpack to gigabytes": lambda: png(chunk(b"iCCP", b"x\0\0" + ZEROS) * 200),
    "png with texts that unpack to gigabytes": lambda: png(chunk(b"zTXt", b"x\0\0" + ZEROS) * 200),
    "gif with 100,000 frames": lambda: frames(100_000),
    "gif with a huge comment": lambda: (
        GIF[:FRAME] + b"\x21\xfe" + (b"\xff" + b"x" * 255) * 15_000 + b"\0" + GIF[FRAME:]
    ),
    "jpeg with 300 segments of 64 kB": lambda: JPEG[:2] + SEGMENT * 300 + JPEG[2:],
}


@pytest.mark.parametrize("name", PASSED)
def test_what_says_nothing_about_pixels_costs_nothing(name: str) -> None:
    data = PASSED[name]()
    start = process_time()
    assert inspect(data).bytes == len(data)
    assert process_time() - start < 1


def test_a_large_photograph_passes() -> None:
    assert MAX_PIXELS >= 8064 * 6048
    data = file("JPEG", Image.new("RGB", (8064, 6048)))
    assert inspect(data) == Picture("jpeg", 8064, 6048, len(data))
