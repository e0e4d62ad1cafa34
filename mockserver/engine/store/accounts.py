"""The accounts of the memory store, in the order in which they were opened."""

from collections.abc import Callable

from mockserver.engine.ledger import Account, AccountRow
from mockserver.engine.store import Page, Wanted
from mockserver.engine.store.table import page


class AccountTable:
    """Rows by provider and account; `new_row` makes one for an account that is opened.

    Once there are `bound`, the oldest that holds nothing is dropped for a new one; `dropped` counts these.
    """

    def __init__(self, bound: int, new_row: Callable[[str, str], AccountRow]) -> None:
        self.bound = bound
        self.dropped = 0
        self.rows: dict[str, AccountRow] = {}
        self.new_row = new_row

    def row(self, provider: str, account: str) -> AccountRow | None:
        return self.rows.get(f"{provider}/{account}")

    def open(self, provider: str, account: str) -> AccountRow:
        """An account's row, opened if it is new."""
        row = self.rows.get(f"{provider}/{account}")
        return row if row is not None else self._open_new(provider, account)

    def _open_new(self, provider: str, account: str) -> AccountRow:
        if len(self.rows) >= self.bound:
            idle = next((owner for owner, row in self.rows.items() if not row.held), None)
            if idle is not None:
                del self.rows[idle]
                self.dropped += 1
        row = self.new_row(provider, account)
        self.put(row)
        return row

    def put(self, row: AccountRow) -> None:
        self.rows[f"{row.provider}/{row.id}"] = row

    def remove(self, provider: str, account: str) -> None:
        self.rows.pop(f"{provider}/{account}", None)

    def page(self, wanted: Wanted[Account], limit: int, cursor: str | None) -> Page[Account]:
        """Up to `limit` accounts that are wanted, newest first, older than the one that the cursor names."""

        def accepted(row: AccountRow) -> bool:
            mine = wanted.accounts is None or row.id in wanted.accounts
            return mine and wanted.provider in (None, row.provider) and wanted.keep(row.value())

        if wanted.all and cursor is None and limit >= len(self.rows):
            return [row.value() for row in reversed(self.rows.values())], None
        found, following = page(self.rows, reversed(self.rows), accepted, limit, cursor)
        return [row.value() for row in found], following
