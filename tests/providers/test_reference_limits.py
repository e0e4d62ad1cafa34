"""What the references of one call may cost: time, memory, and other calls' waiting (IC-REF-2)."""

import struct
import zlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from pathlib import Path
from time import monotonic, process_time

import pytest
from PIL import Image

from mockserver.engine import uploads
from mockserver.engine.uploads import DecodingBudget, NotAPicture, inspect
from support import web
from support.calls import Caller
from support.errors import assert_refused

from .test_references import chunk


@cache
def png(side: int) -> bytes:
    """A PNG of zeros: 7000 pixels square are 140 kB."""
    row, packer = b"\0" + bytes(3 * side), zlib.compressobj(9)
    rows = b"".join([packer.compress(row) for _ in range(side)]) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@cache
def large(kind: str) -> bytes:
    """A picture of 9 megapixels in a few kilobytes."""
    if kind == "png":
        return png(7000)
    out = BytesIO()
    Image.new("RGB", (3000, 3000)).save(out, kind)
    return out.getvalue()


def resident() -> int:
    """Megabytes of memory of this process."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


@pytest.mark.claim("IC-REF-2")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_sixteen_huge_pictures_in_each_of_three_calls(icodeeasy: Caller) -> None:
    url = f"data:image/png;base64,{b64encode(png(7000)).decode()}"
    icodeeasy.edit(image_urls=[url])
    before, waits = resident(), []
    with ThreadPoolExecutor(3) as pool:
        began = monotonic()
        calls = [pool.submit(icodeeasy.edit, image_urls=[url] * 16) for _ in range(3)]
        with web.Client(base_url=icodeeasy.scene.root) as other:
            while not all(call.done() for call in calls):
                asked = monotonic()
                assert other.get("/_mock/clock").status_code == 200
                waits.append(monotonic() - asked)
        took = monotonic() - began
    assert [call.result().status_code for call in calls] == [200, 200, 200]
    assert [len(record["pictures"]) for record in icodeeasy.requests()] == [16, 16, 16, 1]
    assert took < 6
    assert sorted(waits)[len(waits) // 2] < 0.05
    assert resident() - before < 150


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_one_call_has_one_budget(kind: str) -> None:
    data, budget = large(kind), DecodingBudget.of_a_call()
    inspect(data)
    began = process_time()
    found = [inspect(data, budget) for _ in range(16)]
    assert process_time() - began < 1
    assert {picture.width for picture in found} == {7000 if kind == "png" else 3000}
    assert budget.pixels >= 0


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_a_budget_that_is_used_up_decodes_nothing(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    out = BytesIO()
    Image.new("RGB", (30, 20)).save(out, kind)
    for budget in (DecodingBudget(0, monotonic() + 60), DecodingBudget(10**9, monotonic() - 1)):
        monkeypatch.setattr(uploads, "_decode", None)
        monkeypatch.setattr(zlib, "decompressobj", lambda: None)
        assert inspect(out.getvalue(), budget).width == 30


@pytest.mark.parametrize("kind", ["jpeg", "webp", "gif", "png"])
def test_a_large_file_that_is_cut_off_is_refused_without_decoding(kind: str) -> None:
    data, budget = large(kind), DecodingBudget(0, 0)
    for kept in (10, len(data) // 2, len(data) - 3):
        with pytest.raises(NotAPicture):
            inspect(data[:kept], budget)


def test_a_png_with_fewer_rows_than_it_says_is_refused() -> None:
    few = zlib.compress(bytes(91 * 60))
    header = struct.pack(">IIBBBBB", 7000, 7000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", few) + chunk(b"IEND", b"")
    with pytest.raises(NotAPicture, match="truncated"):
        inspect(data)


@pytest.mark.parametrize("at", [0, 256 * 1024 - 2, 256 * 1024, 256 * 1024 + 1])
@pytest.mark.parametrize("junk", ["=", "==", "!", "한"])
def test_junk_anywhere_in_long_base64_is_refused(icodeeasy: Caller, at: int, junk: str) -> None:
    text = b64encode(bytes(400_000)).decode()
    answer = icodeeasy.edit(image_urls=[f"data:image/png;base64,{text[:at]}{junk}{text[at:]}"])
    assert_refused("icodeeasy", answer, 400, "invalid_request_error")
    assert "base64" in answer.text


@pytest.mark.parametrize("length", [256 * 1024 * 3 // 4 + extra for extra in (-2, -1, 0, 1, 2)])
def test_long_base64_is_read_to_its_last_byte(icodeeasy: Caller, length: int) -> None:
    whole = png(64)
    data = whole[:-12] + chunk(b"abCd", bytes(length - len(whole) - 12)) + whole[-12:]
    assert len(data) == length
    assert icodeeasy.edit(image_urls=[f"data:image/png;base64,{b64encode(data).decode()}"]).status_code == 200
    assert icodeeasy.requests()[0]["pictures"][0]["bytes"] == length


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*", b"II+\0"])
def test_a_tiff_is_refused_by_its_first_bytes(icodeeasy: Caller, head: bytes) -> None:
    answer = icodeeasy.form([("image", ("a.tiff", head + bytes(1_000_000), "image/tiff"))])
    assert_refused("icodeeasy", answer, 400, "invalid_request_error")
    assert "PNG, JPEG, WebP or GIF" in answer.text
