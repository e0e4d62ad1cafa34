"""A server for each module, and a key of its own for each test: tests never see each other's tasks or money."""

from collections.abc import Iterator
from itertools import count

import pytest

from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.calls import Caller
from support.scene import Scene

_KEYS = count(1)


@pytest.fixture(scope="module")
def house() -> Iterator[Scene]:
    """The module's server: virtual clock, latency `instant`, seed "test"."""
    settings = Settings(port=0, clock="virtual", latency="instant", seed="test")
    with MockServer(settings) as server, web.Client(base_url=server.root_url, timeout=10.0) as http:
        yield Scene(server, http)


@pytest.fixture
def xhuoapi(house: Scene) -> Caller:
    return Caller(house, "xhuoapi", f"key-{next(_KEYS)}")


@pytest.fixture
def icodeeasy(house: Scene) -> Caller:
    return Caller(house, "icodeeasy", f"sk_key-{next(_KEYS)}")


@pytest.fixture
def evolink(house: Scene) -> Caller:
    return Caller(house, "evolink", f"key-{next(_KEYS)}")


@pytest.fixture(params=["xhuoapi", "icodeeasy", "evolink"])
def caller(house: Scene, request: pytest.FixtureRequest) -> Caller:
    """Each provider in turn."""
    return Caller(house, request.param, f"sk_key-{next(_KEYS)}")
