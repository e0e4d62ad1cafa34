"""Reference pictures: recognised by their bytes, recorded, bombs refused (issue 2, "Pictures"; IC-REF-2)."""

import struct
import zlib
from base64 import b64encode
from io import BytesIO

import pytest
from PIL import Image

from support.calls import Caller, fixture
from support.errors import assert_refused

from .test_parsing import INVALID


@pytest.fixture(params=["xhuoapi", "icodeeasy"])
def editor(request: pytest.FixtureRequest) -> Caller:
    """Each provider that takes pictures' bytes."""
    found: Caller = request.getfixturevalue(request.param)
    return found


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """A small PNG whose header declares a huge picture."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 1000)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def encoded(size: tuple[int, int], kind: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


@pytest.mark.claim("IC-REF-2", "XH-EDIT-1", "CLIENT-FORM-1")
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
@pytest.mark.parametrize("size", [(1, 1), (300, 7)])
def test_a_pictures_type_and_size_are_on_record(editor: Caller, size: tuple[int, int], kind: str) -> None:
    data = encoded(size, kind)
    answer = editor.form([("image", ("blob", data, "application/octet-stream"))])
    assert answer.status_code == 200, answer.text
    assert editor.requests()[0]["pictures"] == [
        {"source": "upload", "type": kind, "width": size[0], "height": size[1], "bytes": len(data)}
    ]


@pytest.mark.claim("IC-REF-2", "XH-EDIT-1")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        fixture("truncated.png"),
        fixture("reference.jpg")[:100],
        fixture("reference.webp")[:40],
        bomb(50_000),
        bomb(9_000),
        encoded((2, 2), "bmp"),
    ],
    ids=range(10),
)
def test_bytes_that_are_no_picture_are_refused(editor: Caller, data: bytes) -> None:
    answer = editor.form([("image", ("a.png", data, "image/png"))])
    assert_refused(editor.provider, answer, 400, INVALID[editor.provider])
    assert editor.untouched()


@pytest.mark.claim("IC-REF-1", "IC-REF-2")
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("said", ["png", "jpeg", "svg+xml", "x-unknown"])
def test_the_type_that_a_data_url_says_does_not_matter(icodeeasy: Caller, said: str, kind: str) -> None:
    data = encoded((5, 4), kind)
    answer = icodeeasy.edit(image_urls=[f"data:image/{said};base64,{b64encode(data).decode()}"])
    assert answer.status_code == 200, answer.text
    assert icodeeasy.requests()[0]["pictures"] == [
        {"source": "data", "type": kind, "width": 5, "height": 4, "bytes": len(data)}
    ]


@pytest.mark.claim("IC-REF-1", "XH-EDIT-1")
@pytest.mark.parametrize("junk", ["!", "%", " ", "=", "한"])
def test_base64_with_another_character_inside_is_refused(editor: Caller, junk: str) -> None:
    text = b64encode(fixture("reference.png")).decode()
    url = f"data:image/png;base64,{text[:8]}{junk}{text[8:]}"
    answer = editor.edit(image=url, image_urls=[url])
    assert_refused(editor.provider, answer, 400, INVALID[editor.provider])
    assert editor.untouched()
