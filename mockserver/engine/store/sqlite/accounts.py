"""The verbs for accounts themselves."""

from mockserver.engine.ledger import Account, AccountChange
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.store.sqlite.transaction import Transaction
from mockserver.engine.tasks import Job

MOST = 2**63 - 1
"""The largest amount, in minor units, that a row can hold."""


def check_money(transaction: Transaction, job: Job, now: float) -> None:
    transaction.open_account(job.provider, job.account).row.check(job.cost, now)


def admit(transaction: Transaction, provider: str, account: str, now: float) -> None:
    kept = transaction.account(provider, account)
    if kept is not None and kept.row.rate_limit is not None:
        transaction.open_account(provider, account).row.admit(now)


def change_account(transaction: Transaction, provider: str, account: str, change: AccountChange, now: float) -> Account:
    row = transaction.open_account(provider, account).row
    opening = row.opening + (change.balance - row.balance if change.balance is not None else 0)
    if max(opening, change.balance or 0, change.quota or 0) > MOST:
        raise Problem(Kind.INVALID_PARAMETER, f"this store holds amounts of up to {MOST} minor units")
    row.change(change, now)
    return row.value()
