"""Accounts and their money. Every amount is an integer of minor units; balances are never floats.

For every account, always: opening == balance + held + captured.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Task

USAGE_KEPT = 1_000
"""Usage records kept for each account; older ones are dropped and counted."""


@fast_dataclass
class Currency:
    """A unit of account and how many decimal places its minor unit has: Currency("CNY", 2) counts fen."""

    code: str
    places: int

    def minor(self, amount: Decimal | str) -> int:
        """Minor units of a decimal amount. Raises ValueError if it is no number or has too many decimal places."""
        try:
            scaled = Decimal(amount).scaleb(self.places)
            whole = int(scaled)
        except (ArithmeticError, ValueError) as error:
            raise ValueError(f"{amount!s:.40} is no amount of {self.code}") from error
        if whole != scaled:
            raise ValueError(f"{amount} {self.code} is finer than {self.places} decimal places")
        return whole

    def decimal(self, minor: int) -> Decimal:
        """The decimal amount of `minor` minor units."""
        return Decimal(minor).scaleb(-self.places)

    def text(self, minor: int) -> str:
        """The amount as a plain decimal string without trailing zeros: 25000 of Currency("credits", 4) is "2.5"."""
        return _text(minor, self.places)

    def number(self, minor: int) -> float:
        """The amount as a JSON number, for APIs that write numbers."""
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
    """A usage record: what a charged generation cost (minor units), and when it was charged (Unix seconds)."""

    time: float
    task: Task
    amount: int


@fast_dataclass
class RateLimit:
    """At most `requests` billable calls in any `seconds` of the clock."""

    requests: int
    seconds: float


@fast_dataclass
class Account:
    """The account of one API key at one provider, as a value. `id` is the key's hash; amounts are minor units.

    `submissions` counts the generations that were accepted, `usage_dropped` the usage records that are no longer kept.
    """

    provider: str
    id: str
    opening: int
    balance: int
    held: int = 0
    captured: int = 0
    submissions: int = 0
    quota: int | None = None
    rate_limit: RateLimit | None = None
    usage_dropped: int = 0


@fast_dataclass
class AccountChange:
    """A change of an account's balance, quota or rate limit.

    `balance` None leaves the balance; a new one moves the opening balance by the same amount. `sets_quota`
    and `sets_rate_limit` say whether those two are changed: None then removes the limit. Spending counts towards a
    quota once it is set.
    """

    balance: int | None = None
    sets_quota: bool = False
    quota: int | None = None
    sets_rate_limit: bool = False
    rate_limit: RateLimit | None = None


@dataclass(slots=True)
class AccountRow:
    """An account as a store keeps it: the store alone changes it, and hands out `Account` values.

    `quota` is what a calendar month (UTC, by the clock) may cost, `spent` what `month` has cost or holds so far.
    `recent` are the times of the calls that count towards `rate_limit`; `quotas` counts the quotas that were set.
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

    def copy(self) -> "AccountRow":
        """A row for another owner, to be changed apart from this one."""
        return replace(self, recent=deque(self.recent), usage=deque(self.usage, maxlen=USAGE_KEPT))

    def value(self) -> Account:
        """The account as it stands."""
        return Account(
            self.provider,
            self.id,
            self.opening,
            self.balance,
            self.held,
            self.captured,
            self.submissions,
            self.quota,
            self.rate_limit,
            self.usage_dropped,
        )

    def admit(self, now: float) -> None:
        """Count a call at `now`. Raises Problem(RATE_LIMITED) with the seconds until the next one is admitted."""
        if self.rate_limit is None:
            return
        while self.recent and self.recent[0] <= now - self.rate_limit.seconds:
            self.recent.popleft()
        if len(self.recent) >= self.rate_limit.requests:
            wait = self.recent[0] + self.rate_limit.seconds - now if self.recent else self.rate_limit.seconds
            raise Problem(Kind.RATE_LIMITED, retry_after=wait)
        self.recent.append(now)

    def change(self, change: AccountChange, now: float) -> None:
        """Apply a change at `now`."""
        if change.balance is not None:
            self.opening += change.balance - self.balance
            self.balance = change.balance
        if change.sets_quota:
            self.quotas += 1
            self.quota, self.month, self.spent = change.quota, self._month(now), 0
        if change.sets_rate_limit:
            self.rate_limit = change.rate_limit
            self.recent.clear()

    def _month(self, now: float) -> str:
        """The UTC calendar month of `now` and the number of the quota in force: "2026-01/1"."""
        return f"{datetime.fromtimestamp(now, UTC):%Y-%m}/{self.quotas}"

    def check(self, amount: int, now: float) -> None:
        """Check that balance and quota cover an amount. Raises Problem(OUT_OF_BALANCE)."""
        if amount > self.balance:
            raise Problem(Kind.OUT_OF_BALANCE, "the balance does not cover this request")
        if self.quota is not None and self._spent(now) + amount > self.quota:
            raise Problem(Kind.OUT_OF_BALANCE, "the monthly quota does not cover this request")

    def _spent(self, now: float) -> int:
        return self.spent if self._month(now) == self.month else 0

    def hold(self, amount: int, now: float) -> str:
        """Set an amount aside, which `check` has found covered; the month whose quota it counts towards, if any."""
        self.balance -= amount
        self.held += amount
        if self.quota is None:
            return ""
        self.month, self.spent = self._month(now), self._spent(now) + amount
        return self.month

    def capture(self, usage: Usage) -> None:
        """Charge what is held for a generation, and record its usage; the oldest record past the bound is dropped."""
        self.held -= usage.amount
        self.captured += usage.amount
        self.usage_dropped += len(self.usage) == self.usage.maxlen
        self.usage.append(usage)

    def release(self, amount: int, month: str) -> None:
        """Give back an amount that was held, and to the quota of the month it was held in."""
        self.held -= amount
        self.balance += amount
        if month and month == self.month:
            self.spent -= amount
