"""Which differences `--drift` finds, and how severe they are."""

import json
from typing import Any

import pytest

from contract_tests.drift import Finding, MockComparison, Tally, compare
from contract_tests.exchange import Answer, Call, Exchange
from contract_tests.library import picture

ID, OTHER = "3e0c77bb-9cbd-4c44-9549-bff1b4060623", "d142c93a-de26-40c9-be62-0de840d10960"


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, {"content-type": "application/json", **headers}, json.dumps(body).encode())


def weighed(mock: Answer, target: Answer) -> list[tuple[str, str]]:
    return [(finding.level.value, finding.where) for finding in compare(mock, target)]


@pytest.mark.parametrize(
    ("mock", "target", "expected"),
    [
        ({"id": ID, "created": 1757156493}, {"id": OTHER, "created": 1757999999}, []),
        ({"url": "https://a.example/x"}, {"url": "https://b.example/y?z=1"}, []),
        ({"prompt": "a"}, {"prompt": "b"}, []),
        ({"a": 1}, {}, [("critical", "$.a")]),
        ({}, {"a": 1}, [("info", "$.a")]),
        ({"a": 1}, {"a": "1"}, [("critical", "$.a")]),
        ({"a": 1}, {"a": None}, [("warning", "$.a")]),
        ({"id": ID}, {"id": "abc"}, [("critical", "$.id")]),
        ({"error": {"code": "x"}}, {"error": {"code": "y"}}, [("critical", "$.error.code")]),
        ({"error": {"message": "x"}}, {"error": {"message": "y"}}, [("info", "$.error.message")]),
        ({"cost": 0.2}, {"cost": 0.3}, [("warning", "$.cost")]),
        ({"data": [{}]}, {"data": [{}, {}]}, [("critical", "$.data")]),
        ({"created": 0}, {"created": 1757156493}, [("critical", "$.created")]),
    ],
)
def test_bodies(mock: Any, target: Any, expected: list[tuple[str, str]]) -> None:
    assert weighed(answer(mock), answer(target)) == expected


def test_statuses() -> None:
    assert weighed(answer({}), answer({}, 202)) == [("critical", "status")]
    assert weighed(answer({}, 400), answer({}, 422)) == [("warning", "status")]
    assert weighed(answer({}, 400), answer({}, 200)) == [("critical", "status")]


def test_headers() -> None:
    assert weighed(answer({}, 429, **{"retry-after": "1"}), answer({}, 429)) == [("warning", "retry-after")]


def test_pictures() -> None:
    png, jpeg = (
        Answer(200, {"content-type": "image/png"}, picture(name)) for name in ("reference.png", "reference.jpg")
    )
    assert weighed(png, png) == []
    assert weighed(png, jpeg) == [("critical", "body")]
    assert weighed(png, Answer(200, {"content-type": "image/png"}, b"")) == [("critical", "body")]


class OwnAccount:
    """A mock that answers with one task of its own, whatever it is asked."""

    key = "sk_mock"

    def __init__(self, kind: str = "images") -> None:
        self.task = {"id": OTHER, "type": kind}

    def send(self, call: Call, *, authorize: bool) -> Answer:
        listed = call.body["action"] == "retrieve_batch"
        return answer({"items": [self.task], "count": 1} if listed else self.task)


@pytest.mark.parametrize(
    ("mock", "query", "expected"),
    [
        (OwnAccount(), {"user_id": "u"}, []),
        (OwnAccount("edits"), {"user_id": "u"}, ["$.items[0].type", "$.type"]),
        (OwnAccount(), {"ids": [ID]}, ["$.count", "$.items", "$.items[0].type"]),
    ],
)
def test_a_list_of_an_account_is_compared_in_the_tasks_of_the_test(
    mock: Any, query: dict[str, Any], expected: list[str]
) -> None:
    findings: list[Finding] = []
    twin = MockComparison(mock, "test", (), "https://a.example", "sk_target", findings, Tally())
    own, foreign = {"id": ID, "type": "images"}, {"id": "0e0c77bb-9cbd-4c44-9549-bff1b4060623", "type": "edits"}

    def asked(action: str, target: Any, **body: Any) -> None:
        call = Call("POST", "https://a.example/tasks", body={"action": action, **body})
        twin(Exchange(call, answer(target)))

    asked("retrieve", own, id=ID)
    asked("retrieve_batch", {"items": [foreign, own], "count": 2}, **query)
    assert sorted(found.where for found in findings) == expected


def test_a_list_of_a_span_of_time_is_not_compared() -> None:
    tally, findings = Tally(), list[Finding]()
    mock: Any = OwnAccount()
    twin = MockComparison(mock, "test", (), "https://a.example", "sk_target", findings, tally)
    body = {"action": "retrieve_batch", "created_at_min": 1.0}
    twin(Exchange(Call("POST", "https://a.example/tasks", body=body), answer({"items": [], "count": 0})))
    assert (findings, tally.compared) == ([], 0)
    assert tally.left_out == {"it asks for a span of the target's time": 1}
