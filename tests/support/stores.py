"""Stores for tests: a file of SQLite, or a Valkey server of its own.

`scripts/test --store KIND` has the fixtures' servers use one: `MOCKSERVER_TEST_STORE` is a URL with `{}` in it, for a
name that no other server has.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from support.valkey import valkey_running

KINDS = ("sqlite", "redis")
VARIABLE = "MOCKSERVER_TEST_STORE"
_NUMBERS = count()


@contextmanager
def store_url(kind: str, folder: Path) -> Iterator[str]:
    """A URL for `--store`: nothing is in it yet, and what is put in goes with the folder or the server."""
    with stores(kind, folder) as template:
        yield template.format("mock")


@contextmanager
def stores(kind: str, folder: Path) -> Iterator[str]:
    """The URL of as many stores as wanted, with `{}` for the name of each."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{{}}.db"
        return
    with valkey_running() as server:
        yield server.url("{}")


def new_store() -> str:
    """What `--store` is for a fixture's server: memory, unless the tests run on another store."""
    return os.environ.get(VARIABLE, "memory").format(f"{os.getpid()}-{next(_NUMBERS)}")
