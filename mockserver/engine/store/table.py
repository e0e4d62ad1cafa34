"""A table of the memory store: records by id in the order in which they came, with an index by account."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import dropwhile, islice
from typing import Generic, TypeVar

from mockserver.engine.journal import Exchange

T = TypeVar("T")

_LEAST_STALE = 1_000


def page(
    rows: Mapping[str, T], keys: Iterator[str], keep: Callable[[T], bool], limit: int, cursor: str | None
) -> tuple[list[T], str | None]:
    """Up to `limit` of the rows that `keep` accepts, in the order of `keys`, after the one whose id is the cursor.

    Returns:
        The records, and the cursor of the next page; None if this is the last.
    """
    if cursor is not None:
        keys = islice(dropwhile(cursor.__ne__, keys), 1, None)
    found: list[T] = []
    last = ""
    for key in keys:
        value = rows[key]
        if keep(value):
            if len(found) == limit:
                return found, last
            found.append(value)
            last = key
    return found, None


class Table(Generic[T]):
    """Records stay until they have ended; of the ended ones the newest `bound` stay, and `dropped` counts the others.

    `account_of` says whose a record is, `removed` is called with each record that a bound has dropped.
    """

    def __init__(self, bound: int, account_of: Callable[[T], str], removed: Callable[[T], None]) -> None:
        self.bound = bound
        self.dropped = 0
        self.rows: dict[str, T] = {}
        self._by_account: dict[str, dict[str, None]] = {}
        self._ended: deque[tuple[str, T]] = deque()
        self._stale = 0
        self._account_of = account_of
        self._removed = removed

    @property
    def unended(self) -> int:
        """How many of the records have not ended."""
        return len(self.rows) - len(self._ended) + self._stale

    def add(self, key: str, value: T, account: str) -> None:
        """Add a record of an account under an id that is free."""
        self.rows[key] = value
        keys = self._by_account.get(account)
        if keys is None:
            keys = self._by_account[account] = {}
        keys[key] = None

    def retire(self, key: str) -> None:
        """Say that a record has ended: it may be dropped when newer ones need its room."""
        self._ended.append((key, self.rows[key]))
        while len(self._ended) - self._stale > self.bound:
            oldest, value = self._ended.popleft()
            if self.rows.get(oldest) is not value:
                self._stale -= 1
            else:
                self._remove(oldest, value)
                self.dropped += 1
                self._removed(value)

    def reopen(self, key: str, value: T) -> None:
        """Put a record that goes on after all in place of one that had ended."""
        self.rows[key] = value
        self._count_stale(1)

    def remove_account(self, account: str, ended: Callable[[T], bool]) -> list[T]:
        """Remove the records of an account; `ended` says which of them were retired. Returns them, oldest first."""
        gone = [self.rows.pop(key) for key in self._by_account.pop(account, ())]
        self._count_stale(sum(map(ended, gone)))
        return gone

    def _remove(self, key: str, value: T) -> None:
        del self.rows[key]
        account = self._account_of(value)
        keys = self._by_account[account]
        del keys[key]
        if not keys:
            del self._by_account[account]

    def _count_stale(self, more: int) -> None:
        """Count entries of `_ended` that no longer stand for what is kept; clear them out when they are the most."""
        self._stale += more
        if self._stale > max(_LEAST_STALE, len(self._ended) // 2):
            self._ended = deque(entry for entry in self._ended if self.rows.get(entry[0]) is entry[1])
            self._stale = 0

    def of_account(self, account: str) -> Iterable[str]:
        """The ids of an account's records, oldest first."""
        return self._by_account.get(account, {})

    def page(
        self, keep: Callable[[T], bool], accounts: frozenset[str] | None, limit: int, cursor: str | None
    ) -> tuple[list[T], str | None]:
        """Up to `limit` records of some accounts that `keep` accepts, newest first, older than that of the cursor."""
        if accounts is None:
            return page(self.rows, reversed(self.rows), keep, limit, cursor)
        if len(accounts) == 1:
            (account,) = accounts
            return page(self.rows, reversed(self._by_account.get(account, {})), keep, limit, cursor)
        theirs = {key for account in accounts for key in self._by_account.get(account, ())}
        return page(self.rows, filter(theirs.__contains__, reversed(self.rows)), keep, limit, cursor)


class EntryTable:
    """The journal's entries: the newest `bound` of them stay, answered or not."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.dropped = 0
        self.rows: dict[str, Exchange] = {}
        self._order: deque[str] = deque()

    def add(self, key: str, entry: Exchange) -> None:
        self.rows[key] = entry
        self._order.append(key)
        if len(self._order) > self.bound:
            del self.rows[self._order.popleft()]
            self.dropped += 1

    def remove_account(self, account: str) -> None:
        self.rows = {key: entry for key, entry in self.rows.items() if entry.account != account}
        self._order = deque(self.rows)

    def page(
        self, keep: Callable[[Exchange], bool], limit: int, cursor: str | None
    ) -> tuple[list[Exchange], str | None]:
        """As `Table.page`."""
        return page(self.rows, reversed(self.rows), keep, limit, cursor)
