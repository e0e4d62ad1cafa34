"""What a program did, in one line: calls, generations, callbacks, and what the real services would have charged."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.client import AsyncMockClient


@dataclass(frozen=True, slots=True)
class Totals:
    """What a server was used for. `costs` is by "UNIT at PROVIDER", captured and held."""

    calls: int
    generations: int
    callbacks: int
    costs: Mapping[str, Decimal]

    def since(self, before: "Totals") -> "Totals":
        """What was added to an earlier state of the same server."""
        costs = {where: amount - before.costs.get(where, Decimal(0)) for where, amount in self.costs.items()}
        return Totals(
            self.calls - before.calls,
            self.generations - before.generations,
            self.callbacks - before.callbacks,
            costs,
        )

    def line(self) -> str:
        spent = [f"{amount.normalize():f} {where}" for where, amount in sorted(self.costs.items()) if amount]
        counts = ((self.calls, "call"), (self.generations, "generation"), (self.callbacks, "callback"))
        done = ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts)
        return f"mockserver: {done}; the real services would have charged {', '.join(spent) or 'nothing'}"


NOTHING = Totals(0, 0, 0, {})


async def read_totals(mock: "AsyncMockClient") -> Totals:
    """What a server was used for until now."""
    kept: Any = (await mock.health())["kept"]
    counts = {name: kept[name]["count"] + kept[name]["dropped"] for name in ("requests", "callbacks")}
    costs: dict[str, Decimal] = {}
    generations = 0
    for account in await mock.accounts(everyone=True):
        where = f"{account.currency} at {account.provider}"
        costs[where] = costs.get(where, Decimal(0)) + account.captured + account.held
        generations += account.generations
    return Totals(counts["requests"], generations, counts["callbacks"], costs)
