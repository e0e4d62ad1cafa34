"""Generated calls (schemathesis): no answer contradicts the description of its route.

Bounded: so many cases for each route, from a fixed seed. The clock is virtual with autojump, so that no call waits.
Only the example keys are valid, so that a wrong one is refused.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation

from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.calls import PROVIDERS

CASES = 6
"""For each route and each way to generate: data that fits the description, and data that does not."""

CHECKED = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
]
NOT_CALLED = {("GET", "/_mock/events"), ("POST", "/_mock/sink/{name}")}
"""A stream without an end; and an answer that waits as long as a script says."""

load_all_checks()


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    keys = tuple(provider.example.key for provider in PROVIDERS.values())
    with MockServer(
        Settings(clock="virtual", autojump=True, latency="instant", seed="test", balance=Decimal(10**9), api_keys=keys)
    ) as mock:
        yield mock


def contradictions(document: dict[str, Any], key: str, ids: Sequence[str] = ()) -> list[str]:
    """What answers of generated calls say against a description; `ids` of tasks are put into their paths too."""
    checks = [check for check in CHECKS.get_by_names(CHECKED) if key or check.__name__ != "ignored_auth"]
    headers = {"Authorization": f"Bearer {key}"}
    found: list[str] = []
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if (operation.method.upper(), operation.path) in NOT_CALLED:
            continue
        for number, case in enumerate(_cases(operation)):
            for name in {"id", "task_id"} & case.path_parameters.keys():
                if number % 2 and ids:
                    case.path_parameters[name] = ids[number // 2 % len(ids)]
            answer = case.call(base_url=document["servers"][0]["url"], headers=headers)
            try:
                case.validate_response(answer, checks=checks, headers=headers)  # type: ignore[arg-type]
            except FailureGroup as group:
                found += [f"{operation.label}: {failure}" for failure in group.exceptions]
    return found


def _cases(operation: Any) -> list[Case[Any]]:
    """Generated calls of an operation: what fits its description, and what does not where that can be."""
    cases: list[Case[Any]] = []
    modes = [GenerationMode.POSITIVE]
    if operation.body or operation.query:
        modes.append(GenerationMode.NEGATIVE)
    for mode in modes:

        @seed(1)
        @settings(
            max_examples=CASES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def keep(case: Case[Any]) -> None:
            assume(not _wrong_in_headers_alone(case))
            _do_not_wait(case)
            cases.append(case)

        keep()
    return cases


def _wrong_in_headers_alone(case: Case[Any]) -> bool:
    """Whether a call would be wrong only by a header, such as the key that this test sends all the same."""
    assert case.meta is not None
    wrong = {place for place, part in case.meta.components.items() if part.mode.is_negative}
    return ParameterLocation.HEADER in wrong and ParameterLocation.BODY not in wrong


def _do_not_wait(case: Case[Any]) -> None:
    """Let a call that would wait for an outcome not wait."""
    wait = case.query.get("wait") if isinstance(case.query, dict) else None
    if isinstance(wait, int | float) and not isinstance(wait, bool) and 0 <= wait <= 60:
        case.query["wait"] = 0


@pytest.mark.parametrize("mount", [*PROVIDERS, "_mock"])
def test_no_answer_contradicts_the_description(mock: MockServer, mount: str) -> None:
    document = web.get(f"{mock.root_url}/{mount}/openapi.json").json()
    provider = PROVIDERS.get(mount, PROVIDERS["evolink"])
    headers = {"Authorization": f"Bearer {provider.example.key}"}
    url = f"{mock.root_url}/{provider.name}{provider.example.path}"
    assert web.post(url, json=provider.example.body, headers=headers).status_code == 200
    known = web.get(f"{mock.root_url}/_mock/tasks?limit=1").json()["tasks"][0]["id"]
    key = provider.example.key if mount in PROVIDERS else ""
    assert contradictions(document, key, [known, "task-unified-1-aaaaaaaa"]) == []


def test_a_contradiction_is_found(mock: MockServer) -> None:
    provider = PROVIDERS["evolink"]
    document = web.get(f"{mock.root_url}/evolink/openapi.json").json()
    wrong = deepcopy(document)
    wrong["paths"] = {"/v1/credits": wrong["paths"]["/v1/credits"]}
    wrong["components"]["schemas"]["Credits"]["required"].append("currency")
    found = contradictions(wrong, provider.example.key)
    assert [said for said in found if "currency" in said], found
