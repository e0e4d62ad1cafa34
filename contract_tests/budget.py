"""What a run may spend at each provider, and what it has spent so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

NOTHING = Decimal(0)


class BudgetExhausted(Exception):
    """The next call could exceed the cap: it was not sent, and the session ends."""


@dataclass(slots=True)
class Hold:
    """Money reserved for one attempt. Until it is released or charged, it counts as spent."""

    allowance: "Allowance"
    planned: Decimal
    amount: Decimal

    def release(self) -> None:
        """The attempt cost nothing."""
        self.allowance.settle(self, NOTHING)

    def charge(self, observed: Decimal) -> None:
        """The provider says what the attempt cost. If that is more than planned, later calls are planned dearer too."""
        self.allowance.learn(self.planned, observed)
        self.allowance.settle(self, observed)


@dataclass(slots=True)
class Allowance:
    """One provider's cap. `spent` counts every attempt that is not known to be free, failed and repeated ones too."""

    provider: str
    cap: Decimal
    spent: Decimal = NOTHING
    factor: Decimal = Decimal(1)

    def reserve(self, planned: Decimal) -> Hold:
        """Reserve what an attempt can cost, at the highest rate seen so far.

        Raises:
            BudgetExhausted: if the cap does not cover it; then nothing may be sent.
        """
        amount = planned * self.factor
        if self.spent + amount > self.cap:
            raise BudgetExhausted(
                f"{self.provider}: {self.spent} of {self.cap} spent, and the next call can cost {amount}"
            )
        self.spent += amount
        return Hold(self, planned, amount)

    def settle(self, hold: Hold, actual: Decimal) -> None:
        self.spent += actual - hold.amount
        hold.amount = actual

    def learn(self, planned: Decimal, observed: Decimal) -> None:
        if planned > 0:
            self.factor = max(self.factor, observed / planned)


@dataclass(frozen=True, slots=True)
class Budget:
    """`--budget 5` caps each provider at 5 of its own unit; `--budget evolink=25` caps one."""

    allowances: Mapping[str, Allowance] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: list[str], providers: list[str]) -> "Budget":
        """Raises ValueError for text that is not an amount."""
        caps: dict[str, Decimal] = {}
        for text in texts:
            name, _, amount = text.rpartition("=")
            for provider in [name] if name else providers:
                caps[provider] = _amount(amount)
        return cls({provider: Allowance(provider, cap) for provider, cap in caps.items()})


def _amount(text: str) -> Decimal:
    amount = Decimal(text) if text.replace(".", "", 1).isdecimal() else Decimal(-1)
    if amount < 0:
        raise ValueError(f"--budget {text!r} is not an amount: write 5, 2.5 or evolink=25")
    return amount
