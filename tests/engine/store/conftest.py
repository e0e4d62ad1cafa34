"""Servers for the stores that need one."""

from collections.abc import Iterator

import pytest

from support.valkey import Valkey, valkey_running


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A Valkey server for all tests of a run; each store on it has a prefix of its own."""
    with valkey_running() as server:
        yield server
