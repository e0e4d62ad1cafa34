"""Generations: tasks with their money and their names."""

import sqlite3
from collections.abc import Callable, Sequence

from mockserver.engine.callbacks import Delivery
from mockserver.engine.ledger import USAGE_KEPT, Usage
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.store import DRAWS
from mockserver.engine.store.codec import dump_task, load_task
from mockserver.engine.store.sqlite.callbacks import open_deliveries
from mockserver.engine.store.sqlite.rows import KeptAccount, Run, digest, param
from mockserver.engine.store.sqlite.transaction import Transaction
from mockserver.engine.tasks import Job, Task

TRACE, REPLAY = "trace", "replay"
"""The kinds of names."""


def submit(transaction: Transaction, job: Job, now: float, plan: Callable[[Job, float, int, int], Task]) -> Task:
    kept, header = transaction.open_account(job.provider, job.account), transaction.header
    row = kept.row
    row.check(job.cost, now)
    bound = transaction.process.bounds.tasks
    if header.tasks_open >= bound:
        raise Problem(Kind.UNAVAILABLE, f"{bound} generations are under way, as many as --keep-tasks allows")
    month, seq = row.hold(job.cost, now), header.next()
    try:
        task = _insert(transaction, seq, job, now, plan, row.submissions, month)
    except BaseException:
        row.release(job.cost, month)
        raise
    row.submissions += 1
    header.tasks_open += 1
    if job.trace_id or job.idempotency:
        remember(transaction, task, seq)
    if not job.stuck and task.due < header.first_end:
        header.first_end = task.due
    return task


def _insert(
    transaction: Transaction,
    seq: int,
    job: Job,
    now: float,
    plan: Callable[[Job, float, int, int], Task],
    number: int,
    month: str,
) -> Task:
    """Keep the task of a job under the first of its ids that is free."""
    secret = transaction.process.keys.key_of(job.account)
    for draws in range(DRAWS):
        task = plan(job, now, number, draws)
        inserted = transaction.run(
            "INSERT OR IGNORE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, NULL, ?)",
            (
                seq,
                digest(task.id),
                param(task.id),
                job.provider,
                param(job.account),
                task.due,
                None if job.stuck else seq,
                month,
                dump_task(task, secret),
            ),
        )
        if inserted.rowcount:
            return task
    raise Problem(Kind.UNAVAILABLE, "no task id is free")


def remember(transaction: Transaction, task: Task, seq: int) -> None:
    """Let a task's names mean it from now on."""
    job = task.job
    for kind, name in ((TRACE, job.trace_id), (REPLAY, job.idempotency.key if job.idempotency else None)):
        if name is not None and (name or kind == REPLAY):
            place = digest(job.provider, job.account, kind, name)
            transaction.run("INSERT OR REPLACE INTO names VALUES (?, ?)", (place, seq))


def settle(transaction: Transaction, task: Task, deliveries: Sequence[Delivery]) -> bool:
    job, header = task.job, transaction.header
    found = transaction.run(
        "SELECT seq, month FROM tasks WHERE key = ? AND ended IS NULL", (digest(task.id),)
    ).fetchone()
    if found is None:
        return False
    seq, month = found
    kept = transaction.open_account(job.provider, job.account)
    data = dump_task(task, transaction.process.keys.key_of(job.account))
    if task.failure:
        kept.row.release(job.cost, month)
    else:
        _capture(transaction, kept, task, data)
    transaction.run(
        "UPDATE tasks SET data = ?, ended = ?, plan = NULL, holder = NULL WHERE seq = ?", (data, header.next(), seq)
    )
    header.tasks_open -= 1
    header.tasks_ended += 1
    transaction.tell("ended", task.id)
    if deliveries:
        open_deliveries(transaction, deliveries, task.due)
    return True


def _capture(transaction: Transaction, kept: KeptAccount, task: Task, data: bytes) -> None:
    """Charge what is held for a task, and record its usage; the oldest record past the bound goes."""
    row = kept.row
    row.capture(Usage(task.due, task, task.job.cost))
    row.usage.clear()
    number = row.usage_dropped + kept.usage_count
    place = kept.seq << 32
    transaction.run("INSERT INTO usage VALUES (?, ?, ?, ?)", (place + number, task.due, task.job.cost, data))
    if kept.usage_count < USAGE_KEPT:
        kept.usage_count += 1
    else:
        transaction.run("DELETE FROM usage WHERE id = ?", (place + number - USAGE_KEPT,))
        row.usage_dropped += 1


def task_of(run: Run, task_id: str) -> Task | None:
    found = run("SELECT data FROM tasks WHERE key = ? AND id = ?", (digest(task_id), param(task_id))).fetchone()
    return load_task(found[0]) if found is not None else None


def is_open(run: Run, task_id: str) -> bool:
    return run("SELECT 1 FROM tasks WHERE key = ? AND ended IS NULL", (digest(task_id),)).fetchone() is not None


def named(run: Run, provider: str, account: str, kind: str, name: str) -> Task | None:
    """The newest task that has a name."""
    place = digest(provider, account, kind, name)
    found = run("SELECT data FROM names JOIN tasks ON tasks.seq = names.task WHERE names.key = ?", (place,)).fetchone()
    return load_task(found[0]) if found is not None else None


def usage_of(db: sqlite3.Connection, provider: str, account: str) -> tuple[Usage, ...]:
    found = db.execute(
        "SELECT seq FROM accounts WHERE account = ? AND provider = ?", (param(account), provider)
    ).fetchone()
    if found is None:
        return ()
    return tuple(read_usage(db, found[0]))


def read_usage(db: sqlite3.Connection, number: int) -> list[Usage]:
    """The usage records of an account, by its number, oldest first."""
    query = "SELECT time, amount, task FROM usage WHERE id >= ? AND id < ? ORDER BY id"
    records = db.execute(query, (number << 32, number + 1 << 32))
    return [Usage(time, load_task(task), amount) for time, amount, task in records]
