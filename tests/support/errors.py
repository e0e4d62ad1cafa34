"""One assertion for each provider's error shape: whole bodies, nothing beside them."""

import re
from typing import Any

import httpx

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def assert_headers(answer: httpx.Response) -> None:
    """Check the headers that every JSON answer has."""
    assert answer.headers["content-type"] == "application/json"
    assert UUID.fullmatch(answer.headers["x-request-id"])


def assert_xhuoapi_error(answer: httpx.Response, status: int, code: str, message: str = "") -> None:
    """XH-ERR-1; `message` is a part of it."""
    assert_headers(answer)
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (status, code), answer.text
    assert body.keys() == {"success", "error", "trace_id"}
    assert body["success"] is False
    assert body["error"].keys() == {"code", "message"}
    assert UUID.fullmatch(body["trace_id"])
    assert message in body["error"]["message"]


def assert_icodeeasy_error(answer: httpx.Response, status: int, kind: str, message: str = "") -> None:
    """IC-ERR-1; `message` is a part of it."""
    assert_headers(answer)
    body = answer.json()
    assert (answer.status_code, body["error"]["type"]) == (status, kind), answer.text
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"type", "message", "provider"}
    assert body["error"]["provider"] == "icodeeasy.cc"
    assert message in body["error"]["message"]


def assert_evolink_error(
    answer: httpx.Response,
    status: int,
    code: str,
    kind: str = "invalid_request_error",
    param: str | None = None,
    message: str = "",
) -> None:
    """EV-ERR-1; `message` is a part of it."""
    assert_headers(answer)
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (status, code, kind), answer.text
    assert answer.json().keys() == {"error"}
    assert error.get("param") == param
    assert error.keys() - {"param"} == {"code", "message", "type"}
    assert error["message"]
    assert message in error["message"]


def assert_refused(provider: str, answer: httpx.Response, status: int, code: str) -> None:
    """An error of any of the three, told by its code (icodeeasy: its type)."""
    if provider == "xhuoapi":
        assert_xhuoapi_error(answer, status, code)
    elif provider == "icodeeasy":
        assert_icodeeasy_error(answer, status, code)
    else:
        error = answer.json()["error"]
        assert_evolink_error(answer, status, code, error["type"], error.get("param"))
