"""What one transaction has at hand: the counters, the accounts that it has touched, and what it tells other processes.

Verbs change these as they go; `write` puts them into the file, once, before the commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

from mockserver.engine.accounts import KnownKeys
from mockserver.engine.clock import ServerState, wall
from mockserver.engine.ledger import AccountChange, AccountRow
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store import WATCHED, Bounds
from mockserver.engine.store.codec import RuleForm, dump, dump_state, load_routes, load_rule, load_state
from mockserver.engine.store.in_force import Copy, InForce
from mockserver.engine.store.shared import new_row
from mockserver.engine.store.sqlite.rows import (
    KeptAccount,
    Run,
    insert_account,
    read_account,
    text_of,
    write_account,
    write_requests,
)

CHANGES_KEPT = 30.0
"""Seconds for which other processes can learn of a change; they look a hundred times a second."""


@dataclass(slots=True)
class Header:
    """The counters, in the order of the columns."""

    version: int = 1
    last: int = 0
    processes: int = 0
    watchers: int = 0
    advancer: str = ""
    first_end: float = float("inf")
    anonymous_requests: int = 0
    tasks_open: int = 0
    tasks_ended: int = 0
    tasks_dropped: int = 0
    callbacks_open: int = 0
    callbacks_ended: int = 0
    callbacks_dropped: int = 0
    requests: int = 0
    requests_dropped: int = 0
    accounts: int = 0
    accounts_opened: int = 0
    accounts_dropped: int = 0
    sinks: int = 0
    sinks_dropped: int = 0
    receipts: int = 0
    receipts_length: int = 0
    rules_added: int = 0

    def next(self) -> int:
        """The number of the next row of any table."""
        self.last += 1
        return self.last


_NAMES = [field.name for field in fields(Header)]
_VALUES = attrgetter(*_NAMES)
READ_HEADER = f"SELECT {', '.join(_NAMES)} FROM header"
_WRITE_HEADER = f"UPDATE header SET {', '.join(f'{name} = ?' for name in _NAMES)}"
NEW_HEADER = f"INSERT INTO header (id, {', '.join(_NAMES)}) VALUES (1{', ?' * len(_NAMES)})"


@dataclass(slots=True)
class Known:
    """What this process knows of the file since its last transaction: the header and accounts.

    It holds as long as `PRAGMA data_version`, read under the lock, says that no other connection has changed anything.
    """

    data_version: int
    header: Header
    accounts: dict[tuple[str, str], KeptAccount]


ACCOUNTS_KNOWN = 1_000


class Process:
    """What belongs to this process and not to the file. No end falls due before `first_end`, as of the last look."""

    def __init__(self, opening: Mapping[str, int], bounds: Bounds, rule_form: RuleForm) -> None:
        self.name = ""
        self.watches = False
        self.opening = opening
        self.bounds = bounds
        self.rule_form = rule_form
        self.terms: Mapping[tuple[str, str], AccountChange] = {}
        self.keys = KnownKeys(bounds.accounts)
        self.copy = Copy(wall)
        self.first_end = float("inf")
        self.known: Known | None = None

    def apart(self) -> "Process":
        """This process for a transaction in another thread, which tells nobody of what it finds in force."""
        other = Process(self.opening, self.bounds, self.rule_form)
        other.name, other.terms, other.keys = self.name, self.terms, self.keys
        return other

    def new_row(self, provider: str, account: str) -> AccountRow:
        return new_row(self.opening, self.terms, provider, account)


class Transaction:
    """`force` is what is in force; a verb that changes it puts a new value there, with the next version."""

    __slots__ = ("_accounts", "_changed", "_counted", "_read", "_version", "force", "header", "process", "run", "told")

    def __init__(self, run: Run, process: Process) -> None:
        self.run = run
        self.process = process
        self._version: int = run("PRAGMA data_version").fetchone()[0]
        known, process.known = process.known, None
        if known is None or known.data_version != self._version:
            known = Known(self._version, Header(*run(READ_HEADER).fetchone()), {})
        self.header, self._accounts = known.header, known.accounts
        self._read = _VALUES(self.header)
        if process.copy.current.version != self.header.version:
            process.copy.take(read_force(run, process.rule_form))
        self.force = process.copy.current
        self.told: list[tuple[str, ...]] = []
        self._changed: dict[int, KeptAccount] = {}
        self._counted: dict[int, KeptAccount] = {}

    def committed(self) -> None:
        """Keep what the next transaction can go on with, and hand on what is in force now."""
        process = self.process
        if len(self._accounts) > ACCOUNTS_KNOWN:
            self._accounts.clear()
        process.known = Known(self._version, self.header, self._accounts)
        process.first_end = self.header.first_end
        if self.force is not process.copy.current:
            process.copy.put(self.force)

    def tell(self, *change: str) -> None:
        """Tell the other processes of a change, if there are any, and if one watches where that counts: its kind, its
        name, and ids of tasks."""
        if self.header.processes > 1 and (self.header.watchers or change[0] not in WATCHED):
            self.told.append(change)

    def put_in_force(self, **changes: Any) -> None:
        """Put other rules, routes or another state in force, for all processes."""
        self.header.version += 1
        self.force = replace(self.force, version=self.header.version, **changes)

    def put_state(self, state: ServerState) -> None:
        """Put the clock of this moment in force, with seed and autojump."""
        stored = self.process.copy.stored(state)
        self.run("UPDATE force SET state = ?", (dump_state(stored),))
        self.put_in_force(state=stored)

    def account(self, provider: str, account: str) -> KeptAccount | None:
        """An account that is there, for reading."""
        kept = self._accounts.get((provider, account))
        if kept is None and (kept := read_account(self.run, provider, account)) is not None:
            self._accounts[provider, account] = kept
        return kept

    def open_account(self, provider: str, account: str) -> KeptAccount:
        """An account that is about to be changed, opened if it is new."""
        kept = self.account(provider, account) or self._new_account(provider, account)
        self._changed[kept.seq] = kept
        return kept

    def count_request(self, provider: str, account: str) -> int:
        """Count a request of an account, opened if it is new; how many there have been."""
        kept = self.account(provider, account)
        if kept is None:
            kept = self.open_account(provider, account)
        else:
            self._counted[kept.seq] = kept
        kept.row.requests += 1
        return kept.row.requests

    def _new_account(self, provider: str, account: str) -> KeptAccount:
        header = self.header
        if header.accounts >= self.process.bounds.accounts:
            self._drop_idle_account()
        header.accounts += 1
        header.accounts_opened += 1
        kept = KeptAccount(header.accounts_opened, self.process.new_row(provider, account), 0)
        insert_account(self.run, kept)
        self._accounts[provider, account] = kept
        return kept

    def _drop_idle_account(self) -> None:
        """Drop the oldest account that holds nothing."""
        self.write_accounts()
        idle = self.run("SELECT seq, provider, account FROM accounts WHERE held = 0 ORDER BY seq LIMIT 1").fetchone()
        if idle is not None:
            self.remove_account(*idle)
            self.header.accounts_dropped += 1

    def remove_account(self, seq: int, provider: str, account: str | bytes) -> None:
        """Remove an account and its usage records."""
        self.write_accounts()
        self._accounts.pop((provider, text_of(account)), None)
        self.run("DELETE FROM accounts WHERE seq = ?", (seq,))
        self.run("DELETE FROM usage WHERE id >= ? AND id < ?", (seq << 32, seq + 1 << 32))
        self.header.accounts -= 1

    def begin_anew(self, header: Header) -> None:
        """Go on with these counters; the accounts have been removed."""
        self.header = header
        self._accounts.clear()
        self._changed.clear()
        self._counted.clear()

    def write_accounts(self) -> None:
        for kept in self._changed.values():
            write_account(self.run, kept)
        for seq in self._counted.keys() - self._changed.keys():
            write_requests(self.run, self._counted[seq])
        self._changed.clear()
        self._counted.clear()

    def write(self) -> None:
        """Put everything that the verbs have changed into the file, and keep within the bounds."""
        header, bounds = self.header, self.process.bounds
        self.write_accounts()
        if header.requests > bounds.requests:
            self._drop_entries(header.requests - bounds.requests)
        if header.tasks_ended > bounds.tasks:
            self._drop_tasks(header.tasks_ended - bounds.tasks)
        if header.callbacks_ended > bounds.callbacks:
            self._drop_deliveries(header.callbacks_ended - bounds.callbacks)
        if self.told:
            self._write_changes()
        values = _VALUES(header)
        if values != self._read:
            self.run(_WRITE_HEADER, values)

    def _drop_entries(self, number: int) -> None:
        oldest = "SELECT seq FROM entries ORDER BY seq LIMIT ?"
        self.run(f"DELETE FROM answers WHERE seq IN ({oldest})", (number,))
        self.run(f"DELETE FROM entries WHERE seq IN ({oldest})", (number,))
        self.header.requests -= number
        self.header.requests_dropped += number

    def _drop_tasks(self, number: int) -> None:
        oldest = "SELECT seq FROM tasks WHERE ended IS NOT NULL ORDER BY ended LIMIT ?"
        self.run(f"DELETE FROM names WHERE task IN ({oldest})", (number,))
        self.run(f"DELETE FROM tasks WHERE seq IN ({oldest})", (number,))
        self.header.tasks_ended -= number
        self.header.tasks_dropped += number

    def _drop_deliveries(self, number: int) -> None:
        oldest = "SELECT seq FROM deliveries WHERE ended IS NOT NULL ORDER BY ended LIMIT ?"
        self.run(f"DELETE FROM deliveries WHERE seq IN ({oldest})", (number,))
        self.header.callbacks_ended -= number
        self.header.callbacks_dropped += number

    def _write_changes(self) -> None:
        """Leave for the other processes what has changed, and take away what all of them have read long ago."""
        now, seq = wall(), self.header.next()
        self.run("INSERT INTO changes VALUES (?, ?, ?, ?)", (seq, self.process.name, now, dump(self.told)))
        if seq % 64 == 0:
            self.run("DELETE FROM changes WHERE seq < ? AND at < ?", (seq, now - CHANGES_KEPT))


def read_force(run: Run, form: RuleForm) -> InForce:
    """What is in force by the file, in the transaction under way."""
    version = run("SELECT version FROM header").fetchone()[0]
    state, routes = run("SELECT state, routes FROM force").fetchone()
    rules = run("SELECT data FROM rules ORDER BY seq").fetchall()
    try:
        read = tuple([load_rule(form, data) for (data,) in rules])
    except ValueError as error:
        raise StoreUnavailable(f"the store has a fault rule that this server can't apply: {error!s:.300}") from None
    return InForce(version, load_state(state) if state is not None else None, read, load_routes(routes))
