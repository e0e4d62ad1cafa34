"""What the real services would have charged for a session: added up over tests and xdist workers, shown as one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mockserver.client.models import Charge


@dataclass(slots=True)
class Tally:
    """Generations, callbacks, and by "UNIT at PROVIDER" what was charged, and held for tasks that have not ended.

    `advice` has the tests that there was advice on, by its rule.
    """

    generations: int = 0
    callbacks: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)
    advice: dict[str, list[str]] = field(default_factory=dict)

    def add(self, charges: Iterable[Charge], callbacks: int) -> None:
        """Add what was charged, and a number of callbacks."""
        self.callbacks += callbacks
        for charge in charges:
            self.generations += charge.generations
            self._cost(f"{charge.currency} at {charge.provider}", charge.captured + charge.held)

    def add_advice(self, rule: str, test: str) -> None:
        """Add a piece of advice on a test."""
        tests = self.advice.setdefault(rule, [])
        if test not in tests:
            tests.append(test)

    def _cost(self, where: str, amount: Decimal) -> None:
        if amount:
            self.costs[where] = self.costs.get(where, Decimal(0)) + amount

    def dump(self) -> dict[str, Any]:
        """As plain values, which xdist can send."""
        costs = {where: str(amount) for where, amount in self.costs.items()}
        return {"generations": self.generations, "callbacks": self.callbacks, "costs": costs, "advice": self.advice}

    def join(self, dumped: dict[str, Any]) -> None:
        """Add what another process dumped."""
        self.generations += dumped["generations"]
        self.callbacks += dumped["callbacks"]
        for where, amount in dumped["costs"].items():
            self._cost(where, Decimal(amount))
        for rule, tests in dumped["advice"].items():
            for test in tests:
                self.add_advice(rule, test)

    def lines(self) -> list[str]:
        """The lines for the end of the session: what was generated, if anything was, and one for each rule's advice."""
        charged = self.line()
        said = [
            f"mock_providers advice: {rule} in {tests[0]}{f' and {len(tests) - 1} more' if len(tests) > 1 else ''}"
            for rule, tests in sorted(self.advice.items())
        ]
        return [*([charged] if charged else []), *said]

    def line(self) -> str | None:
        """The line on what was generated; None if nothing was."""
        if not self.generations:
            return None
        costs = [f"{amount.normalize():f} {where}" for where, amount in sorted(self.costs.items())]
        made = f"{_count(self.generations, 'generation')}, {_count(self.callbacks, 'callback')}"
        return f"mock_providers: {made}; the real services would have charged {', '.join(costs) or 'nothing'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
