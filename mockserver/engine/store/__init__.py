"""The store: everything that outlives a request, changed through the verbs of one object and no other way.

Each verb is one transaction, and is awaited: in memory none of them suspends, a shared store waits for its answer, and
between two verbs another request or another process may act. What a store is given and what it hands out are values:
nobody changes one afterwards, and the store puts a new value in place of an old one.

What is read without waiting is only what a process holds a copy of that is valid for the request that it answers: the
bounds, the opening terms, and the fault rules and callback routes in force.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from heapq import merge
from typing import Generic, Literal, Protocol, TypeVar

from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import ServerState
from mockserver.engine.fast_dataclass import fast_dataclass
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


@fast_dataclass
class Bounds:
    """How many records are kept: ended tasks, and as many that have not ended; requests, ended callbacks, accounts."""

    tasks: int = 100_000
    requests: int = 5_000
    callbacks: int = 20_000
    accounts: int = 20_000


@fast_dataclass
class Kept:
    """How many records of a kind there are, how many are kept at most, and how many that bound has dropped."""

    count: int
    bound: int
    dropped: int


@fast_dataclass
class Pending:
    """How many tasks and callbacks have not ended, and how many attempts of callbacks are planned."""

    tasks: int
    callbacks: int
    attempts: int


def every(_: object) -> bool:
    return True


@fast_dataclass
class Wanted(Generic[T]):
    """Which records a list shows: those of a provider and of some accounts (hashes of keys) that `keep` accepts."""

    provider: str | None = None
    accounts: frozenset[str] | None = None
    keep: Callable[[T], bool] = every

    @property
    def all(self) -> bool:
        """Whether that is every record."""
        return self.provider is None and self.accounts is None and self.keep is every


Page = tuple[list[T], str | None]
"""Records, newest first, and the cursor of the next page; None if this is the last."""


@fast_dataclass
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


BEGUN = "begun"
"""The name of a "reset" that is told to the process which began anew in a store that came back empty: what the settings
put in force is for it to put in force again."""

ChangeKind = Literal["ended", "attempt", "request", "state", "reset", "forgotten", "control", "planned"]


WATCHED: tuple[ChangeKind, ...] = ("request", "attempt")
"""What is told only while a process of the store watches: nearly every call makes one."""


@fast_dataclass
class Change:
    """What another process did to a store that several share.

    | `kind` | `name` | what happened |
    |---|---|---|
    | `ended` | a task's id | the task has ended |
    | `attempt` | a callback's id | an attempt was put on record |
    | `request` | a request's id | the request was answered |
    | `state` | | `state` is in force: clock, seed or autojump are others, or the clock was moved |
    | `reset` | "" or `BEGUN` | everything was forgotten or replaced; `state` is in force |
    | `forgotten` | an account | a reset by key; `task_ids` are the tasks that are gone |
    | `control` | a control call's path | the control surface has changed something |
    | `planned` | | others may have planned, ended or left something: what is due and waited for is looked at again |
    """

    kind: ChangeKind
    name: str = ""
    state: ServerState | None = None
    task_ids: Sequence[str] = ()


Listener = Callable[[Change], None]
"""Is told of each change by another process, in the event loop of the process that opened the store. It never waits."""


def with_attempts_under_way(queued: Sequence[Event], deliveries: Sequence[Delivery]) -> list[Event]:
    """What is planned, in order, from what is queued; an attempt that is under way comes last at its time."""
    known = {name for _, kind, name in queued if kind == "attempt"}
    under_way: list[Event] = [
        (delivery.next_attempt, "attempt", delivery.id)
        for delivery in deliveries
        if delivery.next_attempt is not None and not delivery.ended and delivery.id not in known
    ]
    under_way.sort(key=lambda event: event[0])
    return list(merge(queued, under_way, key=lambda event: event[0]))


class Store(DueEvents, Protocol):
    """The verbs. Accounts are opened by the first call that counts towards them; looking at one does not open it.

    Every awaited verb raises StoreUnavailable while what is behind the store can't be used; then nothing has happened,
    as far as is known.
    """

    @property
    def bounds(self) -> Bounds: ...

    @property
    def steering(self) -> Steering:
        """The verbs for fault rules, callback routes and sinks. A reset begins it anew, as it does everything."""

    def set_terms(self, terms: Mapping[tuple[str, str], AccountChange]) -> None:
        """Say what accounts that this process opens begin with other than the opening balance, by provider and account;
        "" is every account. Each process of a shared store is told the same by its scenarios."""

    # its life

    async def open(self, listener: Listener) -> None:
        """Connect, and tell `listener` of the changes by other processes from now on.

        Raises:
            StoreUnavailable: what is behind the store can't be used, or is of another form; the text says why.
        """

    async def begin(self, state: ServerState) -> ServerState | None:
        """Go on with what the store has: its state is returned. If the store was empty, it takes `state`; then None."""

    async def put_state(self, state: ServerState) -> None:
        """Go on with this clock and autojump, for all processes; the records stay."""

    async def close(self) -> None:
        """End whatever runs for this store in the event loop, and disconnect, if `open` got that far."""

    # what a process knows without waiting, and how it is kept up to date

    async def count_request(self, provider: str, account: str) -> int:
        """Count a request of an account ("" for one without a valid key); how many there have been, with this one.

        The first verb of each request. By the same round trip a shared store brings up to date this process's copy of
        what is in force: rules, routes, clock, seed and autojump.
        """

    async def refresh(self) -> None:
        """Bring up to date the copy of what is in force, as `count_request` does; the first verb of a control call."""

    async def watch(self, wanted: bool) -> None:
        """Be told of the `WATCHED` changes by other processes from now on, or no longer. A store that is away is asked
        again when it is back."""

    async def announce_control(self, path: str) -> None:
        """Tell the other processes that a control call, by its path, has changed something."""

    # generations and their money

    async def submit(self, job: Job, now: float, plan: Callable[[Job, float, int, int], Task]) -> Task:
        """Accept a job: hold its price, and keep and plan its task.

        Args:
            plan: makes the task of a job at an instant, from the number of the account's generation (from 0), and from
                how many ids were drawn for it that were taken. It is called up to `DRAWS` times for a number; a shared
                store may begin again with another number.

        Raises:
            Problem: OUT_OF_BALANCE; UNAVAILABLE when no more tasks can be held. Then nothing has happened.
        """

    async def settle(self, task: Task, deliveries: Sequence[Delivery] = ()) -> bool:
        """End a task: capture its money, or release it if it failed, and open its callbacks.

        The first of `deliveries` is the task's callback, the others are copies of it. Unless it is held back itself, it
        releases the callbacks of its account that are.

        Returns:
            False if the task has ended before or is gone; then nothing has happened.
        """

    async def task(self, task_id: str) -> Task | None: ...

    async def is_open(self, task_id: str) -> bool:
        """Whether a task is kept whose end has not been settled."""

    async def traced(self, provider: str, account: str, trace_id: str) -> Task | None:
        """The newest task of an account with a trace id."""

    async def replayed(self, provider: str, account: str, idempotency_key: str) -> Task | None:
        """The newest task of an account that was submitted with an idempotency key."""

    async def account(self, provider: str, account: str) -> Account:
        """An account as it stands, or as it would open."""

    async def usage(self, provider: str, account: str) -> tuple[Usage, ...]:
        """The usage records of an account, oldest first."""

    async def check_money(self, job: Job, now: float) -> None:
        """Make sure that a job's account can pay for it. Raises Problem(OUT_OF_BALANCE)."""

    async def admit(self, provider: str, account: str, now: float) -> None:
        """Count a billable call towards an account's rate limit. Raises Problem(RATE_LIMITED)."""

    async def change_account(self, provider: str, account: str, change: AccountChange, now: float) -> Account:
        """Set balance, quota or rate limit; the account as it stands then."""

    # callbacks

    async def delivery(self, delivery_id: str) -> Delivery | None: ...

    async def delivery_of(self, task_id: str) -> Delivery | None:
        """The callback of a task; of several copies the first."""

    async def update_delivery(self, before: Delivery, after: Delivery) -> bool:
        """Put `after` in place of `before`, and plan its next attempt if that has changed.

        Returns:
            False if `before` is no longer what is kept; then nothing has happened.
        """

    # the journal

    async def open_entry(self, exchange: Exchange) -> bool:
        """Record a request that has arrived. From then on the entry may be dropped when newer ones need its room.

        Returns:
            False if the id is that of another entry; then nothing has happened.
        """

    async def close_entry(self, opened: Exchange, closed: Exchange) -> None:
        """Put a request with its answer in place of the entry as it was opened, if that is still kept."""

    # lists and counts

    async def tasks(self, wanted: Wanted[Task], limit: int, cursor: str | None = None) -> Page[Task]: ...

    async def deliveries(self, wanted: Wanted[Delivery], limit: int, cursor: str | None = None) -> Page[Delivery]: ...

    async def entries(self, wanted: Wanted[Exchange], limit: int, cursor: str | None = None) -> Page[Exchange]: ...

    async def accounts(self, wanted: Wanted[Account], limit: int, cursor: str | None = None) -> Page[Account]: ...

    async def entry(self, request_id: str) -> Exchange | None: ...

    async def kept(self) -> Mapping[str, Kept]:
        """What is kept of `tasks`, `callbacks`, `requests`, `accounts` and `sinks`."""

    async def pending(self) -> Pending: ...

    # all of it

    async def reset(self, state: ServerState) -> None:
        """Forget everything, and go on with this clock, seed and autojump."""

    async def reset_account(self, account: str) -> list[str]:
        """Forget everything of one key's hash, its fault rules included; the ids of the tasks that are gone."""

    async def dump(self) -> Records:
        """All that is kept but the journal, as it was at one instant between call and answer."""

    async def load(self, records: Records, state: ServerState) -> None:
        """Put records in place of everything at one instant, and go on with this clock, seed and autojump."""
