"""The store: everything that outlives a request, changed through the verbs of one object and no other way.

Each verb is one transaction. What a store is given and what it hands out are values: nobody changes one afterwards, and
the store puts a new value in place of an old one.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from mockserver.engine.callbacks import Delivery
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import Account, AccountChange, AccountRow, Usage
from mockserver.engine.schedule import DueEvents, Event
from mockserver.engine.store.steering import Steering, SteeringRecords
from mockserver.engine.tasks import Job, Task

T = TypeVar("T")

EVERYTHING = sys.maxsize
"""A page's limit that leaves nothing for a second page."""

DRAWS = 100
"""How many ids are drawn for one record before the space of ids counts as used up."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many records are kept: ended tasks, and as many that have not ended; requests, ended callbacks, accounts."""

    tasks: int = 100_000
    requests: int = 5_000
    callbacks: int = 20_000
    accounts: int = 20_000


@dataclass(frozen=True, slots=True)
class Kept:
    """How many records of a kind there are, how many are kept at most, and how many that bound has dropped."""

    count: int
    bound: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Pending:
    """How many tasks and callbacks have not ended, and how many attempts of callbacks are planned."""

    tasks: int
    callbacks: int
    attempts: int


def every(_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Wanted(Generic[T]):
    """Which records a list shows: those of a provider and of some accounts (hashes of keys) that `keep` accepts."""

    provider: str | None = None
    accounts: frozenset[str] | None = None
    keep: Callable[[T], bool] = every


Page = tuple[list[T], str | None]
"""Records, newest first, and the cursor of the next page; None if this is the last."""


@dataclass(frozen=True, slots=True)
class Records:
    """All that a store keeps but the journal, oldest first.

    `held` are the tasks that have not ended, each with the month whose quota its money counts towards ("" without one);
    `planned` are the events to come, in order.
    """

    tasks: list[Task] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    accounts: list[AccountRow] = field(default_factory=list)
    held: list[tuple[str, str]] = field(default_factory=list)
    planned: list[Event] = field(default_factory=list)
    anonymous_requests: int = 0
    steering: SteeringRecords = field(default_factory=SteeringRecords)


class Store(DueEvents, Protocol):
    """The verbs. Accounts are opened by the first call that counts towards them; looking at one does not open it."""

    terms: Mapping[tuple[str, str], AccountChange]
    """What new accounts open with other than the opening balance, by provider and account; "" is every account."""

    @property
    def steering(self) -> Steering:
        """The verbs for fault rules, callback routes and sinks. A reset begins it anew, as it does everything."""

    def submit(self, job: Job, now: float, plan: Callable[[Job, float, int, int], Task]) -> Task:
        """Accept a job: hold its price, and keep and plan its task.

        Args:
            plan: makes the task of a job at an instant, from the number of the account's generation (from 0), and from
                how many ids were drawn for it that were taken.

        Raises:
            Problem: OUT_OF_BALANCE; UNAVAILABLE when no more tasks can be held. Then nothing has happened.
        """

    def settle(self, task: Task, deliveries: Sequence[Delivery] = ()) -> bool:
        """End a task: capture its money, or release it if it failed, and open its callbacks.

        The first of `deliveries` is the task's callback, the others are copies of it. Unless it is held back itself, it
        releases the callbacks of its account that are.

        Returns:
            False if the task has ended before or is gone; then nothing has happened.
        """

    def task(self, task_id: str) -> Task | None: ...

    def is_open(self, task_id: str) -> bool:
        """Whether a task is kept whose end has not been settled."""

    def traced(self, provider: str, account: str, trace_id: str) -> Task | None:
        """The newest task of an account with a trace id."""

    def replayed(self, provider: str, account: str, idempotency_key: str) -> Task | None:
        """The newest task of an account that was submitted with an idempotency key."""

    def account(self, provider: str, account: str) -> Account:
        """An account as it stands, or as it would open."""

    def usage(self, provider: str, account: str) -> tuple[Usage, ...]:
        """The usage records of an account, oldest first."""

    def check_money(self, job: Job, now: float) -> None:
        """Make sure that a job's account can pay for it. Raises Problem(OUT_OF_BALANCE)."""

    def admit(self, provider: str, account: str, now: float) -> None:
        """Count a billable call towards an account's rate limit. Raises Problem(RATE_LIMITED)."""

    def change_account(self, provider: str, account: str, change: AccountChange, now: float) -> Account:
        """Set balance, quota or rate limit; the account as it stands then."""

    def count_request(self, provider: str, account: str) -> int:
        """Count a request of an account ("" for one without a valid key); how many there have been, with this one."""

    def delivery(self, delivery_id: str) -> Delivery | None: ...

    def delivery_of(self, task_id: str) -> Delivery | None:
        """The callback of a task; of several copies the first."""

    def update_delivery(self, before: Delivery, after: Delivery) -> bool:
        """Put `after` in place of `before`, and plan its next attempt if that has changed.

        Returns:
            False if `before` is no longer what is kept; then nothing has happened.
        """

    def entry(self, request_id: str) -> Exchange | None: ...

    def open_entry(self, exchange: Exchange) -> None:
        """Record a request that has arrived. From then on the entry may be dropped when newer ones need its room."""

    def close_entry(self, opened: Exchange, closed: Exchange) -> None:
        """Put a request with its answer in place of the entry as it was opened, if that is still kept."""

    def tasks(self, wanted: Wanted[Task], limit: int, cursor: str | None = None) -> Page[Task]: ...

    def deliveries(self, wanted: Wanted[Delivery], limit: int, cursor: str | None = None) -> Page[Delivery]: ...

    def entries(self, wanted: Wanted[Exchange], limit: int, cursor: str | None = None) -> Page[Exchange]: ...

    def accounts(self, wanted: Wanted[Account], limit: int, cursor: str | None = None) -> Page[Account]: ...

    def kept(self) -> Mapping[str, Kept]:
        """What is kept of `tasks`, `callbacks`, `requests`, `accounts` and `sinks`."""

    def pending(self) -> Pending: ...

    def reset(self) -> None:
        """Forget everything."""

    def reset_account(self, account: str) -> list[str]:
        """Forget everything of one key's hash, its fault rules included; the ids of the tasks that are gone."""

    def freeze(self) -> Callable[[], Records]:
        """Take all that is kept but the journal, as it is now. What is returned makes the records, in any thread."""

    def prepare(self, records: Records) -> Callable[[], None]:
        """Get records ready, in any thread. What is returned puts them in place of everything."""
