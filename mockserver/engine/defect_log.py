"""What went wrong inside this server itself: kept, so that the test that met it fails and says why."""

from collections import deque
from dataclasses import dataclass, field
from traceback import format_exception

from mockserver.engine.fast_dataclass import fast_dataclass

DEFECTS_KEPT = 100
TEXT_KEPT = 4_000
"""Characters of a traceback that are kept: its end."""


@fast_dataclass
class Defect:
    """One internal error: its number since the start, where it happened, the account of the call ("" without one), and
    the end of its traceback."""

    number: int
    where: str
    account: str
    text: str


@dataclass(slots=True)
class DefectLog:
    """Every internal error since the start; a reset does not forget them. `count` counts those dropped too."""

    count: int = 0
    kept: deque[Defect] = field(default_factory=lambda: deque(maxlen=DEFECTS_KEPT))

    def add(self, where: str, error: BaseException, account: str = "") -> None:
        """Put an internal error on record."""
        self.count += 1
        text = "".join(format_exception(error))[-TEXT_KEPT:]
        self.kept.append(Defect(self.count, where, account, text))
