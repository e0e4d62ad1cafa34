"""The verbs for accounts themselves."""

from mockserver.engine.ledger import Account, AccountChange
from mockserver.engine.store.shared import need_amounts
from mockserver.engine.store.sqlite.transaction import Transaction
from mockserver.engine.tasks import Job


def check_money(transaction: Transaction, job: Job, now: float) -> None:
    transaction.open_account(job.provider, job.account).row.check(job.cost, now)


def admit(transaction: Transaction, provider: str, account: str, now: float) -> None:
    kept = transaction.account(provider, account)
    if kept is not None and kept.row.rate_limit is not None:
        transaction.open_account(provider, account).row.admit(now)


def change_account(transaction: Transaction, provider: str, account: str, change: AccountChange, now: float) -> Account:
    row = transaction.open_account(provider, account).row
    opening = row.opening + (change.balance - row.balance if change.balance is not None else 0)
    need_amounts(opening, change.balance, change.quota)
    row.change(change, now)
    return row.value()
