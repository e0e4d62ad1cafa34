"""Measured values with their goals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    `least` is the required value and `goal` the desired one; None where there is none. `with_` names the tool that
    measured. A figure without values could not be measured, and `note` says why.
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
        """ "goal", "least" or "missed" by the median; "" without bounds or without values."""
        if not self.values or (self.least is None and self.goal is None):
            return ""
        for name, bound in (("goal", self.goal), ("least", self.least)):
            if bound is not None and (self.middle >= bound if self.better == "higher" else self.middle <= bound):
                return name
        return "missed"


def ratios(ours: Iterable[float], theirs: Iterable[float]) -> list[float]:
    """Their values divided by ours, pair by pair."""
    return [their / our for our, their in zip(ours, theirs, strict=True)]
