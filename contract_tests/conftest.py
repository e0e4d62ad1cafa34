"""The suite's pytest hooks and fixtures: selection and order of tests, targets, budget, and the report."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck

from . import options as command_line
from .client import Client
from .hooks import Hook
from .library import PROVIDERS, claims
from .marks import MARKERS
from .mock import Control
from .plan import Entry, entry_of, make_plan
from .report import as_json, as_markdown, terminal_lines
from .suite import Suite
from .target import Kind, Target, key_variable

SUITE = pytest.StashKey[Suite]()
EXAMPLES, PAID_EXAMPLES = 25, 3
"""Generated examples of each test: on a mock, and on a paid target."""


def pytest_addoption(parser: pytest.Parser) -> None:
    command_line.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    given = command_line.read_options(config)
    config.stash[SUITE] = Suite(given, lambda text: _say(config, text))
    free = all(target.kind is Kind.MOCK for target in given.targets.values())
    hypothesis.settings.register_profile(
        "contract",
        max_examples=EXAMPLES if free else PAID_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("contract")


def pytest_unconfigure(config: pytest.Config) -> None:
    suite = config.stash.get(SUITE, None)
    if suite is not None:
        suite.close()


def _say(config: pytest.Config, text: str) -> None:
    """Progress on the terminal while a test is running."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if terminal is None:
        return
    if capture is None:
        terminal.write_line(text)
        return
    with capture.global_and_fixture_disabled():
        terminal.write_line(text)


def provider_of(item: pytest.Item) -> str | None:
    """The provider of a contract test; None for any other test."""
    return next((name for name, folder in PROVIDERS.items() if item.path.is_relative_to(folder)), None)


def claims_of(item: pytest.Item) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for mark in item.iter_markers("claim") for name in mark.args))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    suite = config.stash[SUITE]
    mine = [item for item in items if provider_of(item)]
    _check_claims(mine)
    for item in mine:
        suite.results.add_tests(item.nodeid, _tested(claims_of(item)))
    for record in suite.results.records.values():
        record.missing = not record.tests and _is_whole(config, record.claim.provider)
    chosen = _select(config, items, suite.options.claims)
    _plan(suite, [item for item in chosen if provider_of(item)])
    items[:] = _in_order(suite, chosen)


def _check_claims(items: list[pytest.Item]) -> None:
    for item in items:
        named = claims_of(item)
        unknown = [name for name in named if name not in claims()]
        if unknown or not named:
            raise pytest.UsageError(f"{item.nodeid} names {', '.join(unknown) or 'no claim'}; see fixtures/claims")


def _tested(named: tuple[str, ...]) -> list[str]:
    return [name for name in named if claims()[name].needs_test]


def _is_whole(config: pytest.Config, provider: str) -> bool:
    """Whether all tests of a provider were selected: only then can a claim lack its test."""
    asked = [Path(config.invocation_params.dir, str(arg).partition("::")[0]).resolve() for arg in config.args]
    plain = not any("::" in str(arg) for arg in config.args)
    return plain and any(PROVIDERS[provider].is_relative_to(path) for path in asked)


def _select(config: pytest.Config, items: list[pytest.Item], wanted: tuple[str, ...]) -> list[pytest.Item]:
    """The tests of `--claim`, or all."""
    if not wanted:
        return list(items)
    chosen = [item for item in items if set(wanted) & set(claims_of(item))]
    untested = set(wanted) - {name for item in chosen for name in claims_of(item)}
    if untested:
        raise pytest.UsageError(f"--claim: no test names {', '.join(sorted(untested))}")
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    return chosen


def _plan(suite: Suite, items: list[pytest.Item]) -> None:
    entries = [_entry(item) for item in items if _is_payable(suite, item)]
    suite.plan = make_plan(entries, suite.options.budget)
    if suite.plan.trimmed and suite.options.over_budget == "refuse":
        raise pytest.UsageError("the plan is over budget: " + "; ".join(sorted(set(suite.plan.trimmed.values()))))


def _is_payable(suite: Suite, item: pytest.Item) -> bool:
    target = suite.options.targets.get(str(provider_of(item)))
    skipped = item.get_closest_marker("mock_only") is not None
    return target is not None and target.is_paid and not skipped and _reason_to_skip(suite, target) is None


def _entry(item: pytest.Item) -> Entry:
    marks = [mark.kwargs for mark in item.iter_markers("paid")]
    params = getattr(item, "callspec", None)
    return entry_of(item.nodeid, str(provider_of(item)), marks, params.params if params else {})


def _in_order(suite: Suite, items: list[pytest.Item]) -> list[pytest.Item]:
    """On a paid target, free tests first; else as collected."""
    places = {entry.test: place for place, entry in enumerate(suite.plan.entries)}
    return sorted(items, key=lambda item: places.get(item.nodeid, -1)) if places else items


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    suite = config.stash[SUITE]
    return [f"plan: {line}" for line in suite.plan.lines(suite.options.budget)]


def _reason_to_skip(suite: Suite, target: Target) -> str | None:
    """Why a paid target can't be tested; None if it can."""
    if target.is_paid and not target.key:
        return f"{key_variable(target.provider)} is not set"
    if target.is_paid and target.provider not in suite.options.budget.allowances:
        return f"{target.provider} costs money: give a --budget"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    provider = provider_of(item)
    if provider is None:
        return
    suite = item.config.stash[SUITE]
    target = suite.options.targets.get(provider)
    reason = f"no --target for {provider}" if target is None else _reason_to_skip(suite, target)
    if reason is not None:
        (pytest.fail if suite.options.require_live and target is not None else pytest.skip)(reason)
    if target is not None and target.kind is not Kind.MOCK and item.get_closest_marker("mock_only"):
        pytest.skip("needs the mock's control surface (time, faults, money)")
    if item.nodeid in suite.plan.trimmed:
        pytest.skip(suite.plan.trimmed[item.nodeid])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """An exhausted budget ends the session."""
    try:
        yield
    finally:
        item.session.shouldstop = item.session.shouldstop or item.config.stash[SUITE].stopped


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    suite, provider = item.config.stash[SUITE], provider_of(item)
    if provider is not None and (report.when == "call" or not report.passed):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        suite.results.outcome(item.nodeid, _tested(claims_of(item)), report.outcome, reason.removeprefix("Skipped: "))
        target = suite.options.targets.get(provider)
        suite.live_tests += int(report.when == "call" and report.passed and target is not None and target.is_paid)
    return report


def pytest_runtest_teardown(item: pytest.Item) -> None:
    recorder = item.config.stash[SUITE].recorder
    if recorder is not None:
        recorder.write(item.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run for a claim without a test, a live run that tested nothing, or critical drift."""
    suite = session.config.stash[SUITE]
    results, wanted = suite.results, suite.options
    results.spent = suite.money_spent()
    missing = [record.claim.id for record in results.records.values() if record.missing]
    if missing:
        results.notes.append(f"claims without a test: {', '.join(missing)}")
    if wanted.require_live and not suite.live_tests:
        results.notes.append("--require-live: no test passed on a live target")
    if session.shouldstop:
        results.notes.append(str(session.shouldstop))
    failed = bool(results.notes) or any(finding.level.value == "critical" for finding in results.findings)
    if failed and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    for path, text in ((wanted.json, as_json), (wanted.markdown, as_markdown)):
        if path is not None:
            path.write_text(text(results), encoding="utf-8")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    suite = config.stash[SUITE]
    if any(record.tests for record in suite.results.records.values()):
        terminalreporter.section("claims")
        for line in terminal_lines(suite.results):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def suite(pytestconfig: pytest.Config) -> Suite:
    return pytestconfig.stash[SUITE]


@pytest.fixture
def client(request: pytest.FixtureRequest, suite: Suite) -> Client:
    """The provider of this test's folder, with an account of the test's own."""
    provider = provider_of(request.node)
    assert provider is not None
    return suite.client(provider, request.node.nodeid, claims_of(request.node))


@pytest.fixture
def slow_client(request: pytest.FixtureRequest, suite: Suite) -> Client:
    """The same on a mock whose generations take the documented time."""
    provider = provider_of(request.node)
    assert provider is not None
    return suite.client(provider, request.node.nodeid, claims_of(request.node), documented=True)


@pytest.fixture
def control(suite: Suite, client: Client) -> Control:
    """The control surface, for tests that are `mock_only`."""
    return suite.control(client)


@pytest.fixture
def slow_control(suite: Suite, slow_client: Client) -> Control:
    return suite.control(slow_client)


@pytest.fixture
def hook(suite: Suite, client: Client) -> Hook:
    """A callback URL of this test's own."""
    found = suite.hook(client)
    if found is None:
        pytest.skip("callbacks need a public receiver: --callback-base-url")
    return found
