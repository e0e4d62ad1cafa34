"""Accounts in exact money: every amount is an integer of minor units, and no float ever touches a balance.

For every account and at every instant: opening == balance + held + captured.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Task

USAGE_KEPT = 1_000
"""Usage records kept for each account; older ones are dropped and counted."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A unit of account and how many decimal places its minor unit has: Currency("CNY", 2) counts fen."""

    code: str
    places: int

    def minor(self, amount: Decimal | str) -> int:
        """Minor units of a decimal amount. Raises ValueError if it is finer than the minor unit, or no number."""
        try:
            scaled = Decimal(amount).scaleb(self.places)
            whole = int(scaled)
        except (ArithmeticError, ValueError) as error:
            raise ValueError(f"{amount!s:.40} is no amount of {self.code}") from error
        if whole != scaled:
            raise ValueError(f"{amount} {self.code} is finer than {self.places} decimal places")
        return whole

    def decimal(self, minor: int) -> Decimal:
        """The decimal amount of so many minor units."""
        return Decimal(minor).scaleb(-self.places)

    def text(self, minor: int) -> str:
        """The amount as a plain decimal string without trailing zeros: 25000 of Currency("credits", 4) is "2.5"."""
        text = f"{self.decimal(minor):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class Usage:
    """What one captured generation cost (minor units) and when (Unix seconds): a line of the usage page."""

    time: float
    task: Task
    amount: int


@dataclass(slots=True)
class Account:
    """One API key at one provider. `id` is the key's hash; amounts are minor units."""

    provider: str
    id: str
    opening: int
    balance: int
    held: int = 0
    captured: int = 0
    requests: int = 0
    submissions: int = 0
    usage: deque[Usage] = field(default_factory=lambda: deque(maxlen=USAGE_KEPT))
    usage_dropped: int = 0


class Ledger:
    """Moves money of an account between balance, held and captured, a task at a time.

    A hold is settled exactly once, by `capture` or by `release`; settling what is not held raises KeyError.
    """

    def __init__(self) -> None:
        self._holds: dict[str, tuple[Account, int]] = {}

    def hold(self, account: Account, task_id: str, amount: int) -> None:
        """Set `amount` aside for a task. Raises Problem(OUT_OF_BALANCE) and moves nothing if it is not covered."""
        if amount > account.balance:
            raise Problem(Kind.OUT_OF_BALANCE, "the balance does not cover this request")
        if task_id in self._holds:
            raise ValueError(f"{task_id} holds money already")
        account.balance -= amount
        account.held += amount
        self._holds[task_id] = (account, amount)

    def capture(self, task_id: str) -> int:
        """Charge what is held for the task; the amount."""
        account, amount = self._holds.pop(task_id)
        account.held -= amount
        account.captured += amount
        return amount

    def release(self, task_id: str) -> int:
        """Give back what is held for the task; the amount."""
        account, amount = self._holds.pop(task_id)
        account.held -= amount
        account.balance += amount
        return amount

    def is_held(self, task_id: str) -> bool:
        """Whether the task's money is not settled yet, be it nothing that it holds."""
        return task_id in self._holds

    @staticmethod
    def record(account: Account, usage: Usage) -> None:
        """Append a usage record, dropping and counting the oldest past the bound."""
        account.usage_dropped += len(account.usage) == account.usage.maxlen
        account.usage.append(usage)
