"""icodeeasy: every error's shape, status and type (IC-ERR, IC-AUTH-1)."""

import pytest
from conftest import Serve
from dirty_equals import IsStr, IsUUID

from support.calls import Caller
from support.errors import assert_icodeeasy_error

from .test_models import PATHS

ERROR = {"message": IsStr(min_length=1), "provider": "icodeeasy.cc"}


@pytest.mark.claim("IC-ERR-1")
def test_the_whole_error_body(icodeeasy: Caller) -> None:
    answer = icodeeasy.generate(without=["prompt"])
    assert answer.json() == {
        "error": {"type": "invalid_request_error", "message": IsStr(regex=".*prompt.*"), "provider": "icodeeasy.cc"}
    }
    assert list(answer.json()["error"]) == ["type", "message", "provider"]


@pytest.mark.claim("IC-AUTH-1", "IC-ERR-1")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "header", ["", "Bearer", "sk_key", "Basic sk_key", "Bearer key", "Bearer SK_key", "Bearer sk-key", "Bearer sk_"]
)
def test_a_malformed_key_is_401(icodeeasy: Caller, path: str, header: str) -> None:
    answer = icodeeasy.send("POST", path, headers={"Authorization": header}, json=icodeeasy.body())
    assert_icodeeasy_error(answer, 401, "authentication_error")


@pytest.mark.claim("IC-AUTH-1")
def test_a_missing_header_is_401(icodeeasy: Caller) -> None:
    for method, path in (("POST", "/v1/images/edits"), ("GET", "/v1/images/tasks/x")):
        answer = icodeeasy.scene.http.request(method, f"/icodeeasy{path}", json=icodeeasy.body())
        assert_icodeeasy_error(answer, 401, "authentication_error")


@pytest.mark.claim("IC-AUTH-1")
def test_an_unknown_key_is_401(serve: Serve) -> None:
    caller = Caller(serve(api_keys=("sk_good",)), "icodeeasy", "sk_good")
    assert caller.generate().status_code == 200
    assert_icodeeasy_error(caller.keyed("sk_other").generate(), 401, "authentication_error")


@pytest.mark.claim("IC-ERR-1")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    "path", ["/", "/v1/images", "/v1/models", "/generations", "/v1/images/tasks", "/v1/images/files/x"]
)
def test_an_unknown_path_is_404(icodeeasy: Caller, method: str, path: str) -> None:
    assert_icodeeasy_error(icodeeasy.send(method, path), 404, "invalid_request_error")


@pytest.mark.claim("IC-ERR-1")
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", path, "POST") for path in PATHS]
    + [("POST", "/v1/images/tasks/x", "GET, HEAD"), ("DELETE", PATHS[0], "POST")],
)
def test_a_wrong_method_is_405(icodeeasy: Caller, method: str, path: str, allow: str) -> None:
    answer = icodeeasy.send(method, path)
    assert_icodeeasy_error(answer, 405, "invalid_request_error")
    assert answer.headers["allow"] == allow


@pytest.mark.claim("IC-ERR-1")
def test_a_body_beyond_the_bound_is_413(serve: Serve) -> None:
    caller = Caller(serve(max_body=2000), "icodeeasy", "sk_k")
    assert_icodeeasy_error(caller.generate(prompt="x" * 2000), 413, "invalid_request_error")
    assert_icodeeasy_error(caller.form([("image", b"x" * 3000)]), 413, "invalid_request_error")
    assert caller.untouched()


@pytest.mark.claim("IC-BODY-1", "IC-ERR-1")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"[1]"),
        ("application/json", b"7"),
        ("application/json", b'{"n": Infinity}'),
        ("application/json", b"\xff\xfe"),
        ("application/json", b"[" * 100_000),
        ("text/plain", b'{"model": "gpt-image-2", "prompt": "a"}'),
        ("application/x-www-form-urlencoded", b"model=gpt-image-2&prompt=a"),
        ("", b'{"model": "gpt-image-2", "prompt": "a"}'),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no parts"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-ima'),
    ],
)
@pytest.mark.parametrize("path", ["/v1/images/generations", "/v1/images/edits"])
def test_a_malformed_body_is_400(icodeeasy: Caller, path: str, content_type: str, body: bytes) -> None:
    answer = icodeeasy.send("POST", path, content=body, headers={"Content-Type": content_type})
    assert_icodeeasy_error(answer, 400, "invalid_request_error")
    assert icodeeasy.untouched()


KEY_ENDINGS = [
    ("-mock-401", 401, "authentication_error"),
    ("-mock-402", 402, "payment_required"),
    ("-mock-429", 429, "rate_limit_error"),
    ("-mock-500", 500, "server_error"),
]


@pytest.mark.claim("IC-ERR-1", "ALL-RATE-1", "CLIENT-RETRY-1")
@pytest.mark.parametrize(("ending", "status", "kind"), KEY_ENDINGS)
@pytest.mark.parametrize("query", ["", "?async=1"])
def test_a_keys_ending_asks_for_a_refusal(icodeeasy: Caller, query: str, ending: str, status: int, kind: str) -> None:
    caller = icodeeasy.keyed(icodeeasy.key + ending)
    for path in PATHS:
        answer = caller.post(path + query, caller.body())
        assert_icodeeasy_error(answer, status, kind)
        assert ("retry-after" in answer.headers) is (status == 429)
    assert caller.untouched()


DIRECTIVES = [
    ("[mock:fail]", 500, "server_error"),
    ("[mock:moderated]", 400, "invalid_request_error"),
    ("[mock:fail=server_error]", 500, "server_error"),
    ("[mock:fail=rate_limit_error]", 429, "rate_limit_error"),
    ("[mock:fail=other]", 500, "other"),
]


@pytest.mark.claim("IC-ERR-1", "IC-ERR-2", "IC-BILL-2")
@pytest.mark.parametrize(("directive", "status", "kind"), DIRECTIVES)
def test_a_prompts_directive_fails_a_waiting_call(icodeeasy: Caller, directive: str, status: int, kind: str) -> None:
    assert_icodeeasy_error(icodeeasy.generate(prompt=f"a fox {directive}"), status, kind)
    assert icodeeasy.captured() == 0


@pytest.mark.claim("IC-ERR-2", "IC-TASK-1", "IC-BILL-2")
@pytest.mark.parametrize(("directive", "status", "kind"), DIRECTIVES)
def test_in_async_mode_a_failure_is_a_failed_task(icodeeasy: Caller, directive: str, status: int, kind: str) -> None:
    answer = icodeeasy.generate(prompt=f"a fox {directive}", query="?async=1")
    assert (answer.status_code, answer.json()) == (202, {"status": "pending", "task_id": IsUUID(4)})
    task = icodeeasy.get(f"/v1/images/tasks/{answer.json()['task_id']}")
    assert task.status_code == 200
    assert task.json() == {
        "task_id": answer.json()["task_id"],
        "status": "failed",
        "model": "gpt-image-2",
        "cost": 0,
        "error": {"type": kind, **ERROR},
    }


@pytest.mark.claim("IC-ERR-1", "CLIENT-RETRY-1")
@pytest.mark.parametrize("query", ["", "?async=1"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "payment_required"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "server_error"),
    ],
)
def test_a_prompts_directive_sets_the_calls_status(icodeeasy: Caller, query: str, status: int, kind: str) -> None:
    answer = icodeeasy.generate(prompt=f"[mock:status={status}]", query=query)
    assert_icodeeasy_error(answer, status, kind)
    assert ("retry-after" in answer.headers) is (status == 429)
    assert icodeeasy.untouched()
