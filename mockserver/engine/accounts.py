"""An account is an API key at a provider: opened at the first call, named by the key's hash."""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

from mockserver.engine.ledger import Account
from mockserver.engine.store import Store

_ID = re.compile(r"acct_[0-9a-f]{12}")


@lru_cache(maxsize=4096)
def account_id(key: str) -> str:
    """The name of an account: a short hash of its API key, which itself is kept nowhere."""
    return "acct_" + sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def is_account_id(text: str) -> bool:
    """Whether a text has the form of an account's name, so that it is no key to be hashed."""
    return _ID.fullmatch(text) is not None


def row(provider: str, account: str) -> str:
    """Under which name the store keeps an account."""
    return f"{provider}/{account}"


class Accounts:
    """Every account. `opening` is what a new one has, in minor units, by provider."""

    def __init__(self, store: Store, opening: Mapping[str, int]) -> None:
        self._store = store
        self._opening = opening
        self._keys: dict[str, str] = {}

    def know(self, account: str, key: str) -> None:
        """Remember, in this process alone, which key an account is: to keep it out of what is shown."""
        if account not in self._keys:
            if len(self._keys) >= self._store.accounts.bound:
                del self._keys[next(iter(self._keys))]
            self._keys[account] = key

    def key_of(self, account: str) -> str:
        """The key of an account; "" if it is not known."""
        return self._keys.get(account, "")

    def known_keys(self) -> list[str]:
        """Every key that is known."""
        return list(self._keys.values())

    def get(self, provider: str, account: str) -> Account:
        """An account, opened if it is new."""
        found = self._store.accounts.get(row(provider, account))
        if found is None:
            self._make_room()
            found = self.peek(provider, account)
            self._store.accounts.put(row(provider, account), found)
        return found

    def _make_room(self) -> None:
        """Forget the oldest account that holds nothing, once there are as many as are kept."""
        rows = self._store.accounts
        if len(rows) >= rows.bound:
            idle = next((name for name, account in rows.oldest() if not account.held), None)
            rows.drop([idle] if idle else [])

    def peek(self, provider: str, account: str) -> Account:
        """An account, or how it would open: looking at one does not open it."""
        opening = self._opening[provider]
        return self._store.accounts.get(row(provider, account)) or Account(provider, account, opening, opening)
