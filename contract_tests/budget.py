"""Money: what may be spent at each provider, and a running total that stops before it passes the cap."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

NOTHING = Decimal(0)


class BudgetExhausted(Exception):
    """The next call could pass the cap: it was not made, and the session ends."""


@dataclass(slots=True)
class Hold:
    """Money set aside for one attempt. Until it is released or charged, it counts as spent."""

    purse: "Purse"
    planned: Decimal
    amount: Decimal

    def release(self) -> None:
        """The attempt is known to be free."""
        self.purse.settle(self, NOTHING)

    def charge(self, observed: Decimal) -> None:
        """The provider says what the attempt cost; more than planned makes every later call count for more."""
        self.purse.learn(self.planned, observed)
        self.purse.settle(self, observed)


@dataclass(slots=True)
class Purse:
    """One provider's cap. `spent` counts every attempt that was not shown to be free, failed or retried ones too."""

    provider: str
    cap: Decimal
    spent: Decimal = NOTHING
    factor: Decimal = Decimal(1)

    def reserve(self, planned: Decimal) -> Hold:
        """Set aside what an attempt can cost, at the dearest rate seen so far.

        Raises:
            BudgetExhausted: if the cap does not cover it. Nothing may be sent then.
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

    purses: Mapping[str, Purse] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: list[str], providers: list[str]) -> "Budget":
        """Raises ValueError for what is no amount or names no target."""
        caps: dict[str, Decimal] = {}
        for text in texts:
            name, _, amount = text.rpartition("=")
            for provider in [name] if name else providers:
                caps[provider] = _amount(amount)
        return cls({provider: Purse(provider, cap) for provider, cap in caps.items()})


def _amount(text: str) -> Decimal:
    amount = Decimal(text) if text.replace(".", "", 1).isdecimal() else Decimal(-1)
    if amount < 0:
        raise ValueError(f"--budget {text!r} is no amount: write 5, 2.5 or evolink=25")
    return amount
