"""xhuoapi: every error's shape, status, code and message (XH-ERR, XH-AUTH-1)."""

from typing import Any

import httpx
import pytest
from conftest import Serve
from dirty_equals import IsStr, IsUUID

from support.calls import Caller
from support.errors import assert_xhuoapi_error


@pytest.mark.claim("XH-ERR-1", "XH-ERR-5")
def test_the_whole_error_body(xhuoapi: Caller) -> None:
    answer = xhuoapi.generate(without=["prompt"])
    assert answer.json() == {
        "success": False,
        "error": {
            "code": "token_mismatched",
            "message": IsStr(regex=r"The specified token is not matched with API\. .*prompt.*"),
        },
        "trace_id": IsUUID(4),
    }
    assert list(answer.json()) == ["success", "error", "trace_id"]


@pytest.mark.claim("XH-AUTH-1", "XH-ERR-2", "XH-ERR-5")
@pytest.mark.parametrize("path", ["/v1/openai/images/generations", "/v1/openai/images/edits", "/v1/openai/tasks"])
@pytest.mark.parametrize("header", ["", "Bearer", "key", "Basic a2V5", "Token key", "Bearer a b", "Bearerkey"])
def test_no_bearer_token_is_an_invalid_token(xhuoapi: Caller, path: str, header: str) -> None:
    answer = xhuoapi.send("POST", path, headers={"Authorization": header}, json=xhuoapi.body())
    assert_xhuoapi_error(answer, 401, "invalid_token", "The specified token is invalid or wrong.")


@pytest.mark.claim("XH-AUTH-1")
def test_a_missing_header_is_an_invalid_token(xhuoapi: Caller) -> None:
    answer = xhuoapi.scene.http.post("/xhuoapi/v1/openai/images/generations", json=xhuoapi.body())
    assert_xhuoapi_error(answer, 401, "invalid_token")


@pytest.mark.claim("XH-AUTH-1")
def test_a_key_outside_the_valid_ones_is_an_invalid_token(serve: Serve) -> None:
    caller = Caller(serve(api_keys=("good", "fine")), "xhuoapi", "good")
    assert caller.generate().status_code == caller.keyed("fine").generate().status_code == 200
    assert_xhuoapi_error(caller.keyed("Good").generate(), 401, "invalid_token")


@pytest.mark.claim("XH-AUTH-1")
def test_the_scheme_is_read_without_case(xhuoapi: Caller) -> None:
    assert xhuoapi.generate(headers={"Authorization": f"bearer {xhuoapi.key}"}).status_code == 200


@pytest.mark.claim("XH-ERR-3", "XH-ERR-5")
@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/openai/images", "/v1/openai/images/generations/", "/v1/chat", "/v2/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_no_api(xhuoapi: Caller, method: str, path: str) -> None:
    message = "API does not exist, please make sure url is correct."
    assert_xhuoapi_error(xhuoapi.send(method, path), 404, "no_api", message)


@pytest.mark.claim("XH-ERR-3")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/openai/images/generations", "/v1/openai/images/edits", "/v1/openai/tasks"])
def test_a_wrong_method_is_no_api(xhuoapi: Caller, method: str, path: str) -> None:
    answer = xhuoapi.send(method, path)
    assert_xhuoapi_error(answer, 405, "no_api")
    assert answer.headers["allow"] == "POST"


@pytest.mark.claim("XH-ERR-4", "XH-ERR-5")
def test_a_body_beyond_the_bound_is_too_large(serve: Serve) -> None:
    caller = Caller(serve(max_body=2000), "xhuoapi", "k")
    assert caller.generate(prompt="x" * 1000).status_code == 200
    assert_xhuoapi_error(caller.generate(prompt="x" * 2000), 413, "request_too_large", "Request body is too large.")
    assert_xhuoapi_error(caller.form([("image", b"x" * 3000)]), 413, "request_too_large")
    assert len(caller.tasks()) == 1


@pytest.mark.claim("XH-ERR-3")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b'"text"'),
        ("application/json", b"null"),
        ("application/json", b'{"model": NaN}'),
        ("application/json", b'{"model": "\xff"}'),
        ("application/json", b'{"model": "gpt-image-2", "prompt": "a",}'),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"a":' * 100_000),
        ("text/plain", b'{"model": "gpt-image-2", "prompt": "a"}'),
        ("application/x-www-form-urlencoded", b"model=gpt-image-2&prompt=a"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\na\r\n--x--\r\n',
        ),
        ("", b'{"model": "gpt-image-2", "prompt": "a"}'),
    ],
)
def test_a_malformed_body_is_token_mismatched(xhuoapi: Caller, content_type: str, body: bytes) -> None:
    answer = xhuoapi.send("POST", "/v1/openai/images/generations", content=body, headers={"Content-Type": content_type})
    assert_xhuoapi_error(answer, 400, "token_mismatched")
    assert xhuoapi.untouched()


KEY_ENDINGS = [
    ("-mock-401", 401, "invalid_token", "The specified token is invalid or wrong."),
    ("-mock-402", 403, "used_up", ""),
    ("-mock-429", 429, "too_many_requests", "You have exceeded the rate limit."),
    ("-mock-500", 500, "api_error", "Internal server error."),
]


@pytest.mark.claim("XH-ERR-2", "XH-ERR-4", "XH-ERR-5", "ALL-RATE-1", "CLIENT-RETRY-1")
@pytest.mark.parametrize(("ending", "status", "code", "message"), KEY_ENDINGS)
@pytest.mark.parametrize("mode", [{}, {"async": True}, {"callback_url": "http://127.0.0.1:9/"}])
def test_a_keys_ending_asks_for_a_refusal(
    xhuoapi: Caller, mode: dict[str, Any], ending: str, status: int, code: str, message: str
) -> None:
    caller = xhuoapi.keyed(xhuoapi.key + ending)
    for answer in (caller.generate(**mode), caller.edit(image="https://example.com/a.png", **mode)):
        assert_xhuoapi_error(answer, status, code, message)
        assert ("retry-after" in answer.headers) is (status == 429)
    assert caller.untouched()


@pytest.mark.claim("XH-TASK-1")
@pytest.mark.parametrize("ending", [ending for ending, *_ in KEY_ENDINGS])
def test_a_keys_ending_leaves_free_calls_alone(xhuoapi: Caller, ending: str) -> None:
    answer = xhuoapi.keyed(xhuoapi.key + ending).post("/v1/openai/tasks", {"action": "retrieve", "id": "x"})
    assert (answer.status_code, answer.json()) == (200, {})


DIRECTIVES = [
    ("[mock:fail]", 500, "api_error", "Internal server error."),
    ("[mock:moderated]", 403, "forbidden", ""),
    ("[mock:fail=api_error]", 500, "api_error", ""),
    ("[mock:fail=timeout]", 504, "timeout", "Timeout to generate the image."),
    ("[mock:fail=forbidden]", 403, "forbidden", ""),
    ("[mock:fail=too_many_requests]", 429, "too_many_requests", "You have exceeded the rate limit."),
    ("[mock:fail=bad_request]", 400, "bad_request", ""),
    ("[mock:fail=something_else]", 500, "something_else", ""),
]


@pytest.mark.claim("XH-ERR-2", "XH-ERR-4", "XH-ERR-5")
@pytest.mark.parametrize(("directive", "status", "code", "message"), DIRECTIVES)
@pytest.mark.parametrize("model", ["gpt-image-2", "dall-e-3", "nano-banana"])
def test_a_prompts_directive_fails_a_waiting_call(
    xhuoapi: Caller, model: str, directive: str, status: int, code: str, message: str
) -> None:
    answer = xhuoapi.generate(model=model, prompt=f"a fox {directive} at dawn")
    assert_xhuoapi_error(answer, status, code, message)
    assert xhuoapi.captured() == 0


@pytest.mark.claim("XH-ERR-2", "XH-ERR-3", "XH-ERR-4", "CLIENT-RETRY-1")
@pytest.mark.parametrize("mode", [{}, {"async": True}, {"callback_url": "http://127.0.0.1:9/"}])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "token_mismatched"),
        (401, "invalid_token"),
        (403, "forbidden"),
        (404, "no_api"),
        (413, "request_too_large"),
        (429, "too_many_requests"),
        (500, "api_error"),
        (504, "timeout"),
    ],
)
def test_a_prompts_directive_sets_the_calls_status(
    xhuoapi: Caller, mode: dict[str, Any], status: int, code: str
) -> None:
    answer = xhuoapi.generate(prompt=f"[mock:status={status}]", **mode)
    assert_xhuoapi_error(answer, status, code)
    assert ("retry-after" in answer.headers) is (status == 429)
    assert xhuoapi.untouched()


@pytest.mark.parametrize("status", [402, 418, 422, 502, 503, 599])
def test_a_status_without_a_documented_error_has_the_envelope_too(xhuoapi: Caller, status: int) -> None:
    answer = xhuoapi.generate(prompt=f"[mock:status={status}]")
    assert_xhuoapi_error(answer, status, answer.json()["error"]["code"])


@pytest.mark.parametrize(
    "directive", ["fial", "status=200", "status=x", "delay=-1", "delay=soon", "fail=No!", "", "delay"]
)
def test_an_unknown_directive_is_named_in_the_refusal(xhuoapi: Caller, directive: str) -> None:
    assert_xhuoapi_error(xhuoapi.generate(prompt=f"[mock:{directive}]"), 400, "token_mismatched", "mock:")
    assert xhuoapi.untouched()


@pytest.mark.claim("XH-ERR-1")
def test_an_error_contains_the_trace_id_that_the_client_sent(xhuoapi: Caller) -> None:
    trace = "0b8ddf1e-6a3c-4d2e-9a52-000000000001"
    assert xhuoapi.generate(trace_id=trace, size="7x").json()["trace_id"] == trace


@pytest.mark.claim("XH-ERR-1", "XH-ERR-3")
def test_what_is_no_http_request_has_the_envelope(xhuoapi: Caller) -> None:
    answer: httpx.Response = xhuoapi.send("POST", "/v1/openai/images/generations", headers={"X-Long": "x" * 10_000})
    assert_xhuoapi_error(answer, 400, "token_mismatched")
