"""Paid runs: the cap holds whatever the provider does, and a run that tested nothing fails."""

import pytest

from contract.scene import KEY, Provider, RunSuite
from contract_tests.library import PROVIDERS

Greedy = tuple[str, Provider]
EVOLINK = "contract_tests/evolink"
PAID = "contract_tests/evolink/test_submission.py contract_tests/evolink/test_tasks.py"


def test_a_provider_that_charges_more_than_planned(run_suite: RunSuite, greedy: Greedy) -> None:
    url, provider = greedy
    provider.price = 10
    ran = run_suite("--target", f"evolink={url}", "--budget", "25", folder=PAID)
    assert (ran.status, provider.calls) == (2, 2)
    assert provider.charged <= 25
    assert ran.report["spent"] == {"evolink": "20.0 of 25 credits"}
    assert "stopped by the budget: evolink: 20.0 of 25 spent, and the next call can cost 10" in ran.output


@pytest.mark.parametrize("mode", ["half-way", "hangs", "busy"])
def test_failed_hanging_and_repeated_calls_are_counted(run_suite: RunSuite, greedy: Greedy, mode: str) -> None:
    url, provider = greedy
    provider.mode = mode
    ran = run_suite("--target", f"evolink={url}", "--budget", "13", "--patience", "0.3", folder=PAID)
    assert (ran.status, provider.calls) == (2, 5)
    assert provider.charged == 12.5
    assert ran.report["spent"] == {"evolink": "12.5 of 13 credits"}


def test_invalid_requests_that_are_accepted_are_counted(run_suite: RunSuite, greedy: Greedy) -> None:
    """No test of this claim is planned to cost anything, but what the provider charges is counted."""
    url, provider = greedy
    ran = run_suite("--target", f"evolink={url}", "--budget", "6", "--claim", "EV-MODEL-1", folder=EVOLINK)
    assert ran.status == 2
    assert provider.charged == 5.0


def test_a_budget_of_0_sends_only_calls_that_cannot_be_billed(run_suite: RunSuite, greedy: Greedy) -> None:
    url, provider = greedy
    ran = run_suite("--target", f"evolink={url}", "--budget", "0", folder=PAID)
    assert (provider.calls, ran.report["spent"]) == (0, {"evolink": "0 of 0 credits"})


def test_a_plan_over_budget_is_trimmed(run_suite: RunSuite, greedy: Greedy) -> None:
    ran = run_suite("--target", f"evolink={greedy[0]}", "--budget", "5", folder=PAID)
    assert "plan: evolink:" in ran.output
    assert "tests left out by the budget" in ran.output


def test_a_plan_over_budget_is_refused(run_suite: RunSuite, greedy: Greedy) -> None:
    url, provider = greedy
    ran = run_suite("--target", f"evolink={url}", "--budget", "5", "--over-budget", "refuse", folder=PAID)
    assert (ran.status, provider.calls) == (4, 0)
    assert "the plan is over budget" in ran.output


@pytest.mark.parametrize(
    ("keys", "budget", "reason"),
    [(False, ["--budget", "5"], "EVOLINK_API_KEY is not set"), (True, [], "evolink costs money: give a --budget")],
    ids=["no-key", "no-budget"],
)
def test_no_key_or_no_budget(run_suite: RunSuite, greedy: Greedy, keys: bool, budget: list[str], reason: str) -> None:
    url, provider = greedy
    arguments = ["--target", f"evolink={url}", *budget, "-rs", "--claim", "EV-EP-1"]
    skipped = run_suite(*arguments, keys=keys, folder=EVOLINK)
    assert (skipped.status, skipped.outcome("EV-EP-1")) == (0, "skipped")
    assert reason in skipped.output
    required = run_suite(*arguments, "--require-live", keys=keys, folder=EVOLINK)
    assert (required.status, provider.calls) == (1, 0)
    assert "no test passed on a live target" in required.output


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("nobody=http://127.0.0.1:1", f"there is no provider 'nobody'; there are {', '.join(PROVIDERS)}"),
        ("http://127.0.0.1:1", "say which provider that is"),
        ("evolink=ftp://x", "write a URL, mock or replay:DIR"),
        ("replay:/nowhere", "there is no folder /nowhere"),
    ],
)
def test_invalid_targets_are_refused(run_suite: RunSuite, argument: str, sentence: str) -> None:
    ran = run_suite("--target", argument)
    assert ran.status == 4
    assert sentence in ran.output


def test_no_key_is_ever_printed(run_suite: RunSuite, greedy: Greedy) -> None:
    greedy[1].mode = "half-way"
    ran = run_suite("--target", f"evolink={greedy[0]}", "--budget", "5", "-vv", "--claim", "EV-EP-1", folder=EVOLINK)
    assert ran.status != 0
    assert KEY not in ran.output
