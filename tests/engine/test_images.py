"""Pictures: their pixels against a plain drawing by Pillow, and their facts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO

import png  # type: ignore[import-untyped]  # pypng has no types
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, PngImagePlugin

from mockserver.engine import picture_layout
from mockserver.engine.fonts import BOX, glyph, wrap
from mockserver.engine.images import render
from mockserver.engine.picture_layout import INK, Format, Label, Layout

ENGLISH = "A watercolour painting of a lighthouse on a cliff at dawn, gulls wheeling, long shadows " * 3
KOREAN = "해 질 녘 바닷가 절벽 위의 등대, 갈매기가 날고 젖은 모래 위로 긴 그림자가 드리운 수채화 풍경"
ODD = "夕暮れの灯台 🐱 שלום مرحبا \x00\ud800\n 𠀀 e\u0301"
SMALL = [(16, 16), (64, 64), (256, 256), (512, 128), (333, 517)]
SIZES = [*SMALL, (1024, 1024), (1792, 1024), (3840, 16), (16, 3840)]


def label(prompt: str = ENGLISH, index: int = 0, task_id: str = "task-unified-1757165031-uyujaw3d") -> Label:
    return Label("evolink", "gpt-image-2", "1024x1024", task_id, prompt, index)


def opened(data: bytes) -> PngImagePlugin.PngImageFile:
    picture = Image.open(BytesIO(data))
    assert isinstance(picture, PngImagePlugin.PngImageFile)
    picture.load()
    return picture


def ink(plan: Layout) -> Iterator[tuple[int, int]]:
    """The top left corners of the text's pixels."""
    for number, line in enumerate(plan.lines):
        for at, byte in enumerate(line):
            for bit in (bit for bit in range(8) if byte << bit & 0x80):
                x, y = at // 16 * 8 + bit, at % 16
                yield plan.margin + plan.scale * x, plan.margin + plan.pitch * number + plan.scale * y


def plain_drawing(what: Label, width: int, height: int) -> Image.Image:
    """The same design, drawn with rectangles: the colours of the columns plus a picture of greys."""
    plan, seed = picture_layout.layout(what, width, height), picture_layout.digest(what)
    ground, greys = Image.new("RGB", (width, height)), Image.new("L", (width, height))
    draw, x = ImageDraw.Draw(ground), 0
    colours = picture_layout.colours(seed)
    for colour, across in zip(colours, picture_layout.spread(len(colours), width), strict=True):
        if across:
            draw.rectangle((x, 0, x + across - 1, height), fill=colour)
        x += across
    draw, strip, side = ImageDraw.Draw(greys), plan.strip, picture_layout.block(width, height)
    columns, rows = -(-width // side), -(-(height - strip) // side)
    if not plan.lines:
        draw.rectangle((0, 0, width, 0), fill=picture_layout.SKY)
    for y, line in enumerate(picture_layout.scene(columns, rows, seed[3] % picture_layout.SCENES) if rows else []):
        for x, grey in enumerate(line):
            left, top = x * side, strip + y * side
            draw.rectangle((left, top, left + side - 1, top + side - 1), fill=grey)
    for x, y in ink(plan):
        draw.rectangle((x, y, x + plan.scale - 1, y + plan.scale - 1), fill=INK)
    if plan.lines and plan.bars:
        x, top = 0, strip - 2 * plan.bars
        for grey, across in zip(
            picture_layout.bars(seed), picture_layout.spread(picture_layout.BARS, width), strict=True
        ):
            draw.rectangle((x, top, x + across - 1, top + plan.bars - 1), fill=grey)
            x += across
    return ImageChops.add(ground, Image.merge("RGB", (greys, greys, greys)))


@pytest.mark.parametrize("prompt", [ENGLISH, KOREAN, ODD], ids=["english", "korean", "odd"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_pixels_are_those_of_a_plain_drawing(size: tuple[int, int], prompt: str) -> None:
    picture = opened(render(label(prompt), *size))
    assert (picture.size, picture.mode) == (size, "RGB")
    assert picture.tobytes() == plain_drawing(label(prompt), *size).tobytes()


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(codec=None), max_size=300),
    st.integers(16, 700),
    st.integers(16, 700),
    st.integers(0, 9),
    st.text(max_size=40),
)
@example("", 16, 16, 0, "")
@example("\u0301", 600, 20, 0, " ")
def test_any_size_and_any_text(prompt: str, width: int, height: int, index: int, task_id: str) -> None:
    what = label(prompt, index, task_id)
    picture = opened(render(what, width, height))
    assert picture.tobytes() == plain_drawing(what, width, height).tobytes()


def test_another_decoder_reads_the_largest_picture() -> None:
    data = render(label(KOREAN), 3840, 2160)
    width, height, rows, facts = png.Reader(bytes=data).read()
    assert (width, height, facts["planes"], facts["bitdepth"]) == (3840, 2160, 3, 8)
    expected = plain_drawing(label(KOREAN), 3840, 2160).tobytes()
    assert sha256(b"".join(rows)).digest() == sha256(expected).digest()


def test_a_picture_is_small() -> None:
    assert len(render(label(), 3840, 2160)) < 48_000
    assert len(render(label(), 1024, 1024)) < 20_000


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=200))
@example("a" * 32_000)
@example("猫" * 32_000)
@example("\0\r\n\x80ÿ")
def test_the_facts_are_read_back(prompt: str) -> None:
    assert opened(render(label(prompt, 3), 64, 64)).text == {
        "provider": "evolink",
        "model": "gpt-image-2",
        "size": "1024x1024",
        "task_id": "task-unified-1757165031-uyujaw3d",
        "prompt": prompt,
        "index": "3",
    }


def test_lone_surrogates_are_replaced_in_the_facts() -> None:
    text = opened(render(label("a\ud800b" * 9000, task_id="\udfff"), 64, 64)).text
    assert (text["prompt"], text["task_id"]) == ("a\ufffdb" * 9000, "\ufffd")


@pytest.mark.parametrize("size", [(16, 16), (1024, 1024)], ids=str)
def test_tasks_and_indexes_differ_in_their_ground(size: tuple[int, int]) -> None:
    # The top left pixel is ground alone.
    names = [label(index=index, task_id=f"task-{task}") for task in range(8) for index in range(4)]
    assert len({opened(render(name, *size)).tobytes() for name in names}) == 32
    assert len({opened(render(name, *size)).getpixel((0, 0)) for name in names}) > 16


def test_another_process_makes_the_same_bytes() -> None:
    script = (
        "from hashlib import sha256; from mockserver.engine.images import *; "
        "print(sha256(render(Label('a', 'b', 'c', 'd', '등대', 1), 640, 480)).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == sha256(render(Label("a", "b", "c", "d", "등대", 1), 640, 480)).hexdigest()


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_other_formats_look_the_same(format: Format) -> None:
    data = render(label(ODD), 512, 256, format)
    with Image.open(BytesIO(data)) as picture:
        assert (picture.get_format_mimetype(), picture.size) == (f"image/{format}", (512, 256))
        told = picture.info["comment"] if format == "jpeg" else picture.getexif()[0x010E]
        assert json.loads(told)["prompt"] == ODD.replace("\ud800", "\ufffd")
        off = ImageChops.difference(picture.convert("RGB"), plain_drawing(label(ODD), 512, 256))
    mean = sum(value % 256 * count for value, count in enumerate(off.histogram())) / (512 * 256 * 3)
    assert mean < 6


def test_long_facts_fit_every_format() -> None:
    for long in ("猫" * 32_000, "😀" * 32_000, "\0" * 32_000):
        assert render(Label(long, long, long, long, long), 64, 64, "jpeg")
        assert render(Label(long, long, long, long, long), 64, 64, "webp")


def test_the_font_has_the_users_scripts_and_a_box_for_the_rest() -> None:
    assert all(len(glyph(each)) == 32 and glyph(each) != BOX for each in "등대灯台塔かカ🐱")
    assert all(len(glyph(each)) == 16 and glyph(each) != BOX for each in "aÅЖ…·שم")
    assert glyph("\x00") == glyph("\ud800") == glyph("\U000e0fff") == BOX


def test_glyphs_are_those_of_unifont() -> None:
    assert glyph("A").hex() == "0000000018242442427e424242420000"
    left, right = "00087f1c2222221c0000080808080f00", "00080808080e0808080800000000f800"
    assert glyph("한").hex() == left + right


def test_lines_break_at_spaces_and_end_in_dots() -> None:
    def text(line: bytes) -> list[bytes]:
        return [line[at : at + 16] for at in range(0, len(line), 16)]

    assert [text(line) for line in wrap("one  two\nthree", 7, 2)] == [
        list(map(glyph, "one two")),
        list(map(glyph, "three")),
    ]
    assert [text(line) for line in wrap("one two three", 7, 1)] == [list(map(glyph, "one tw…"))]
    assert [len(line) // 16 for line in wrap("등" * 10, 7, 9)] == [6, 6, 6, 2]
