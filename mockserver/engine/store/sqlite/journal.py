"""The journal: the newest requests, from their arrival on."""

from mockserver.engine.journal import Exchange, secret_of
from mockserver.engine.store.codec import dump_answer, dump_arrival, load_arrival
from mockserver.engine.store.sqlite.rows import Run, digest, param
from mockserver.engine.store.sqlite.transaction import Transaction


def count_request(transaction: Transaction, provider: str, account: str) -> int:
    if not account:
        transaction.header.anonymous_requests += 1
        return transaction.header.anonymous_requests
    return transaction.count_request(provider, account)


def open_entry(transaction: Transaction, exchange: Exchange) -> int | None:
    """The number of the new entry; None if its id is taken."""
    header = transaction.header
    seq, data = header.next(), dump_arrival(exchange, _secret(transaction, exchange))
    inserted = transaction.run(
        "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?)",
        (seq, digest(exchange.id), param(exchange.id), exchange.provider, param(exchange.account), data),
    )
    if not inserted.rowcount:
        return None
    header.requests += 1
    return seq


def _secret(transaction: Transaction, exchange: Exchange) -> str:
    """The key that a request came with, which is remembered for the other records of its account."""
    account, keys = exchange.account, transaction.process.keys
    if not account:
        return secret_of(exchange.headers)
    if not keys.key_of(account):
        keys.know(account, secret_of(exchange.headers))
    return keys.key_of(account)


def close_entry(transaction: Transaction, seq: int, closed: Exchange) -> None:
    """Keep an answer, unless its entry was dropped meanwhile."""
    data = dump_answer(closed, _secret(transaction, closed))
    kept = transaction.run("INSERT OR REPLACE INTO answers SELECT seq, ? FROM entries WHERE seq = ?", (data, seq))
    if kept.rowcount:
        transaction.tell("request", closed.id)


def entry_by_id(run: Run, request_id: str) -> Exchange | None:
    found = run(
        "SELECT entries.data, answers.data FROM entries LEFT JOIN answers USING (seq) WHERE key = ? AND id = ?",
        (digest(request_id), param(request_id)),
    ).fetchone()
    return load_arrival(*found) if found is not None else None
