"""Latency profiles, and ranges of seconds."""

import pytest

from mockserver.engine.latency import Latency, Range

DOCUMENTED = (60.0, 90.0)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("instant", (0.0, 0.0)),
        ("quick", (0.3, 1.5)),
        ("documented", DOCUMENTED),
        ("2-5", (2.0, 5.0)),
        ("0.25-0.5", (0.25, 0.5)),
        ("3", (3.0, 3.0)),
        ("0", (0.0, 0.0)),
        ("0-86400", (0.0, 86400.0)),
    ],
)
def test_a_profile_gives_a_range(text: str, span: Range) -> None:
    latency = Latency.parse(text)
    assert (latency.name, latency.of(DOCUMENTED)) == (text, span)


@pytest.mark.parametrize(
    "text",
    ["", "-", "slow", "Quick", "5-2", "-1", "-3-5", "1-2-3", "nan", "nan-nan", "1-nan", "inf", "0-inf", "86401", "a-b"],
)
def test_what_is_no_latency_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="is not a latency: use instant, quick, documented, or MIN-MAX in seconds"):
        Latency.parse(text)


def test_the_refusal_repeats_little_of_the_input() -> None:
    with pytest.raises(ValueError, match="is not a latency") as refusal:
        Latency.parse("x" * 10_000)
    assert len(str(refusal.value)) < 200
