"""The report at the end of a run."""

from collections import Counter
from typing import Any

import pytest

from contract_tests.drift import Finding, Level, Tally
from contract_tests.library import PROVIDERS, claims
from contract_tests.report import Results, as_json, as_markdown, drift_lines, new_results, terminal_lines

EVOLINK = "https://api.evolink.ai"


def results(targets: dict[str, str], *ran: str, **facts: Any) -> Results:
    """Results in which each claim of the providers `ran` has one passed test."""
    made = new_results(claims().values(), targets)
    for name, record in made.records.items():
        if record.claim.provider in ran:
            made.outcome("a test", [name], "passed", "")
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def test_a_provider_without_a_target_is_left_out() -> None:
    found = results({"evolink": EVOLINK}, "evolink")
    page, lines = as_markdown(found), "\n".join(terminal_lines(found))
    for provider in PROVIDERS:
        assert (f"| {provider} |" in page, f"{provider} (" in lines) == (provider == "evolink", provider == "evolink")
    assert "not run" not in page


def test_a_provider_without_a_test_in_this_run_is_left_out() -> None:
    found = results(dict.fromkeys(PROVIDERS, "mock"), "xhuoapi")
    assert [name for name in PROVIDERS if f"<summary>{name}" in as_markdown(found)] == ["xhuoapi"]


def test_a_claim_that_lacks_its_test_is_never_left_out() -> None:
    found = results(dict.fromkeys(PROVIDERS, "mock"), "xhuoapi")
    next(record for record in found.records.values() if record.claim.provider == "evolink").missing = True
    assert found.taking_part() == ["evolink", "xhuoapi"]


def _claim() -> str:
    return next(name for name, claim in claims().items() if claim.provider == "evolink" and claim.needs_test)


FINDINGS = [
    Finding(Level.CRITICAL, "status", "200", "202", "GET /x", "t", (_claim(),)),
    Finding(Level.INFO, "$.a", "none", "one", "GET /x", "t", (_claim(),)),
]


@pytest.mark.parametrize(
    ("tally", "findings", "line"),
    [
        (Tally(57), [], "evolink: 57 answers compared, no drift"),
        (Tally(57), FINDINGS, "evolink: 57 answers compared, 1 critical, 1 info"),
        (
            Tally(5, Counter({"the task was still under way": 2})),
            [],
            "evolink: 5 answers compared, no drift; not compared: 2 because the task was still under way",
        ),
        (Tally(), [], "evolink: nothing compared: no test called it"),
    ],
)
def test_drift_is_reported_when_there_is_none(tally: Tally, findings: list[Finding], line: str) -> None:
    found = results({"evolink": EVOLINK}, "evolink", compared={"evolink": tally}, findings=findings)
    assert drift_lines(found) == [line]
    assert f"drift: {line}" in terminal_lines(found)
    assert f"## Drift from the mock\n\n- {line}" in as_markdown(found)
    assert '"compared": {\n    "evolink"' in as_json(found)


def test_drift_against_the_suite_s_own_mock_says_that_nothing_was_compared() -> None:
    found = results({"evolink": "mock"}, "evolink", compared={"evolink": Tally()})
    assert drift_lines(found) == ["evolink: nothing compared: its target is the suite's own mock"]
