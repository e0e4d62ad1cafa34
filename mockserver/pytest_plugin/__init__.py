"""The pytest plugin: `mock_providers` and `mock_providers_session`.

Loaded into every pytest run of an environment that has this package, so it imports nothing of the server until a test
asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.pytest_plugin.session import MARKER, NAMES, Session, marker_options, worker

if TYPE_CHECKING:
    from mockserver.pytest_plugin.block import RealHostBlocked as RealHostBlocked
    from mockserver.pytest_plugin.handle import MockProviders as MockProviders

KEY = pytest.StashKey[Session]()
DUMPED = "mock_providers"

_MEANINGS = {
    "latency": "how long a generation takes: instant (the default), quick, documented, or MIN-MAX in seconds",
    "clock": "virtual (the default: time passes when it is advanced, or waited for) or real",
    "seed": "what ids and chance derive from",
    "balance": "what a key has at each provider",
}


def __getattr__(name: str) -> Any:
    if name in ("MockProviders", "RealHostBlocked"):
        from mockserver.pytest_plugin import block, handle

        return handle.MockProviders if name == "MockProviders" else block.RealHostBlocked
    raise AttributeError(name)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mock_providers", "image API mock server")
    group.addoption(
        "--mock-providers-url",
        metavar="URL",
        default=None,
        help="Use the mock server that runs there, instead of one in this process.",
    )
    for name in NAMES:
        parser.addini(f"{MARKER}_{name}", f"mock_providers: {_MEANINGS[name]}", default=None)
    parser.addini(
        f"{MARKER}_block_real",
        "mock_providers: let every connection to the real services fail, in every test",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    names = ", ".join(f"{name}=..." for name in NAMES)
    config.addinivalue_line("markers", f"{MARKER}({names}): a mock server with settings of its own for this test.")
    config.stash[KEY] = Session(config)
    if config.getini(f"{MARKER}_block_real"):
        from mockserver.pytest_plugin.block import BLOCKER

        BLOCKER.on()
        config.add_cleanup(BLOCKER.off)


@pytest.fixture
def mock_providers(request: pytest.FixtureRequest) -> Iterator[MockProviders]:
    """A mock of the three services for this test alone: clean, with an API key of its own."""
    session = request.config.stash[KEY]
    with _explained(), session.handle(request.node.nodeid, marker_options(request.node), "test") as mock:
        yield mock
        _fail_for(session.defects())


@pytest.fixture(scope="session")
def mock_providers_session(request: pytest.FixtureRequest) -> Iterator[MockProviders]:
    """The same for the whole session, for @given and for fixtures of wider scope: a server of its own, which nothing
    resets but `mock_providers_session.reset()`."""
    session = request.config.stash[KEY]
    with _explained(), session.handle(f"session {worker()}", {}, "session") as mock:
        yield mock
        _fail_for(session.defects())


class _explained:
    """A wrong setting is the user's mistake: one line instead of a traceback of ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ValueError):
            pytest.fail(f"mock_providers: {error}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """An internal error of the server fails the test that met it, whatever the code under test made of it."""
    try:
        result = yield
    except BaseException as error:
        for text in item.config.stash[KEY].defects():
            error.add_note(text)
        raise
    _fail_for(item.config.stash[KEY].defects())
    return result


def _fail_for(defects: list[str]) -> None:
    if defects:
        pytest.fail("\n".join(defects), pytrace=False)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    ours = session.config.stash[KEY]
    ours.close()
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[DUMPED] = ours.tally.dump()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A worker of xdist has ended: add what it did."""
    dumped = getattr(node, "workeroutput", {}).get(DUMPED)
    if dumped is not None:
        node.config.stash[KEY].tally.join(dumped)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    line = config.stash[KEY].tally.line()
    if line is not None:
        terminalreporter.write_line(line)
