"""What was measured, and what was to be reached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    `least` is the bar and `goal` what we are out for; None where nothing was set. `with_` names the harness. A figure
    without values could not be had, and `note` says why.
    """

    row: str
    what: str
    unit: str
    values: Sequence[float]
    with_: str
    least: float | None = None
    goal: float | None = None
    better: Better = "higher"
    note: str = ""

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def middle(self) -> float:
        return median(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    @property
    def verdict(self) -> str:
        """ "goal", "least" or "missed" by the median; "" where nothing was set or nothing was measured."""
        if not self.values or (self.least is None and self.goal is None):
            return ""
        for name, bound in (("goal", self.goal), ("least", self.least)):
            if bound is not None and (self.middle >= bound if self.better == "higher" else self.middle <= bound):
                return name
        return "missed"


def ratios(ours: Iterable[float], theirs: Iterable[float]) -> list[float]:
    """Theirs by ours, pair by pair: how many times as costly they are."""
    return [their / our for our, their in zip(ours, theirs, strict=True)]
