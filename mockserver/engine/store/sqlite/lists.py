"""Lists and counts. They are read in a thread, on a connection of its own: a long one holds no other call up."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from mockserver.engine.ledger import Account
from mockserver.engine.sinks import SINKS_KEPT
from mockserver.engine.store import Bounds, Kept, Page, Pending, Wanted
from mockserver.engine.store.codec import dump, load_arrival, load_delivery, load_task
from mockserver.engine.store.sqlite.rows import ACCOUNT_COLUMNS, Run, account_of, digest, param, text_of
from mockserver.engine.store.sqlite.transaction import READ_HEADER, Header

T = TypeVar("T")


TASKS = ("tasks", "tasks.data", load_task)
DELIVERIES = ("deliveries", "deliveries.data", load_delivery)
ENTRIES = ("entries LEFT JOIN answers USING (seq)", "entries.data, answers.data", load_arrival)
"""Where the records of a list are, and how they are read."""


def page(
    db: sqlite3.Connection,
    source: tuple[str, str, Callable[..., T]],
    wanted: Wanted[T],
    limit: int,
    cursor: str | None,
) -> Page[T]:
    """Up to `limit` records that are wanted, newest first, older than the one whose id is the cursor."""
    tables, columns, read = source
    conditions, values = _conditions(wanted)
    if cursor is not None:
        place = db.execute(
            f"SELECT seq FROM {tables} WHERE key = ? AND {conditions}", (digest(cursor), *values)
        ).fetchone()
        if place is None:
            return [], None
        conditions, values = f"{conditions} AND seq < ?", [*values, place[0]]
    rows = db.execute(f"SELECT id, {columns} FROM {tables} WHERE {conditions} ORDER BY seq DESC", values)
    return _first(((text_of(name), read(*data)) for name, *data in rows), wanted, limit)


def accounts(db: sqlite3.Connection, wanted: Wanted[Account], limit: int, cursor: str | None) -> Page[Account]:
    """As `page`; the cursor is the provider and the account."""
    conditions, values = _conditions(wanted)
    if cursor is not None:
        provider, _, account = cursor.partition("/")
        place = db.execute(
            f"SELECT seq FROM accounts WHERE account = ? AND provider = ? AND {conditions}",
            (param(account), provider, *values),
        ).fetchone()
        if place is None:
            return [], None
        conditions, values = f"{conditions} AND seq < ?", [*values, place[0]]
    rows = db.execute(
        f"SELECT provider, account, {ACCOUNT_COLUMNS} FROM accounts WHERE {conditions} ORDER BY seq DESC", values
    )
    shown = ((account_of(provider, text_of(name), columns).row.value()) for provider, name, *columns in rows)
    return _first(((f"{account.provider}/{account.id}", account) for account in shown), wanted, limit)


def _conditions(wanted: Wanted[Any]) -> tuple[str, list[Any]]:
    conditions, values = ["1"], list[Any]()
    if wanted.provider is not None:
        conditions.append("provider = ?")
        values.append(param(wanted.provider))
    if wanted.accounts is not None and len(wanted.accounts) == 1:
        conditions.append("account = ?")
        values += [param(account) for account in wanted.accounts]
    elif wanted.accounts is not None:
        conditions.append("account IN (SELECT value FROM json_each(?))")
        values.append(dump([account for account in wanted.accounts if account.isascii()]).decode())
    return " AND ".join(conditions), values


def _first(rows: Iterator[tuple[str, T]], wanted: Wanted[T], limit: int) -> Page[T]:
    found: list[T] = []
    last = ""
    for name, record in rows:
        if wanted.keep(record):
            if len(found) == limit:
                return found, last
            found.append(record)
            last = name
    return found, None


def kept(run: Run, bounds: Bounds) -> dict[str, Kept]:
    header = Header(*run(READ_HEADER).fetchone())
    callbacks = header.callbacks_open + header.callbacks_ended
    return {
        "tasks": Kept(header.tasks_open + header.tasks_ended, bounds.tasks, header.tasks_dropped),
        "callbacks": Kept(callbacks, bounds.callbacks, header.callbacks_dropped),
        "requests": Kept(header.requests, bounds.requests, header.requests_dropped),
        "accounts": Kept(header.accounts, bounds.accounts, header.accounts_dropped),
        "sinks": Kept(header.sinks, SINKS_KEPT, header.sinks_dropped),
    }


def pending(run: Run) -> Pending:
    header = Header(*run(READ_HEADER).fetchone())
    attempts = run("SELECT count(*) FROM deliveries WHERE plan IS NOT NULL AND holder IS NULL").fetchone()[0]
    return Pending(header.tasks_open, header.callbacks_open, attempts)
