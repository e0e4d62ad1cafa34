"""From a URL to a store. What only other stores than the default need is imported for these."""

from collections.abc import Mapping

from mockserver.engine.store import Bounds, Store
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.store.steering import RuleForm

KINDS = "memory, sqlite:///FILE, redis://HOST, rediss://HOST, valkey://HOST, valkeys://HOST or unix://SOCKET"


def open_store(url: str, opening: Mapping[str, int], bounds: Bounds, rule_form: RuleForm) -> Store:
    """The store that a URL names, to be opened in the event loop that serves.

    Args:
        opening: what a new account has, in minor units, by provider.
        rule_form: how fault rules are written and read, in a store that several processes share.

    Raises:
        ValueError: there is no such store, or its file can't be one; the text says why, and has no password.
    """
    if url in ("", "memory"):
        return MemoryStore(opening, bounds)
    from mockserver.engine.store.shared import LARGEST_AMOUNT, TOO_LARGE

    if max(opening.values(), default=0) > LARGEST_AMOUNT:
        raise ValueError(f"{TOO_LARGE}: an opening balance is more")
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        from mockserver.engine.store.sqlite import SqliteStore
        from mockserver.engine.store.sqlite.file import Place, connect

        place = Place.of(url)
        connect(place).close()
        return SqliteStore(place, opening, bounds, rule_form)
    if scheme in ("redis", "rediss", "valkey", "valkeys", "unix"):
        try:
            from mockserver.engine.store.redis import RedisStore
        except ModuleNotFoundError as error:
            raise ValueError(f"a store on Redis or Valkey needs {error.name}: pip install '.[redis]'") from None
        return RedisStore(url, opening, bounds, rule_form)
    raise ValueError(f"there is no store {scheme:.40}: it is {KINDS}")
