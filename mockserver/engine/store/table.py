"""A table of the memory store: records by id in the order in which they came, with an index by account."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from operator import indexOf
from typing import Generic, TypeVar

from mockserver.engine.journal import Exchange
from mockserver.engine.pieces import Container
from mockserver.engine.store import Wanted
from mockserver.engine.store.arrivals import Arrivals

T = TypeVar("T")

_LEAST_STALE = 1_000

_FEW = 10_000
"""Ids that are gone through one by one to reach a cursor."""


def page(
    rows: Mapping[str, T], keys: Iterator[str], keep: Callable[[T], bool], limit: int, cursor: str | None
) -> tuple[list[T], str | None]:
    """Up to `limit` of the rows that `keep` accepts, in the order of `keys`, after the one whose id is the cursor.

    Returns:
        The records, and the cursor of the next page; None if this is the last.
    """
    if cursor is not None and not _skip(keys, cursor):
        return [], None
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


def _skip(keys: Iterator[str], cursor: str) -> bool:
    """Go on to the key behind a cursor; False if there is no such cursor."""
    try:
        indexOf(keys, cursor)
    except ValueError:
        return False
    return True


class Table(Generic[T]):
    """Records stay until they have ended; of the ended ones the newest `bound` stay, and `dropped` counts the others.

    `owner_of` says of which provider and account a record is, `removed` is called with each that the bound has dropped.
    """

    def __init__(self, bound: int, owner_of: Callable[[T], tuple[str, str]], removed: Callable[[T], None]) -> None:
        self.bound = bound
        self.dropped = 0
        self.rows: dict[str, T] = {}
        self._arrivals = Arrivals()
        self._by_account = defaultdict[str, dict[str, int]](dict)
        """The ids of an account, with the number of each one's block of arrivals."""

        self._ended: deque[tuple[str, T]] = deque()
        self._stale = 0
        self._owner_of = owner_of
        self._removed = removed

    @property
    def unended(self) -> int:
        """How many of the records have not ended."""
        return len(self.rows) - len(self._ended) + self._stale

    def add(self, key: str, value: T, provider: str, account: str) -> None:
        """Add a record of a provider and an account under an id that is free."""
        self.rows[key] = value
        self._by_account[account][key] = self._arrivals.add(key, provider)

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

    def remove_account(self, account: str, ended: Callable[[dict[str, T]], int]) -> dict[str, T]:
        """Remove the records of an account; `ended` says how many of some were retired. Returns them, oldest first."""
        numbers = self._by_account.pop(account, {})
        gone = dict(zip(numbers, map(self.rows.pop, numbers), strict=True))
        self._arrivals.remove_all(numbers)
        self._count_stale(ended(gone))
        return gone

    def contents(self) -> list[Container]:
        """What holds the records, for a table that nobody reads any more."""
        return [self.rows, self._ended, *self._arrivals.contents(), *self._by_account.values()]

    def _remove(self, key: str, value: T) -> None:
        del self.rows[key]
        _, account = self._owner_of(value)
        keys = self._by_account[account]
        self._arrivals.remove(key, keys.pop(key))
        if not keys:
            del self._by_account[account]

    def _count_stale(self, more: int) -> None:
        """Count entries of `_ended` that no longer stand for what is kept; clear them out when they are the most."""
        self._stale += more
        if self._stale > max(_LEAST_STALE, len(self._ended) // 2):
            self._ended = deque(entry for entry in self._ended if self.rows.get(entry[0]) is entry[1])
            self._stale = 0

    def page(self, wanted: Wanted[T], limit: int, cursor: str | None) -> tuple[list[T], str | None]:
        """Up to `limit` records that are wanted, newest first, older than the one whose id is the cursor."""
        if wanted.all and cursor is None and limit >= len(self.rows):
            return list(reversed(self.rows.values())), None  # many times as fast as asking for each
        before = None
        if cursor is not None:
            before = self._place(cursor, wanted)
            if before is None:
                return [], None
        if wanted.provider is not None and wanted.accounts is not None:
            wanted = replace(wanted, keep=partial(self._is_kept, wanted))
        return page(self.rows, self._keys(wanted, before), wanted.keep, limit, None)

    def _place(self, cursor: str, wanted: Wanted[T]) -> tuple[str, int] | None:
        """An id with the number of its block; None if there is none, or its record is not of the wanted owners."""
        if cursor not in self.rows:
            return None
        provider, account = self._owner_of(self.rows[cursor])
        if wanted.provider in (None, provider) and (wanted.accounts is None or account in wanted.accounts):
            return cursor, self._by_account[account][cursor]
        return None

    def _is_kept(self, wanted: Wanted[T], value: T) -> bool:
        return self._owner_of(value)[0] == wanted.provider and wanted.keep(value)

    def _keys(self, wanted: Wanted[T], before: tuple[str, int] | None) -> Iterator[str]:
        """The ids of the wanted accounts, if there are any, else of the wanted provider, newest first."""
        if wanted.accounts is None:
            return self._arrivals.newest_first(before, wanted.provider)
        parts = [self._by_account.get(account, {}) for account in wanted.accounts]
        if len(parts) == 1 and (before is None or len(parts[0]) <= _FEW):
            keys = reversed(parts[0])
            if before is not None:
                indexOf(keys, before[0])
            return keys
        within = set(chain.from_iterable(part.values() for part in parts))
        found = self._arrivals.newest_first(before, within=within)
        return (key for key in found if any(key in part for part in parts))


class EntryTable:
    """The journal's entries: the newest `bound` of them stay, answered or not.

    An entry is filled in until its request has been answered, so what is handed out of an unanswered one is a copy.
    """

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

    def entry(self, key: str) -> Exchange | None:
        entry = self.rows.get(key)
        return None if entry is None else _as_it_is(entry)

    def remove_account(self, account: str) -> dict[str, Exchange]:
        """Remove the entries of an account. Returns what held them, with the others."""
        before = self.rows
        self.rows = {key: entry for key, entry in before.items() if entry.account != account}
        self._order = deque(self.rows)
        return before

    def page(self, wanted: Wanted[Exchange], limit: int, cursor: str | None) -> tuple[list[Exchange], str | None]:
        """As `Table.page`, without an index: there are few."""

        def accepted(entry: Exchange) -> bool:
            mine = wanted.accounts is None or entry.account in wanted.accounts
            return mine and wanted.provider in (None, entry.provider) and wanted.keep(entry)

        found, following = page(self.rows, reversed(self.rows), accepted, limit, cursor)
        return [_as_it_is(entry) for entry in found], following


def _as_it_is(entry: Exchange) -> Exchange:
    return replace(entry) if entry.status is None else entry
