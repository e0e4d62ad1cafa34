"""Accounts in exact money: every amount is an integer of minor units, and no float ever touches a balance.

For every account and at every instant: opening == balance + held + captured.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from mockserver.engine.fast_dataclass import fast_dataclass
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
        return _text(minor, self.places)

    def number(self, minor: int) -> float:
        """The amount as a JSON number, for wires that have one."""
        return _number(minor, self.places)


@lru_cache(maxsize=1024)
def _text(minor: int, places: int) -> str:
    text = f"{Decimal(minor).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=1024)
def _number(minor: int, places: int) -> float:
    return float(Decimal(minor).scaleb(-places))


@fast_dataclass
class Usage:
    """What one captured generation cost (minor units) and when (Unix seconds): a line of the usage page."""

    time: float
    task: Task
    amount: int


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `requests` billable calls in any `seconds` of the clock."""

    requests: int
    seconds: float


@dataclass(slots=True)
class Account:
    """One API key at one provider. `id` is the key's hash; amounts are minor units.

    `quota` is what a calendar month (UTC, by the clock) may cost, `spent` what `month` has cost or holds so far.
    `recent` are the times of the calls that count towards `rate_limit`.
    """

    provider: str
    id: str
    opening: int
    balance: int
    held: int = 0
    captured: int = 0
    requests: int = 0
    submissions: int = 0
    quota: int | None = None
    month: str = ""
    spent: int = 0
    quotas: int = 0
    rate_limit: RateLimit | None = None
    recent: deque[float] = field(default_factory=deque)
    usage: deque[Usage] = field(default_factory=lambda: deque(maxlen=USAGE_KEPT))
    usage_dropped: int = 0

    def admit(self, now: float) -> None:
        """Count a call at `now`. Raises Problem(RATE_LIMITED), which says when the next one will be let in."""
        if self.rate_limit is None:
            return
        while self.recent and self.recent[0] <= now - self.rate_limit.seconds:
            self.recent.popleft()
        if len(self.recent) >= self.rate_limit.requests:
            wait = self.recent[0] + self.rate_limit.seconds - now if self.recent else self.rate_limit.seconds
            raise Problem(Kind.RATE_LIMITED, retry_after=wait)
        self.recent.append(now)

    def set_balance(self, balance: int) -> None:
        """Make it `balance`, as a payment into the account or out of it would: the opening balance moves along."""
        self.opening += balance - self.balance
        self.balance = balance

    def set_quota(self, quota: int | None, now: float) -> None:
        """Let a calendar month cost at most `quota`, counting from `now`; None lifts it."""
        self.quotas += 1
        self.quota, self.month, self.spent = quota, self._month(now), 0

    def _month(self, now: float) -> str:
        """The UTC calendar month of an instant under the quota in force, as in "2026-01/1"."""
        return f"{datetime.fromtimestamp(now, UTC):%Y-%m}/{self.quotas}"

    def check(self, amount: int, now: float) -> None:
        """Make sure that balance and quota cover an amount. Raises Problem(OUT_OF_BALANCE)."""
        if amount > self.balance:
            raise Problem(Kind.OUT_OF_BALANCE, "the balance does not cover this request")
        if self.quota is not None and self._spent(now) + amount > self.quota:
            raise Problem(Kind.OUT_OF_BALANCE, "the monthly quota does not cover this request")

    def _spent(self, now: float) -> int:
        return self.spent if self._month(now) == self.month else 0

    def spend(self, amount: int, now: float) -> str:
        """Count an amount towards the quota, if there is one; the month in which it counts."""
        if self.quota is None:
            return ""
        self.month, self.spent = self._month(now), self._spent(now) + amount
        return self.month

    def record(self, usage: Usage) -> None:
        """Append a usage record, dropping and counting the oldest past the bound."""
        self.usage_dropped += len(self.usage) == self.usage.maxlen
        self.usage.append(usage)


@fast_dataclass
class Hold:
    """Money set aside for a task, and the month whose quota it counts towards."""

    account: Account
    amount: int
    month: str


class Ledger:
    """Moves money of an account between balance, held and captured, a task at a time.

    A hold is settled exactly once, by `capture` or by `release`; settling what is not held raises KeyError.
    """

    def __init__(self) -> None:
        self.holds: dict[str, Hold] = {}
        self._latest: Hold | None = None

    def hold(self, account: Account, task_id: str, amount: int, now: float) -> None:
        """Set `amount` aside for a task. Raises Problem(OUT_OF_BALANCE) and moves nothing if it is not covered."""
        if task_id in self.holds:
            raise ValueError(f"{task_id} holds money already")
        account.check(amount, now)
        month = account.spend(amount, now)
        account.balance -= amount
        account.held += amount
        self.holds[task_id] = self._alike(account, amount, month)

    def _alike(self, account: Account, amount: int, month: str) -> Hold:
        """A hold; many tasks in a row that hold the same share one record."""
        latest = self._latest
        if latest is None or latest.account is not account or latest.amount != amount or latest.month != month:
            latest = self._latest = Hold(account, amount, month)
        return latest

    def capture(self, task_id: str) -> int:
        """Charge what is held for the task; the amount."""
        hold = self.holds.pop(task_id)
        hold.account.held -= hold.amount
        hold.account.captured += hold.amount
        return hold.amount

    def release(self, task_id: str) -> int:
        """Give back what is held for the task; the amount."""
        hold = self.holds.pop(task_id)
        hold.account.held -= hold.amount
        hold.account.balance += hold.amount
        if hold.month and hold.month == hold.account.month:
            hold.account.spent -= hold.amount
        return hold.amount

    def is_held(self, task_id: str) -> bool:
        """Whether the task's money is not settled yet, be it nothing that it holds."""
        return task_id in self.holds
