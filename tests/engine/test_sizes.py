"""Sizes against the documents' own words, stated here a second time and in another way."""

import re
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.world import words
from mockserver.engine.sizes import Limits, Pair, fit_ratio, nearest_ratio, parse_pixels, parse_ratio

UPSTREAM = Limits(multiple=16, long_side=3840, pixels=8_294_400)

DOCUMENTED = "幅・高さともに16の倍数、長辺 ≤ 3840、総ピクセル数 ≤ 8,294,400"
"""003, "対応する size の値と課金レベル": the limits on custom sizes."""

RECOMMENDED = (
    "1024x1024 1536x1024 1024x1536 1792x1024 1024x1792 "
    "2048x2048 2048x1536 1536x2048 2048x1152 1152x2048 "
    "2880x2880 3264x2448 2448x3264 3840x2160 2160x3840"
)
RATIOS = [(1, 1), (3, 2), (2, 3), (4, 3), (3, 4), (5, 4), (4, 5), (16, 9), (9, 16), (2, 1), (1, 2), (21, 9), (9, 21)]
SIDES = st.one_of(st.integers(1, 5000), st.integers(1, 300).map(lambda n: 16 * n), st.sampled_from([3840, 2160, 2880]))


def within_document(width: int, height: int) -> bool:
    """The limits as the document words them, its own numbers read from its own sentence."""
    step, longest, most = (int(number.replace(",", "")) for number in re.findall(r"[\d,]+", DOCUMENTED))
    sides = range(step, longest + 1, step)
    return width in sides and height in sides and Fraction(width, 1) <= Fraction(most, height)


@pytest.mark.claim("XH-SIZE-3")
@given(SIDES, SIDES)
@example(3840, 2160)
@example(2880, 2880)
@example(2896, 2880)
@example(3840, 2176)
@example(3856, 16)
@example(16, 3856)
@example(16, 16)
@example(3840, 16)
@example(800, 600)
def test_the_limits_are_the_documents(width: int, height: int) -> None:
    assert (UPSTREAM.broken_by(width, height) is None) == within_document(width, height)


@pytest.mark.claim("XH-SIZE-5")
@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((800, 600), "size width and height must be multiples of 16"),
        ((600, 800), "size width and height must be multiples of 16"),
        ((3856, 16), "size width and height must not exceed 3840"),
        ((16, 3856), "size width and height must not exceed 3840"),
        ((2896, 2880), "size must not exceed 8294400 pixels in total"),
    ],
)
def test_a_broken_limit_is_named(size: Pair, sentence: str) -> None:
    assert UPSTREAM.broken_by(*size) == sentence


@pytest.mark.claim("XH-SIZE-6")
@pytest.mark.parametrize("text", RECOMMENDED.split())
def test_every_recommended_size_keeps_the_limits(text: str) -> None:
    size = parse_pixels(text)
    assert size is not None
    assert UPSTREAM.broken_by(*size) is None


@pytest.mark.claim("XH-SIZE-2")
@given(st.integers(1, 10**17), st.integers(1, 10**17))
def test_width_x_height_is_read(width: int, height: int) -> None:
    assert parse_pixels(f"{width}x{height}") == (width, height)


@pytest.mark.claim("XH-SIZE-5")
@pytest.mark.parametrize(
    "text",
    [
        *words(
            "0x16 16x0 0x0 016x16 16x016 +16x16 16x+16 -16x16 16x-16 16X16 16×16 16*16 １６x１６ 1６x16 16x1６ 1٦x16",
            "16x 1 x16 x 16x16x16 16.0x16 1e3x16 1_6x16 0x10x16 16:16 auto 16х16 16xx16 ²x16",
        ),
        *(
            "",
            " ",
            "16 x16",
            "16x 16",
            " 16x16",
            "16x16 ",
            "16x16\n",
            "\n16x16",
            "16x16\0",
            "16\u00a0x16",
            "16x\u200b16",
        ),
    ],
)
def test_another_format_is_none(text: str) -> None:
    assert parse_pixels(text) is None


@given(st.text())
def test_no_text_crashes_the_grammar(text: str) -> None:
    assert (parse_pixels(text) is None) == (re.match(r"\A[1-9][0-9]*x[1-9][0-9]*\Z", text) is None)
    assert parse_ratio(text) is None or ":" in text


@pytest.mark.parametrize("text", ["9" * 5000 + "x16", "16x" + "9" * 5000, "1" + "0" * 5000 + "x1" + "0" * 5000])
def test_five_thousand_digits_are_read_and_break_the_limits(text: str) -> None:
    size = parse_pixels(text)
    assert size is not None
    assert UPSTREAM.broken_by(*size) is not None
    assert nearest_ratio(*size, RATIOS) in RATIOS


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("1:1", (1, 1)), ("21:9", (21, 9)), ("9999:1", (9999, 1)), ("10000:1", None), ("0:1", None), ("1:0", None)]
    + [
        (text, None)
        for text in ("01:1", "1:01", "+1:1", "1 :1", "1：1", "１:1", "1:1\n", "1:1:1", "1x1", ":", "", "auto")
    ],
)
def test_a_ratio_is_read(text: str, ratio: Pair | None) -> None:
    assert parse_ratio(text) == ratio


@pytest.mark.claim("IC-SIZE-2")
@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ((1536, 1024), (3, 2)),
        ((1024, 1536), (2, 3)),
        ((1792, 1024), (16, 9)),
        ((5000, 1), (21, 9)),
        ((1, 5000), (9, 21)),
    ],
)
def test_pixels_mean_the_nearest_ratio(size: Pair, ratio: Pair) -> None:
    assert nearest_ratio(*size, RATIOS) == ratio


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_no_ratio_is_nearer_in_exact_arithmetic(width: int, height: int) -> None:
    def factor(ratio: Pair) -> Fraction:
        quotient = Fraction(width * ratio[1], height * ratio[0])
        return max(quotient, 1 / quotient)

    assert nearest_ratio(width, height, RATIOS) == min(RATIOS, key=factor)


def test_of_two_equally_near_the_earlier_is_taken() -> None:
    assert nearest_ratio(2, 1, [(4, 1), (1, 1)]) == (4, 1)
    assert nearest_ratio(2, 1, [(1, 1), (4, 1)]) == (1, 1)


@pytest.mark.claim("IC-RES-1")
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("pixels", [1024**2, 2048**2])
def test_every_ratio_is_fitted_within_2_percent(ratio: Pair, pixels: int) -> None:
    width, height = fit_ratio(ratio, pixels, 16)
    assert (width % 16, height % 16) == (0, 0)
    assert abs(Fraction(width, height) / Fraction(*ratio) - 1) <= Fraction(2, 100)
    assert abs(width * height / pixels - 1) <= 0.2


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_ratio_and_its_inverse_are_fitted_alike(ratio: Pair) -> None:
    assert fit_ratio((ratio[1], ratio[0]), 1024**2, 16) == fit_ratio(ratio, 1024**2, 16)[::-1]


def test_a_square_is_square() -> None:
    assert (fit_ratio((1, 1), 1024**2, 16), fit_ratio((1, 1), 2048**2, 16)) == ((1024, 1024), (2048, 2048))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 10**7), st.integers(1, 64))
def test_any_fit_keeps_the_multiple(w: int, h: int, pixels: int, multiple: int) -> None:
    width, height = fit_ratio((w, h), pixels, multiple)
    assert width > 0 < height
    assert (width % multiple, height % multiple) == (0, 0)
    assert (width >= height) == (w >= h) or width == height
