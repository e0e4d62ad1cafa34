"""What the parts of the store share besides the server: how accounts open, bounds, known keys, and due ends."""

from collections.abc import Mapping
from math import inf

from mockserver.engine.accounts import KnownKeys
from mockserver.engine.ledger import AccountChange, AccountRow
from mockserver.engine.store import Bounds
from mockserver.engine.store.redis import layout
from mockserver.engine.store.shared import new_row

_FRESH_KEPT = 1_000


class Setting:
    """`opening` is what a new account has, in minor units, by provider; `keys` are those of accounts that called."""

    def __init__(self, opening: Mapping[str, int], bounds: Bounds) -> None:
        self.opening = opening
        self.bounds = bounds
        self.keys = KnownKeys(bounds.accounts)
        self.earliest_end = -inf
        self._terms: Mapping[tuple[str, str], AccountChange] = {}
        self._fresh: dict[tuple[str, str], str] = {}

    def set_terms(self, terms: Mapping[tuple[str, str], AccountChange]) -> None:
        self._terms = terms
        self._fresh.clear()

    def new_row(self, provider: str, account: str) -> AccountRow:
        """A row as an account opens with it."""
        return new_row(self.opening, self._terms, provider, account)

    def fresh(self, provider: str, account: str) -> str:
        """The fields and values of such a row, a line each, for the scripts that may open an account."""
        who = (provider, account if (provider, account) in self._terms else "")
        fresh = self._fresh.get(who)
        if fresh is None:
            if len(self._fresh) >= _FRESH_KEPT:
                self._fresh.clear()
            fresh = self._fresh[who] = "\n".join(layout.flat(layout.fields_of(self.new_row(provider, account))))
        return fresh

    # the ends of tasks, as far as this process knows

    def heard_of_end(self, due: bytes | None) -> None:
        """Learn when the next end is due, of all that are planned."""
        self.earliest_end = float(due) if due else inf

    def planned_end(self, due: float) -> None:
        if due < self.earliest_end:
            self.earliest_end = due
