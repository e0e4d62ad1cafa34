"""Latency profiles: how long generations take."""

from collections.abc import Mapping

from mockserver.engine.fast_dataclass import fast_dataclass

Range = tuple[float, float]

QUICK: Range = (0.3, 1.5)
LONGEST = 86_400.0
NAMED: Mapping[str, Range | None] = {"instant": (0.0, 0.0), "quick": QUICK, "documented": None}
"""The profiles that have a name."""


@fast_dataclass
class Latency:
    """A latency profile. `range` is None for `documented`: then each provider's documented range applies."""

    name: str
    range: Range | None

    def of(self, documented: Range) -> Range:
        """The shortest and longest duration, in seconds, of a generation whose documented range is `documented`."""
        return documented if self.range is None else self.range

    @classmethod
    def parse(cls, text: str) -> "Latency":
        """Read `instant`, `quick`, `documented`, or MIN-MAX or one number in seconds. Raises ValueError."""
        if text in NAMED:
            return cls(text, NAMED[text])
        low, _, high = text.partition("-")
        try:
            span = (float(low), float(high or low))
        except ValueError:
            span = (1.0, 0.0)
        if not 0 <= span[0] <= span[1] <= LONGEST:
            raise ValueError(f"{text!r:.40} is not a latency: use instant, quick, documented, or MIN-MAX in seconds")
        return cls(text, span)
