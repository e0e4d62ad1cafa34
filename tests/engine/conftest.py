"""Fixtures of the tests that put an event runner in play."""

import pytest

from engine.played import Pace
from mockserver.engine import attempts


@pytest.fixture(params=[False, True], ids=["at once", "suspending"])
def suspends(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds on events that are there at once, and on those that are waited for."""
    monkeypatch.setattr(Pace, "suspends", request.param)


@pytest.fixture
def reported() -> list[str]:
    """The errors reported to the event loop."""
    return []


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the store fails to do is done again soon."""
    monkeypatch.setattr(attempts, "RETRY", 0.01)
