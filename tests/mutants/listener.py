"""A pytest plugin for runs of the suite on a mutant (`-p mutants.listener`): it reports the outcome of each test, and
switches off the shrinking of generated examples."""

import json
import os
from pathlib import Path

import hypothesis
import pytest
from hypothesis import Phase

REPORT = "MUTANT_REPORT"


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    profile = hypothesis.settings.get_profile(hypothesis.settings.get_current_profile_name())
    hypothesis.settings.register_profile("mutant", parent=profile, phases=[Phase.explicit, Phase.generate])
    hypothesis.settings.load_profile("mutant")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.failed:
        line = {"test": report.nodeid, "when": report.when, "outcome": report.outcome}
        with Path(os.environ[REPORT]).open("a", encoding="utf-8") as page:
            page.write(json.dumps(line) + "\n")
