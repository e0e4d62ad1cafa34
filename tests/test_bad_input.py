"""Bad JSON, fields, content types, keys, paths and methods: each provider's own envelope, at once, in silence."""

import json
from typing import Any

import httpx
import pytest
from test_bad_wire import (
    EDIT_PATHS,
    KEY,
    PATHS,
    PROVIDERS,
    VALID,
    assert_refused,
    parsed,
    provider,
    request,
    server,
    silent,
    talk,
)

from support.errors import assert_evolink_error, assert_icodeeasy_error, assert_xhuoapi_error
from support.scene import Scene

__all__ = ["provider", "server", "silent"]  # fixtures

AUTH = {"Authorization": f"Bearer {KEY}"}
JSON = {**AUTH, "Content-Type": "application/json"}
DIGITS = b"9" * 10**6


def post(server: Scene, provider: str, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    answer = server.http.post(PATHS[provider], content=body, headers=JSON if headers is None else headers)
    assert answer.elapsed.total_seconds() < 1
    return answer


def with_field(provider: str, name: str, value: bytes) -> bytes:
    """A valid request with one more field, which goes before one of the same name."""
    return VALID[provider][:-1] + b',"%s":%s}' % (name.encode(), value)


NO_JSON = {
    "empty": b"",
    "blank": b" \n",
    "truncated": b'{"model": "gpt',
    "array": b"[]",
    "string": b'"x"',
    "null": b"null",
    "number": b"1",
    "brackets": b"[" * 10**5,
    "braces": b'{"a":' * 10**5,
    "nested-field": b'{"z":' + b"[" * 10**5 + b"]" * 10**5 + b"}",
    "nan": b'{"n": NaN}',
    "infinity": b'{"n": -Infinity}',
    "huge-number": b'{"n": ' + DIGITS + b"}",
    "bad-utf8": b'{"model": "\xff\xfe"}',
    "utf16": '{"model": "x"}'.encode("utf-16"),
    "bom-alone": b"\xef\xbb\xbf",
    "bom-twice": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "surrogate": b'{"prompt": "\\ud800"}',
    "surrogate-key": b'{"\\udfff": 1}',
    "trailing": b"{} {}",
    "single-quotes": b"{'a': 1}",
    "nul": b'{"a": "\x00"}',
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_bodies_that_are_no_json_object(server: Scene, provider: str, body: bytes) -> None:
    assert_refused(post(server, provider, body), provider)


def test_a_byte_order_mark_is_left_out(server: Scene, provider: str) -> None:
    """As some Windows clients send it (RFC 8259, 8.1)."""
    assert post(server, provider, b"\xef\xbb\xbf" + VALID[provider]).status_code == 200
    assert server.http.post("/_mock/reset", content=b"\xef\xbb\xbf{}").status_code == 200


@pytest.mark.parametrize("name", ["n", "zzz"])
def test_a_huge_number_in_a_field(server: Scene, provider: str, name: str) -> None:
    assert_refused(post(server, provider, with_field(provider, name, DIGITS)), provider)


@pytest.mark.parametrize("name", ["model", "prompt"])
def test_of_duplicate_keys_the_last_counts(server: Scene, provider: str, name: str) -> None:
    assert_refused(post(server, provider, with_field(provider, name, b"1")), provider, param=name)


TYPES = {
    "xhuoapi": "model prompt size callback_url async trace_id quality response_format background output_format "
    "output_compression moderation partial_images",
    "icodeeasy": "model prompt n size resolution quality image_urls image_input",
    "evolink": "model prompt size image_urls callback_url",
}
WRONG_VALUES: tuple[Any, ...] = (1.5, [[]], {"a": 1}, [None])


@pytest.mark.parametrize(("provider", "name"), [(name, field) for name in PROVIDERS for field in TYPES[name].split()])
def test_wrong_types(server: Scene, provider: str, name: str) -> None:
    for value in WRONG_VALUES:
        answer = post(server, provider, with_field(provider, name, json.dumps(value).encode()))
        assert_refused(answer, provider, param=name)


@pytest.mark.parametrize("value", ['"2"', "1.5", "true", "-1", "0", "11", "1e400", "9" * 4000])
def test_wrong_counts(server: Scene, value: str) -> None:
    assert_icodeeasy_error(
        post(server, "icodeeasy", with_field("icodeeasy", "n", value.encode())), 400, "invalid_request_error", "n: "
    )


@pytest.mark.parametrize("value", ['"yes"', "1", '"false"', "0"])
def test_async_is_true_or_false(server: Scene, value: str) -> None:
    answer = post(server, "xhuoapi", with_field("xhuoapi", "async", value.encode()))
    assert_xhuoapi_error(answer, 400, "token_mismatched", "async")


TASKS: tuple[dict[str, Any], ...] = (
    {},
    {"action": "retrieve"},
    {"action": "x", "id": "a"},
    {"action": "retrieve", "id": 1},
    {"action": "retrieve", "id": ["a"]},
    {"action": "retrieve_batch", "ids": "a"},
    {"action": "retrieve_batch", "ids": [1]},
    {"action": "retrieve_batch", "ids": ["a"], "limit": -1},
    {"action": "retrieve_batch", "ids": ["a"], "offset": "1"},
)


@pytest.mark.parametrize("body", TASKS, ids=str)
def test_task_queries_that_ask_nothing(server: Scene, body: dict[str, Any]) -> None:
    answer = server.http.post("/xhuoapi/v1/openai/tasks", json=body, headers=AUTH)
    assert_xhuoapi_error(answer, 400, "token_mismatched")


CONTENT_TYPES = (
    "",
    "text/plain",
    ";;;",
    "application/x-www-form-urlencoded",
    "multipart/mixed; boundary=x",
    "json",
    "/",
)


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_wrong_content_types(server: Scene, provider: str, content_type: str) -> None:
    assert_refused(post(server, provider, VALID[provider], {**AUTH, "Content-Type": content_type}), provider)


def test_no_content_type(server: Scene, provider: str) -> None:
    assert_refused(post(server, provider, VALID[provider], AUTH), provider)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x-unknown"])
def test_compressed_bodies(server: Scene, provider: str, coding: str) -> None:
    assert_refused(post(server, provider, b"x" * 100, {**JSON, "Content-Encoding": coding}), provider)


KEYS = ("", "Basic abc", "Bearer", "Bearer a b", "Token sk_k", "sk_k", "Bearer\tsk_k", "Bearer sk_a, Bearer sk_b")


@pytest.mark.parametrize("header", [None, *KEYS])
def test_keys_that_are_none(server: Scene, provider: str, header: str | None) -> None:
    headers = {"Content-Type": "application/json", **({} if header is None else {"Authorization": header})}
    assert_unauthenticated(post(server, provider, VALID[provider], headers), provider)


def assert_unauthenticated(answer: httpx.Response, provider: str) -> None:
    if provider == "xhuoapi":
        assert_xhuoapi_error(answer, 401, "invalid_token")
    elif provider == "icodeeasy":
        assert_icodeeasy_error(answer, 401, "authentication_error")
    else:
        assert_evolink_error(answer, 401, "unauthorized", "authentication_error")


@pytest.mark.parametrize("key", ["sk_k\xe9y", "sk_\xed\x95\x9c", "sk_" + "x" * 7000])
def test_odd_keys_are_accounts_or_refused_in_form(server: Scene, provider: str, key: str) -> None:
    sent = request(PATHS[provider], VALID[provider]).replace(KEY.encode(), key.encode("latin-1"))
    answer = parsed(talk(server.root, sent))
    assert answer.status_code in (200, 401)
    assert server.mock("accounts", limit=1000)["accounts"]


@pytest.mark.claim("ALL-ORDER-1")
def test_a_key_goes_before_a_body(server: Scene, provider: str) -> None:
    assert_unauthenticated(post(server, provider, b"{", {"Content-Type": "application/json"}), provider)


LOST: tuple[str, ...] = (
    "",
    "/",
    "/nope",
    "//v1/images",
    "/../evolink/v1/credits",
    "/%2e%2e/evolink/v1/credits",
    "/v1/%00",
    "/%zz",
    "/%ff",
)
LOST += ("/v1/images/generations/", "/v1/images%2Fgenerations/x", "/%0d%0aX:y", "/%", "/v1/" + "a" * 5000)


@pytest.mark.parametrize("path", LOST)
def test_unknown_paths(server: Scene, provider: str, path: str) -> None:
    for method in ("GET", "POST"):
        assert_refused(parsed(talk(server.root, request(f"/{provider}{path}", method=method))), provider, 404)


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH"])
def test_wrong_methods(server: Scene, provider: str, method: str) -> None:
    for path in filter(None, (PATHS[provider], EDIT_PATHS.get(provider))):
        answer = server.http.request(method, path, headers=AUTH)
        assert_refused(answer, provider, 405)
        assert answer.headers["allow"] == "POST"


def test_head_where_only_post_is(server: Scene, provider: str) -> None:
    answer = server.http.head(PATHS[provider], headers=AUTH)
    assert (answer.status_code, answer.content) == (405, b"")
    assert answer.headers["content-type"] == "application/json"


def test_an_upgrade_is_not_taken(server: Scene, provider: str) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "eA==",
    }
    assert_refused(server.http.get(PATHS[provider], headers={**AUTH, **upgrade}), provider, 405)


def test_an_expectation_is_met_before_the_body_is_read(server: Scene, provider: str) -> None:
    answer = talk(server.root, request(PATHS[provider], b"{", "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400")


def test_no_refusal_leaves_a_task(server: Scene, provider: str) -> None:
    for body in NO_JSON.values():
        server.http.post(PATHS[provider], content=body, headers={**JSON, "Authorization": "Bearer sk_untouched"})
    assert server.mock("tasks", api_key="sk_untouched")["tasks"] == []
    money = server.money(provider, "sk_untouched")
    assert money["balance"] == money["opening"]
