"""The pytest plugin: the fixtures `mock_providers` and `mock_providers_session`.

It is loaded into every pytest run of an environment with this package, so it imports the server only when a test uses a
fixture.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.pytest_plugin.session import INTERCEPT, MARKER, NAMES, Session, marker_options, worker

if TYPE_CHECKING:
    from mockserver.pytest_plugin.block import RealHostBlocked as RealHostBlocked
    from mockserver.pytest_plugin.handle import MockProviders as MockProviders

KEY = pytest.StashKey[Session]()
DUMPED = "mock_providers"

_MEANINGS = {
    "latency": "how long a generation takes: instant (the default), quick, documented, or MIN-MAX in seconds",
    "clock": "virtual (the default: time passes when it is advanced, or waited for) or real",
    "seed": "what ids and random choices derive from",
    "balance": "what a key has at each provider",
    "scenario": "a scenario's name or TOML file, or several with commas between",
}


class UnusedFaultWarning(UserWarning):
    """A test has added a fault rule that never fired."""


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
    group.addoption(
        "--mock-providers-control-token",
        metavar="TOKEN",
        default=None,
        help="That server's --control-token; by default the variable MOCKSERVER_CONTROL_TOKEN.",
    )
    for name in NAMES:
        parser.addini(f"{MARKER}_{name}", f"mock_providers: {_MEANINGS[name]}", default=None)
    parser.addini(
        f"{MARKER}_unused_faults",
        "mock_providers: what a fault rule that never fired does to its test: warn (the default), error or ignore",
        default=None,
    )
    parser.addini(
        f"{MARKER}_advice",
        "mock_providers: what becomes of advice on the code under test: summary (the default: listed at the end of the "
        "session), error (it fails the test) or off",
        default=None,
    )
    parser.addini(
        f"{MARKER}_block_real",
        "mock_providers: every connection to the real services fails, in every test",
        type="bool",
        default=False,
    )
    parser.addini(
        f"{MARKER}_{INTERCEPT}",
        "mock_providers: connections to the documented hosts end at the mock, in every test that uses the fixture",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    names = ", ".join(f"{name}=..." for name in (*NAMES, INTERCEPT))
    config.addinivalue_line("markers", f"{MARKER}({names}): a mock server with settings of its own for this test.")
    config.stash[KEY] = Session(config)
    if config.getini(f"{MARKER}_block_real"):
        from mockserver.pytest_plugin.block import BLOCKER

        BLOCKER.on()
        config.add_cleanup(BLOCKER.off)


@pytest.fixture
def mock_providers(request: pytest.FixtureRequest) -> Iterator[MockProviders]:
    """A mock server for this test alone: clean, with an API key of its own."""
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
        _report_unused_faults(session, "session", request.node)
        _report_advice(session, "session", "the session")


class _explained:
    """Shows a wrong setting, or a server that does not answer, as one line instead of a traceback of ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        from mockserver.client import MockError

        if isinstance(error, (ValueError, MockError)):
            raise pytest.fail.Exception(f"mock_providers: {error}", pytrace=False) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that met an internal error of the server, even if the code under test handled it; and report the
    fault rules that never fired in a test that passes."""
    session = item.config.stash[KEY]
    try:
        result = yield
    except BaseException as error:
        for text in session.defects():
            error.add_note(text)
        raise
    _fail_for(session.defects())
    _report_unused_faults(session, "test", item)
    _report_advice(session, "test", item.nodeid)
    return result


def _fail_for(problems: list[str]) -> None:
    __tracebackhide__ = True
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def _report_unused_faults(session: Session, purpose: str, node: pytest.Item | pytest.Session) -> None:
    __tracebackhide__ = True
    if session.unused_faults == "ignore":
        return
    texts = [text for mock, of in session.active.items() if of == purpose for text in mock.unused_faults()]
    if session.unused_faults == "error":
        _fail_for(texts)
    line = (node.location[1] or 0) + 1 if isinstance(node, pytest.Item) else 1
    raised = []
    for text in texts:
        try:
            warnings.warn_explicit(f"{text} (optional=True allows that)", UnusedFaultWarning, str(node.path), line)
        except UnusedFaultWarning as warning:  # the user's filter turns warnings into errors
            raised.append(str(warning))
    _fail_for(raised)


def _report_advice(session: Session, purpose: str, where: str) -> None:
    """Count advice for the end of the session, or fail the test for it."""
    __tracebackhide__ = True
    if session.advice == "off":
        return
    used = [mock for mock, of in list(session.active.items()) if of == purpose and not mock.untouched()]
    found = [advice for mock in used for advice in mock.advice()]
    if session.advice == "error":
        _fail_for([str(advice) for advice in found])
    for advice in found:
        session.tally.add_advice(advice.rule, where)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    ours = session.config.stash[KEY]
    ours.close()
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[DUMPED] = ours.tally.dump()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Add the tally of an xdist worker that has ended."""
    dumped = getattr(node, "workeroutput", {}).get(DUMPED)
    if dumped is not None:
        node.config.stash[KEY].tally.join(dumped)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in config.stash[KEY].tally.lines():
        terminalreporter.write_line(line)
