"""Callbacks: opened with the end of their task, and replaced by newer values as their attempts are made."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mockserver.engine.callbacks import Delivery
from mockserver.engine.store.codec import dump_delivery, load_delivery
from mockserver.engine.store.sqlite.rows import digest, param
from mockserver.engine.store.sqlite.transaction import Transaction


def open_deliveries(transaction: Transaction, deliveries: Sequence[Delivery], now: float) -> None:
    """Keep the callback of a task that ended at `now` and its copies, and let what was held back for it go."""
    first = deliveries[0]
    transaction.run("UPDATE deliveries SET first = 0 WHERE task = ? AND first", (digest(first.task_id),))
    for delivery in deliveries:
        insert(transaction, delivery, first=delivery is first)
    if not first.held_back:
        _release_held_back(transaction, first, max(now, first.next_attempt or now))


def insert(transaction: Transaction, delivery: Delivery, *, first: bool) -> None:
    """Keep a callback, its attempt planned; one that had its id goes."""
    header = transaction.header
    seq, place = header.next(), digest(delivery.id)
    old = transaction.run("SELECT seq, ended FROM deliveries WHERE key = ?", (place,)).fetchone()
    if old is not None:
        transaction.run("DELETE FROM deliveries WHERE seq = ?", (old[0],))
        _count(transaction, -1, ended=old[1] is not None)
    planned = not delivery.ended and delivery.next_attempt is not None
    transaction.run(
        "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?, ?)",
        (
            seq,
            place,
            param(delivery.id),
            digest(delivery.task_id),
            first,
            delivery.provider,
            param(delivery.account),
            delivery.next_attempt,
            seq if planned else None,
            delivery.held_back,
            seq if delivery.ended else None,
            _as_kept(transaction, delivery),
        ),
    )
    _count(transaction, 1, ended=delivery.ended)


def _count(transaction: Transaction, number: int, *, ended: bool) -> None:
    if ended:
        transaction.header.callbacks_ended += number
    else:
        transaction.header.callbacks_open += number


def _as_kept(transaction: Transaction, delivery: Delivery) -> bytes:
    return dump_delivery(delivery, transaction.process.keys.key_of(delivery.account))


def _release_held_back(transaction: Transaction, ahead: Delivery, due: float) -> None:
    """Plan the callbacks that were held back for an account, now that another one of it goes first."""
    held = transaction.run(
        "SELECT data FROM deliveries WHERE account = ? AND held_back ORDER BY seq", (param(ahead.account),)
    )
    for (data,) in held.fetchall():
        before = load_delivery(data)
        update_delivery(transaction, before, replace(before, held_back=False, next_attempt=due))


def update_delivery(transaction: Transaction, before: Delivery, after: Delivery) -> bool:
    found = transaction.run(
        "SELECT seq, ended, plan, holder, began, data FROM deliveries WHERE key = ?", (digest(before.id),)
    )
    row = found.fetchone()
    if row is None or row[5] != _as_kept(transaction, before):
        return False
    seq, ended, plan, holder, began, _ = row
    if ended is not None:
        _count(transaction, -1, ended=True)
        _count(transaction, 1, ended=False)
        ended = None
    if after.ended:
        _count(transaction, -1, ended=False)
        _count(transaction, 1, ended=True)
        ended, plan, holder, began = transaction.header.next(), None, None, None
    elif after.next_attempt is not None and (before.ended or after.next_attempt != before.next_attempt):
        plan, holder, began = transaction.header.next(), None, None
    transaction.run(
        "UPDATE deliveries SET due = ?, plan = ?, holder = ?, began = ?, held_back = ?, ended = ?, data = ? "
        "WHERE seq = ?",
        (after.next_attempt, plan, holder, began, after.held_back, ended, _as_kept(transaction, after), seq),
    )
    if len(after.attempts) != len(before.attempts):
        transaction.tell("attempt", after.id)
    return True


def delivery_by_id(run: Callable[..., Any], delivery_id: str) -> Delivery | None:
    found = run(
        "SELECT data FROM deliveries WHERE key = ? AND id = ?", (digest(delivery_id), param(delivery_id))
    ).fetchone()
    return load_delivery(found[0]) if found is not None else None


def delivery_of(run: Callable[..., Any], task_id: str) -> Delivery | None:
    found = run("SELECT data FROM deliveries WHERE task = ? AND first", (digest(task_id),)).fetchone()
    return load_delivery(found[0]) if found is not None else None
