"""An account is an API key at a provider: opened at the first call, named by the key's hash."""

import re
from functools import lru_cache
from hashlib import sha256

_ID = re.compile(r"acct_[0-9a-f]{12}")


@lru_cache(maxsize=4096)
def account_id(key: str) -> str:
    """The name of an account: a short hash of its API key, which itself is kept nowhere."""
    return "acct_" + sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def is_account_id(text: str) -> bool:
    """Whether a text has the form of an account's name, so that it is no key to be hashed."""
    return _ID.fullmatch(text) is not None


class KnownKeys:
    """Which key an account is, in this process alone: to keep keys out of what is shown. The newest `bound` stay."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._keys: dict[str, str] = {}

    def know(self, account: str, key: str) -> None:
        """Remember the key of an account."""
        if account not in self._keys:
            if len(self._keys) >= self._bound:
                del self._keys[next(iter(self._keys))]
            self._keys[account] = key

    def key_of(self, account: str) -> str:
        """The key of an account; "" if it is not known."""
        return self._keys.get(account, "")

    def clear(self) -> None:
        self._keys.clear()

    def all(self) -> list[str]:
        """Every key that is known."""
        return list(self._keys.values())
