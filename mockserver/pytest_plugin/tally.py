"""What a session would have cost: counted test by test, summed over the workers of xdist, said in one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mockserver.client import Account


@dataclass(slots=True)
class Tally:
    """Generations, callbacks, and by "UNIT at PROVIDER" what was charged or is held for tasks that have not ended."""

    generations: int = 0
    callbacks: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)

    def add(self, accounts: Iterable[Account], callbacks: int) -> None:
        """Count what accounts were used for."""
        self.callbacks += callbacks
        for account in accounts:
            self.generations += account.generations
            self._cost(f"{account.currency} at {account.provider}", account.captured + account.held)

    def _cost(self, where: str, amount: Decimal) -> None:
        if amount:
            self.costs[where] = self.costs.get(where, Decimal(0)) + amount

    def dump(self) -> dict[str, Any]:
        """As plain values, which xdist carries."""
        costs = {where: str(amount) for where, amount in self.costs.items()}
        return {"generations": self.generations, "callbacks": self.callbacks, "costs": costs}

    def join(self, dumped: dict[str, Any]) -> None:
        """Add another process's."""
        self.generations += dumped["generations"]
        self.callbacks += dumped["callbacks"]
        for where, amount in dumped["costs"].items():
            self._cost(where, Decimal(amount))

    def line(self) -> str | None:
        """The line at the session's end; None if there is nothing to say."""
        if not self.generations:
            return None
        costs = [f"{amount.normalize():f} {where}" for where, amount in sorted(self.costs.items())]
        made = f"{_count(self.generations, 'generation')}, {_count(self.callbacks, 'callback')}"
        return f"mock_providers: {made}; the real services would have charged {', '.join(costs) or 'nothing'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
