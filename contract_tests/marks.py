"""The marks of a contract test: its claims, what it may cost, and whether it needs the mock's control surface."""

from typing import Any

import pytest

CORE, USUAL, VARIANT = 1, 2, 3
"""Priorities of tests that cost: a plan over budget leaves out variants first, the core last."""

claim = pytest.mark.claim
"""`@claim("XH-SIZE-3")`: the claims that a test checks."""

mock_only = pytest.mark.mock_only
"""The test uses the mock's control surface (time, faults, money): it is skipped on any other target."""


def paid(*, calls: int = 1, priority: int = USUAL, **request: Any) -> pytest.MarkDecorator:
    """What a test may cost: `calls` requests like `request`; a value `$name` is the test's parameter of that name."""
    return pytest.mark.paid(calls=calls, priority=priority, request=request)


MARKERS = (
    "claim(*ids): the documented behaviours (ids of fixtures/claims) that a test checks",
    "mock_only: needs the mock's control surface; skipped on any other target",
    "paid(calls, priority, request): what a test may cost on a paid target",
)
