"""How differences are weighed."""

import json
from typing import Any

import pytest

from contract_tests.drift import compare
from contract_tests.exchange import Answer
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
