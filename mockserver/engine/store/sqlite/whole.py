"""All of it at once: forgotten, taken out as values, put back from values."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from heapq import merge
from typing import Any, TypeVar

from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.ledger import AccountRow
from mockserver.engine.schedule import Event, EventKind
from mockserver.engine.store import Records
from mockserver.engine.store.codec import RuleForm, dump_task, load_delivery, load_task
from mockserver.engine.store.in_force import InForce
from mockserver.engine.store.sqlite import callbacks, generations, steering
from mockserver.engine.store.sqlite.rows import ACCOUNT_COLUMNS, account_of, digest, param, text_of
from mockserver.engine.store.sqlite.transaction import READ_HEADER, Header, Process, Transaction, read_force
from mockserver.engine.store.steering import RuleCounts, SteeringRecords

T = TypeVar("T")
_Places = dict[tuple[EventKind, str], tuple[float, int]]
_TABLES = (
    "accounts",
    "usage",
    "tasks",
    "names",
    "deliveries",
    "entries",
    "answers",
    "rules",
    "sinks",
    "received",
    "alarms",
)


def apart(db: sqlite3.Connection, process: Process, change: Callable[..., T], *args: Any) -> tuple[T, InForce]:
    """Do something that takes long in a transaction that is not one of the loop's turns; what is in force then."""
    transaction = Transaction(db.execute, process.apart())
    result = change(transaction, *args)
    transaction.write()
    return result, transaction.force


def begin(transaction: Transaction, state: ServerState) -> ServerState | None:
    """The state of the store; one that is empty takes `state`."""
    found = transaction.force.state
    if found is not None:
        return transaction.process.copy.shown(found)
    transaction.put_state(state)
    return None


def put_clock(transaction: Transaction, clock: ClockState) -> None:
    state = transaction.force.state
    if state is not None:
        transaction.put_state(replace(state, clock=clock))


def reset(transaction: Transaction, state: ServerState) -> None:
    """Forget everything but which processes live and watch, and who advances the clock."""
    for table in _TABLES:
        transaction.run(f"DELETE FROM {table}")
    header = transaction.header
    transaction.begin_anew(
        Header(
            header.version,
            header.last,
            header.processes,
            header.watchers,
            header.advancer,
            accounts_opened=header.accounts_opened,
        )
    )
    transaction.run("UPDATE force SET routes = ?", (b"[]",))
    transaction.put_in_force(rules=(), routes=())
    transaction.put_state(state)
    transaction.tell("reset")


def reset_account(transaction: Transaction, account: str) -> list[str]:
    """Forget everything of one key's hash; the ids of the tasks that are gone, oldest first."""
    run, header, owner = transaction.run, transaction.header, (param(account),)
    tasks = run("SELECT id, ended FROM tasks WHERE account = ? ORDER BY seq", owner).fetchall()
    deliveries = run("SELECT ended FROM deliveries WHERE account = ?", owner).fetchall()
    ended = sum(end is not None for _, end in tasks)
    header.tasks_ended -= ended
    header.tasks_open -= len(tasks) - ended
    ended = sum(end is not None for (end,) in deliveries)
    header.callbacks_ended -= ended
    header.callbacks_open -= len(deliveries) - ended
    run("DELETE FROM names WHERE task IN (SELECT seq FROM tasks WHERE account = ?)", owner)
    run("DELETE FROM tasks WHERE account = ?", owner)
    run("DELETE FROM deliveries WHERE account = ?", owner)
    run("DELETE FROM answers WHERE seq IN (SELECT seq FROM entries WHERE account = ?)", owner)
    header.requests -= run("DELETE FROM entries WHERE account = ?", owner).rowcount
    transaction.write_accounts()
    for row in run("SELECT seq, provider, account FROM accounts WHERE account = ?", owner).fetchall():
        transaction.remove_account(*row)
    steering.forget_rules_of(transaction, account)
    ids = [text_of(name) for name, _ in tasks]
    transaction.tell("forgotten", account, *ids)
    return ids


# taken out


def dump_all(db: sqlite3.Connection, form: RuleForm) -> Records:
    header = Header(*db.execute(READ_HEADER).fetchone())
    tasks = [load_task(data) for (data,) in db.execute("SELECT data FROM tasks ORDER BY seq")]
    deliveries = [load_delivery(data) for (data,) in db.execute("SELECT data FROM deliveries ORDER BY seq")]
    held = db.execute("SELECT id, month FROM tasks WHERE ended IS NULL ORDER BY seq")
    return Records(
        tasks,
        deliveries,
        _dump_accounts(db),
        [(text_of(name), month) for name, month in held],
        _dump_planned(db),
        header.anonymous_requests,
        _dump_steering(db, form, header),
    )


def _dump_accounts(db: sqlite3.Connection) -> list[AccountRow]:
    rows = []
    columns = db.execute(f"SELECT provider, account, {ACCOUNT_COLUMNS} FROM accounts ORDER BY seq").fetchall()
    for provider, account, *values in columns:
        kept = account_of(provider, text_of(account), values)
        kept.row.usage.extend(generations.read_usage(db, kept.seq))
        rows.append(kept.row)
    return rows


def _dump_planned(db: sqlite3.Connection) -> list[Event]:
    """What is planned, in order; what is claimed comes last at its time."""
    kinds: dict[str, EventKind] = {"tasks": "finish", "deliveries": "attempt"}
    parts = []
    for claimed in (False, True):
        holder = "IS NOT NULL" if claimed else "IS NULL"
        found = [
            (due, plan, kinds[table], text_of(name))
            for table in kinds
            for due, plan, name in db.execute(
                f"SELECT due, plan, id FROM {table} WHERE plan IS NOT NULL AND holder {holder}"
            )
        ]
        parts.append(sorted(found))
    return [(due, kind, name) for due, _, kind, name in merge(*parts, key=lambda event: event[0])]


def _dump_steering(db: sqlite3.Connection, form: RuleForm, header: Header) -> SteeringRecords:
    force = read_force(db.execute, form)
    counts = [RuleCounts(*row) for row in db.execute("SELECT matched, fired FROM rules ORDER BY seq")]
    rules = list(zip(force.rules, counts, strict=True))
    return SteeringRecords(rules, header.rules_added, list(force.routes), steering.read_sinks(db))


# put back


def load_all(transaction: Transaction, records: Records, state: ServerState) -> None:
    """Put records in place of everything."""
    reset(transaction, state)
    transaction.header.anonymous_requests = records.anonymous_requests
    _load_accounts(transaction, records.accounts)
    planned = _places(transaction, records)
    _load_tasks(transaction, records, planned)
    _load_deliveries(transaction, records, planned)
    transaction.header.rules_added = records.steering.rules_added
    for rule, counts in records.steering.rules:
        steering.insert_rule(transaction, rule, counts)
    transaction.put_in_force(rules=tuple(rule for rule, _ in records.steering.rules))
    steering.write_routes(transaction, tuple(records.steering.routes))
    steering.load_sinks(transaction, records.steering.sinks)
    transaction.put_state(state)


def _load_accounts(transaction: Transaction, rows: list[AccountRow]) -> None:
    for row in rows:
        kept = transaction.open_account(row.provider, row.id)
        kept.row, kept.usage_count = replace(row, usage=type(row.usage)()), len(row.usage)
        secret = transaction.process.keys.key_of(row.id)
        place = (kept.seq << 32) + row.usage_dropped
        for number, usage in enumerate(row.usage, place):
            data = dump_task(usage.task, secret)
            transaction.run("INSERT INTO usage VALUES (?, ?, ?, ?)", (number, usage.time, usage.amount, data))


def _load_tasks(transaction: Transaction, records: Records, planned: _Places) -> None:
    header, months = transaction.header, dict(records.held)
    for task in records.tasks:
        job = task.job
        month = months.get(task.id)
        seq, data = header.next(), dump_task(task, transaction.process.keys.key_of(job.account))
        due, plan = planned.get(("finish", task.id), (task.due, None))
        ended = seq if month is None else None
        transaction.run(
            "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
            (
                seq,
                digest(task.id),
                param(task.id),
                job.provider,
                param(job.account),
                due,
                plan,
                month or "",
                ended,
                data,
            ),
        )
        generations.remember(transaction, task, seq)
    header.tasks_open = len(months)
    header.tasks_ended = len(records.tasks) - len(months)
    header.first_end = min((due for (kind, _), (due, _) in planned.items() if kind == "finish"), default=float("inf"))


def _load_deliveries(transaction: Transaction, records: Records, planned: _Places) -> None:
    seen = set[str]()
    for delivery in records.deliveries:
        callbacks.insert(transaction, delivery, first=delivery.task_id not in seen)
        seen.add(delivery.task_id)
        due, plan = planned.get(("attempt", delivery.id), (delivery.next_attempt, None))
        transaction.run("UPDATE deliveries SET due = ?, plan = ? WHERE key = ?", (due, plan, digest(delivery.id)))


def _places(transaction: Transaction, records: Records) -> _Places:
    """When each event falls due, and its place in the order of planning."""
    header = transaction.header
    return {(kind, name): (due, header.next()) for due, kind, name in records.planned}
