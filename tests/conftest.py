"""The scene that most tests need: a server in this process, a client, and a clock that is moved by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest

from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.forked_pytest import PytestForks, forking
from support.intercepted import Intercepted, interception_of
from support.scene import Scene
from support.stores import new_store
from support.valkey import Valkey, valkey_running

Serve = Callable[..., Scene]

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")  # how long an example takes says more of the machine's other work


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers with settings; a virtual clock, latency `instant` and seed "test" unless told otherwise."""
    open_scenes: list[Scene] = []

    def start(**settings: Any) -> Scene:
        chosen = {"port": 0, "clock": "virtual", "latency": "instant", "seed": "test", "store": new_store(), **settings}
        server = MockServer(Settings(**chosen)).start()
        scene = Scene(server, web.Client(base_url=server.root_url, timeout=10.0))
        open_scenes.append(scene)
        return scene

    yield start
    for scene in open_scenes:
        scene.http.close()
        scene.server.stop()


@pytest.fixture
def scene(serve: Serve) -> Scene:
    """One server: virtual clock, latency `instant`, seed "test"."""
    return serve()


@pytest.fixture
def led(scene: Scene) -> Iterator[Intercepted]:
    """A server whose documented hosts are led to it."""
    with interception_of(scene) as intercepted:
        yield intercepted


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A Valkey server for all tests of a run; each store on it has a prefix of its own."""
    with valkey_running() as server:
        yield server


@pytest.fixture(scope="session")
def forks() -> Iterator[PytestForks]:
    """Runs pytest in processes of their own, at a fraction of what it takes to start one."""
    with forking() as found:
        yield found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=int, default=3_000, metavar="N", help="How many random requests tests/fuzz sends.")
