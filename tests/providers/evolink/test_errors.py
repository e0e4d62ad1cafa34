"""evolink: every error's shape, status, code and type (EV-ERR, EV-AUTH-1)."""

from typing import Any

import pytest
from conftest import Serve
from dirty_equals import IsStr

from mockserver.engine.problems import Kind, Problem
from mockserver.http.middleware import refusal_of
from mockserver.providers.evolink import PROVIDER
from support.calls import Caller
from support.errors import assert_evolink_error

GENERATIONS = "/v1/images/generations"


@pytest.mark.claim("EV-ERR-1")
def test_the_whole_error_body(evolink: Caller) -> None:
    assert evolink.generate(size="16:9").json() == {
        "error": {
            "code": "invalid_request",
            "message": IsStr(regex="Invalid request parameters.*size.*"),
            "type": "invalid_request_error",
            "param": "size",
        }
    }


HEADERS = ["", "Bearer", "key", "Basic a2V5", "Bearer a b"]


@pytest.mark.claim("EV-AUTH-1", "EV-ERR-1")
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(("method", "path"), [("POST", GENERATIONS), ("GET", "/v1/credits")])
def test_no_bearer_token_is_unauthorized(evolink: Caller, method: str, path: str, header: str) -> None:
    answer = evolink.send(method, path, headers={"Authorization": header}, json=evolink.body())
    assert_evolink_error(answer, 401, "unauthorized", "authentication_error", message="Invalid or expired token")


@pytest.mark.claim("EV-AUTH-1", "EV-ERR-3")
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("task_id", ["task-unified-1-abcdefgh", "x"])
def test_the_task_query_has_another_message_for_a_missing_key(evolink: Caller, task_id: str, header: str) -> None:
    answer = evolink.get(f"/v1/tasks/{task_id}", headers={"Authorization": header})
    assert_evolink_error(answer, 401, "unauthorized", "authentication_error", message="Authentication required")


@pytest.mark.claim("EV-AUTH-1")
def test_a_key_outside_the_valid_ones_is_unauthorized(serve: Serve) -> None:
    caller = Caller(serve(api_keys=("good",)), "evolink", "good")
    assert caller.generate().status_code == 200
    assert_evolink_error(caller.keyed("other").generate(), 401, "unauthorized", "authentication_error")


@pytest.mark.claim("EV-ERR-3")
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/v1/images", "/v1/image/generations", "/v1/tasks/", "/v1/videos/generations"])
def test_an_unknown_path_is_an_invalid_request(evolink: Caller, method: str, path: str) -> None:
    assert_evolink_error(evolink.send(method, path), 404, "invalid_request")


@pytest.mark.claim("EV-ERR-3")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", GENERATIONS),
        ("DELETE", GENERATIONS),
        ("POST", "/v1/tasks/x"),
        ("POST", "/v1/credits"),
        ("PUT", GENERATIONS),
    ],
)
def test_a_wrong_method_is_an_invalid_request(evolink: Caller, method: str, path: str) -> None:
    answer = evolink.send(method, path)
    assert_evolink_error(answer, 405, "invalid_request")
    assert answer.headers["allow"]


@pytest.mark.claim("EV-ERR-3")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b"null"),
        ("application/json", b'{"prompt": NaN}'),
        ("application/json", b'{"prompt": "\xff"}'),
        ("application/json", b"[" * 100_000),
        ("text/plain", b'{"model": "gpt-image-2-beta", "prompt": "a"}'),
        ("application/x-www-form-urlencoded", b"model=gpt-image-2-beta&prompt=a"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\na\r\n--x--\r\n',
        ),
        ("", b'{"model": "gpt-image-2-beta", "prompt": "a"}'),
    ],
)
def test_a_malformed_body_is_an_invalid_request(evolink: Caller, content_type: str, body: bytes) -> None:
    answer = evolink.send("POST", GENERATIONS, content=body, headers={"Content-Type": content_type})
    assert_evolink_error(answer, 400, "invalid_request")
    assert evolink.untouched()


@pytest.mark.claim("EV-ERR-3")
@pytest.mark.parametrize(
    ("kind", "status", "code", "type_"),
    [
        (Kind.UNAUTHENTICATED, 401, "unauthorized", "authentication_error"),
        (Kind.OUT_OF_BALANCE, 402, "quota_exceeded", "insufficient_quota"),
        (Kind.RATE_LIMITED, 429, "rate_limit_exceeded", "evo_api_error"),
        (Kind.NOT_YOURS, 403, "permission_denied", "invalid_request_error"),
        (Kind.TASK_NOT_FOUND, 404, "task_not_found", "invalid_request_error"),
        (Kind.INTERNAL, 500, "internal_error", "api_error"),
    ],
)
def test_every_error_of_the_task_query(kind: Kind, status: int, code: str, type_: str) -> None:
    (query,) = (route for route in PROVIDER.routes if (route.method, route.path) == ("GET", "/v1/tasks/{task_id}"))
    refusal = refusal_of(PROVIDER, query, Problem(kind))
    assert (refusal.status, refusal.code) == (status, code)
    assert refusal.type == type_


KEY_ENDINGS = [
    ("-mock-401", 401, "unauthorized", "authentication_error"),
    ("-mock-402", 402, "insufficient_quota", "insufficient_quota"),
    ("-mock-429", 429, "rate_limit_exceeded", "rate_limit_error"),
    ("-mock-500", 500, "internal_error", "api_error"),
]


@pytest.mark.claim("EV-ERR-1", "ALL-RATE-1", "CLIENT-RETRY-1")
@pytest.mark.parametrize(("ending", "status", "code", "kind"), KEY_ENDINGS)
@pytest.mark.parametrize("fields", [{}, {"callback_url": "https://example.com/hook"}])
def test_a_keys_ending_asks_for_a_refusal(
    evolink: Caller, fields: dict[str, Any], ending: str, status: int, code: str, kind: str
) -> None:
    caller = evolink.keyed(evolink.key + ending)
    answer = caller.generate(**fields)
    assert_evolink_error(answer, status, code, kind)
    assert ("retry-after" in answer.headers) is (status == 429)
    assert caller.untouched()
    assert caller.get("/v1/credits").status_code == 200


@pytest.mark.claim("EV-ERR-1", "CLIENT-RETRY-1")
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_request", "invalid_request_error"),
        (401, "unauthorized", "authentication_error"),
        (402, "insufficient_quota", "insufficient_quota"),
        (403, "model_access_denied", "invalid_request_error"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (500, "internal_error", "api_error"),
    ],
)
def test_a_prompts_directive_sets_the_calls_status(evolink: Caller, status: int, code: str, kind: str) -> None:
    answer = evolink.generate(prompt=f"a fox [mock:status={status}]")
    assert_evolink_error(answer, status, code, kind)
    assert ("retry-after" in answer.headers) is (status == 429)
    assert evolink.untouched()


@pytest.mark.parametrize("status", [404, 405, 409, 413, 418, 502, 503])
def test_another_status_has_the_envelope_too(evolink: Caller, status: int) -> None:
    answer = evolink.generate(prompt=f"[mock:status={status}]")
    error = answer.json()["error"]
    assert_evolink_error(answer, status, error["code"], error["type"])


@pytest.mark.claim("EV-ERR-3")
def test_a_content_refusal_is_never_an_error_at_submission(evolink: Caller) -> None:
    assert evolink.generate(prompt="[mock:moderated]").status_code == 200


@pytest.mark.claim("EV-ERR-1")
@pytest.mark.parametrize("directive", ["fial", "status=200", "delay=-1", "fail=No!"])
def test_an_unknown_directive_is_refused(evolink: Caller, directive: str) -> None:
    assert_evolink_error(evolink.generate(prompt=f"[mock:{directive}]"), 400, "invalid_request", param="prompt")
    assert evolink.untouched()


def test_a_body_beyond_the_bound_is_413(serve: Serve) -> None:
    caller = Caller(serve(max_body=2000), "evolink", "k")
    answer = caller.generate(prompt="x" * 2000)
    assert_evolink_error(answer, 413, "request_too_large")
    assert caller.untouched()
