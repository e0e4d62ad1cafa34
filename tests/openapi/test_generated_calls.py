"""Generated calls (schemathesis): no answer contradicts the description of its route.

Bounded: a fixed seed, so many cases for each route. The clock is virtual with autojump, so that no call waits.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import CHECKS, load_all_checks

from mockserver.server import MockServer
from mockserver.settings import Settings
from support.calls import PROVIDERS

CASES = 12
"""For each route."""

CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "ignored_auth",
    "unsupported_method",
)


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with MockServer(Settings(clock="virtual", autojump=True, latency="instant", seed="test")) as mock:
        yield mock
