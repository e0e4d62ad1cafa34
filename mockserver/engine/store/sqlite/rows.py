"""How values are kept in rows: ids, texts, and accounts."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from mockserver.engine.ledger import AccountRow, RateLimit
from mockserver.engine.store.codec import dump, load

Run = Callable[..., Any]
"""Executes a statement: `sqlite3.Cursor.execute`."""

ACCOUNT_COLUMNS = (
    "seq, opening, balance, held, captured, requests, submissions, quota, month, spent, quotas, limited, seconds, "
    "recent, usage_dropped, usage_count"
)
_READ = f"SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE account = ? AND provider = ?"
_NEW = "INSERT INTO accounts VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0, NULL, '', 0, 0, NULL, NULL, NULL, 0, 0)"
_WRITE = (
    "UPDATE accounts SET opening = ?, balance = ?, held = ?, captured = ?, requests = ?, submissions = ?, quota = ?, "
    "month = ?, spent = ?, quotas = ?, limited = ?, seconds = ?, recent = ?, usage_dropped = ?, usage_count = ? "
    "WHERE seq = ?"
)


def digest(*texts: str) -> int:
    """What a record is looked up by: 64 bits of a hash of its id, or of the parts of a name."""
    data = "\0".join(texts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), signed=True)


def param(text: str) -> str | bytes:
    """A text as it is kept: SQLite's TEXT can't hold every Python string, but always ASCII."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass")


def text_of(value: str | bytes) -> str:
    """The text that `param` was given."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


@dataclass(slots=True)
class KeptAccount:
    """An account's row without its usage records, of which there are `usage_count`."""

    seq: int
    row: AccountRow
    usage_count: int


def read_account(run: Run, provider: str, account: str) -> KeptAccount | None:
    """An account that is there."""
    columns = run(_READ, (param(account), provider)).fetchone()
    return account_of(provider, account, columns) if columns is not None else None


def account_of(provider: str, account: str, columns: Sequence[Any]) -> KeptAccount:
    """An account from its columns."""
    seq, *plain, limited, seconds, recent, dropped, usage_count = columns
    row = AccountRow(provider, account, *plain)
    if limited is not None:
        row.rate_limit = RateLimit(limited, seconds)
    if recent is not None:
        row.recent = deque(load(recent))
    row.usage_dropped = dropped
    return KeptAccount(seq, row, usage_count)


def insert_account(run: Run, kept: KeptAccount) -> None:
    """Make room for an account, to be written later."""
    run(_NEW, (kept.seq, kept.row.provider, param(kept.row.id)))


def write_account(run: Run, kept: KeptAccount) -> None:
    row = kept.row
    limit = row.rate_limit
    run(
        _WRITE,
        (
            row.opening,
            row.balance,
            row.held,
            row.captured,
            row.requests,
            row.submissions,
            row.quota,
            row.month,
            row.spent,
            row.quotas,
            limit.requests if limit is not None else None,
            limit.seconds if limit is not None else None,
            dump(list(row.recent)) if row.recent else None,
            row.usage_dropped,
            kept.usage_count,
            kept.seq,
        ),
    )


def write_requests(run: Run, kept: KeptAccount) -> None:
    """Write an account of which only the number of requests has changed."""
    run("UPDATE accounts SET requests = ? WHERE seq = ?", (kept.row.requests, kept.seq))
