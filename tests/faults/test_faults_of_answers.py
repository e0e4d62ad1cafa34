"""The effect of each fault that acts on answers, on calls and on pictures."""

import socket
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest

from control.steer import PROVIDERS, add, advance, ask, callers, clock, counts, defects, later, submit, until
from mockserver.faults.base import kinds
from support import web
from support.calls import GENERATIONS, MODELS, Caller, pixels
from support.errors import assert_refused
from support.scene import Scene

ALL = {
    *("status", "latency", "disconnect", "truncate", "malformed", "slow_body", "image_missing", "image_corrupt"),
    *("task_fail", "task_stuck", "task_slow"),
    *("callback_lost", "callback_delayed", "callback_duplicated", "callback_reordered"),
}
OPENAI = {"xhuoapi": "/xhuoapi/v1/openai", "icodeeasy": "/icodeeasy/v1"}


def test_all_documented_faults_exist() -> None:
    assert kinds().keys() == ALL


@pytest.fixture(params=PROVIDERS)
def caller(scene: Scene, request: pytest.FixtureRequest) -> Caller:
    return Caller(scene, request.param, "sk_k")


def picture(caller: Caller) -> str:
    """The address of a picture, where its bytes are."""
    name = submit(caller)
    caller.scene.advance(0)
    if caller.provider == "evolink":
        return f"/evolink/files/{name}.png"
    if caller.provider == "xhuoapi":
        return f"/xhuoapi/gpt-image/{name}_0.png"
    return f"/icodeeasy/cdn/gpt-image-2/20260101/{name}-1.png"


# status


STATUSES = {
    "xhuoapi": {
        400: "token_mismatched",
        401: "invalid_token",
        403: "forbidden",
        404: "no_api",
        429: "too_many_requests",
        500: "api_error",
        503: "api_error",
        504: "timeout",
        418: "token_mismatched",
        599: "api_error",
    },
    "icodeeasy": {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "payment_required",
        429: "rate_limit_error",
        500: "server_error",
        503: "server_error",
        418: "invalid_request_error",
    },
    "evolink": {
        400: "invalid_request",
        401: "unauthorized",
        402: "insufficient_quota",
        403: "model_access_denied",
        429: "rate_limit_exceeded",
        500: "internal_error",
        503: "service_unavailable",
        418: "invalid_request",
        599: "internal_error",
    },
}


@pytest.mark.parametrize("provider", STATUSES)
def test_status_leaves_in_the_providers_own_shape_and_costs_nothing(scene: Scene, provider: str) -> None:
    caller = Caller(scene, provider, "sk_k")
    for status, code in STATUSES[provider].items():
        add(scene, "status", times=1, fault={"status": status})
        answer = caller.generate()
        assert_refused(provider, answer, status, code)
        assert "injected" in answer.text
    assert caller.untouched()


@pytest.mark.parametrize(
    ("provider", "code", "status"),
    [
        ("xhuoapi", "used_up", 403),
        ("xhuoapi", "timeout", 504),
        ("icodeeasy", "payment_required", 402),
        ("evolink", "insufficient_quota", 402),
        ("evolink", "service_unavailable", 503),
    ],
)
def test_status_by_a_documented_code(scene: Scene, provider: str, code: str, status: int) -> None:
    add(scene, "status", fault={"code": code})
    assert_refused(provider, Caller(scene, provider, "sk_k").generate(), status, code)


@pytest.mark.parametrize("caller", PROVIDERS, indirect=True)
def test_status_by_an_undocumented_code(caller: Caller) -> None:
    add(caller.scene, "status", fault={"code": "quite_new"})
    assert_refused(caller.provider, caller.generate(), 500, "quite_new")
    assert defects(caller.scene) == 0


def test_status_and_code_both_hold(caller: Caller) -> None:
    code = next(iter(STATUSES[caller.provider].values()))
    add(caller.scene, "status", fault={"status": 422, "code": code})
    assert_refused(caller.provider, caller.generate(), 422, code)


RETRY_AFTER: list[tuple[dict[str, Any], str | None]] = [
    ({"status": 429}, "1"),
    ({"status": 429, "retry_after": 7}, "7"),
    ({"status": 503, "retry_after": 30}, "30"),
    ({"status": 429, "retry_after": 2.5}, "3"),
    ({"status": 429, "retry_after": 0.2}, "1"),
    ({"status": 503}, None),
    ({}, None),
]


def test_retry_after_is_never_sooner_than_asked_for(caller: Caller) -> None:
    for fault, header in RETRY_AFTER:
        add(caller.scene, "status", times=1, fault=fault)
        assert caller.generate().headers.get("retry-after") == header, fault


def test_status_on_every_route_of_a_provider(caller: Caller) -> None:
    url = picture(caller)
    add(caller.scene, "status", fault={"status": 503})
    assert caller.scene.http.get(url).status_code == 503
    assert caller.generate().status_code == 503


# latency


def test_latency_takes_the_clocks_time(caller: Caller) -> None:
    add(caller.scene, "latency", fault={"seconds": 12})
    with later(caller.generate) as call:
        until(lambda: ask(caller.scene, "GET", "clock")["next_due"])
        advance(caller.scene, 11.9)
        assert not call.done
        advance(caller.scene, 0.1)
        assert call.result().status_code == 200


def test_latency_with_autojump_moves_the_clock(caller: Caller) -> None:
    ask(caller.scene, "PUT", "clock", {"autojump": True})
    add(caller.scene, "latency", times=1, fault={"seconds": 12})
    assert [caller.generate().status_code for _ in range(2)] == [200, 200]
    assert clock(caller.scene) == 12


def test_a_call_that_latency_holds_does_not_outlive_a_reset(caller: Caller) -> None:
    add(caller.scene, "latency", fault={"seconds": 12})
    with later(caller.generate) as call:
        until(lambda: ask(caller.scene, "GET", "clock")["next_due"])
        ask(caller.scene, "POST", "reset", {})
        call.result()
    assert caller.untouched()


def test_a_call_that_latency_holds_does_not_outlive_a_reset_of_its_account(caller: Caller) -> None:
    add(caller.scene, "latency", {"api_key": caller.key}, fault={"seconds": 12})
    with later(caller.generate) as call:
        until(lambda: ask(caller.scene, "GET", "clock")["next_due"])
        ask(caller.scene, "POST", "reset", {"api_key": caller.key})
        advance(caller.scene, 12)
        call.result()
    assert caller.untouched()


# disconnect, truncate, malformed, slow_body: as a real client sees them


def test_disconnect_before_the_answer(caller: Caller) -> None:
    add(caller.scene, "disconnect", times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        caller.generate()
    assert caller.generate().status_code == 200
    assert defects(caller.scene) == 0


def test_a_call_that_is_disconnected_has_been_carried_out_and_charged(caller: Caller) -> None:
    add(caller.scene, "disconnect", times=2)
    for _ in range(2):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            caller.generate()
    caller.generate()
    caller.scene.advance(0)
    price = Decimal(ask(caller.scene, "GET", f"tasks/{caller.tasks()[0]['id']}")["price"])
    assert len(caller.tasks()) == 3
    assert caller.captured() == 3 * price


def part_of_an_answer(caller: Caller) -> tuple[int, bytes, str]:
    """An answer that is cut off: the announced length, the bytes read, and the client's error."""
    announced, got = 0, b""
    headers = {"Authorization": f"Bearer {caller.key}"}
    try:
        with caller.scene.http.stream("POST", address(caller), json=caller.body(), headers=headers) as answer:
            announced = int(answer.headers["content-length"])
            for chunk in answer.iter_raw():
                got += chunk
    except httpx.TransportError as error:
        return announced, got, type(error).__name__
    return announced, got, "nothing"


def address(caller: Caller) -> str:
    return f"/{caller.provider}{GENERATIONS[caller.provider]}"


@pytest.mark.parametrize("after", [0, 1, 40])
def test_disconnect_after_so_many_bytes(caller: Caller, after: int) -> None:
    add(caller.scene, "disconnect", fault={"after_bytes": after})
    announced, got, error = part_of_an_answer(caller)
    assert error in ("RemoteProtocolError", "ReadError")
    assert len(got) <= after < announced
    assert defects(caller.scene) == 0


@pytest.mark.parametrize("length", [None, 0, 7])
def test_truncate_ends_before_the_length_it_announced(caller: Caller, length: int | None) -> None:
    add(caller.scene, "truncate", fault={} if length is None else {"bytes": length})
    announced, got, error = part_of_an_answer(caller)
    assert error == "RemoteProtocolError"
    assert len(got) == (announced // 2 if length is None else length)
    assert defects(caller.scene) == 0


def test_malformed_arrives_whole_and_does_not_parse(caller: Caller) -> None:
    add(caller.scene, "malformed", times=1)
    answer = caller.generate()
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(ValueError, match=r".*"):
        answer.json()
    assert caller.generate().json()


def test_malformed_hits_a_refusal_too(caller: Caller) -> None:
    add(caller.scene, "malformed")
    answer = caller.generate(prompt="[mock:status=503]")
    assert answer.status_code == 503
    with pytest.raises(ValueError, match=r".*"):
        answer.json()


def test_slow_body_trickles_by_the_clock(caller: Caller) -> None:
    add(caller.scene, "slow_body", fault={"bytes_per_second": 20})
    with later(submit, caller) as call:
        until(lambda: ask(caller.scene, "GET", "clock")["next_due"])
        advance(caller.scene, 1)
        assert not call.done
        until(lambda: advance(caller.scene, 60) is not None and call.done)
        assert call.result() == caller.tasks()[0]["id"]
    assert defects(caller.scene) == 0


def test_slow_body_with_autojump_takes_as_long_as_it_says(caller: Caller) -> None:
    ask(caller.scene, "PUT", "clock", {"autojump": True})
    add(caller.scene, "slow_body", fault={"bytes_per_second": 100})
    answer = caller.generate()
    assert answer.json()
    assert clock(caller.scene) == pytest.approx(len(answer.content) / 100)


@pytest.mark.parametrize("fault", ["slow_body", "latency"])
def test_a_client_that_hangs_up_is_no_defect_of_the_server(caller: Caller, fault: str) -> None:
    scene = caller.scene
    add(scene, fault, fault={"bytes_per_second": 20} if fault == "slow_body" else {"seconds": 10})
    with web.Client(base_url=scene.root, timeout=0.1) as hasty, pytest.raises(httpx.ReadTimeout):
        hasty.post(address(caller), json=caller.body(), headers=key(caller))
    ask(scene, "DELETE", "faults")
    for _ in range(8):
        advance(scene, 5)
    assert caller.generate().status_code == 200
    assert defects(scene) == 0


def key(caller: Caller) -> dict[str, str]:
    return {"Authorization": f"Bearer {caller.key}"}


@pytest.mark.parametrize("type", ["truncate", "disconnect", "slow_body", "malformed"])
def test_an_answer_to_head_has_no_body_under_a_fault(caller: Caller, type: str) -> None:
    url = picture(caller)
    ask(caller.scene, "PUT", "clock", {"autojump": True})
    fault = {"disconnect": {"after_bytes": 9}, "slow_body": {"bytes_per_second": 100_000}}.get(type, {})
    add(caller.scene, type, fault=fault)
    host, port = caller.scene.root.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=2) as raw:
        raw.sendall(f"HEAD {url} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        got = b"".join(iter(lambda: raw.recv(65536), b""))
    assert got.partition(b"\r\n\r\n")[2] == b""


# pictures


def test_image_missing(caller: Caller) -> None:
    url = picture(caller)
    rule = add(caller.scene, "image_missing", times=1)
    code = {"xhuoapi": "not_found", "icodeeasy": "invalid_request_error", "evolink": "file_not_found"}
    assert_refused(caller.provider, caller.scene.http.get(url), 404, code[caller.provider])
    assert caller.scene.http.get(url).status_code == 200
    assert counts(caller.scene, rule) == (2, 1)


def test_image_corrupt_keeps_the_type_and_the_length_and_does_not_decode(caller: Caller) -> None:
    url = picture(caller)
    whole = caller.scene.http.get(url)
    add(caller.scene, "image_corrupt", times=1)
    broken = caller.scene.http.get(url)
    assert (broken.status_code, broken.headers["content-type"]) == (200, "image/png")
    assert len(broken.content) == len(whole.content)
    assert broken.content[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises((OSError, SyntaxError)):
        pixels(broken.content)
    assert caller.scene.http.get(url).content == whole.content


@pytest.mark.parametrize("type", ["image_missing", "image_corrupt"])
def test_faults_of_pictures_leave_other_calls_alone(caller: Caller, type: str) -> None:
    rule = add(caller.scene, type)
    assert caller.generate().json()
    assert counts(caller.scene, rule) == (0, 0)


@pytest.mark.parametrize("type", ["image_missing", "image_corrupt"])
def test_pictures_are_matched_by_their_tasks_key_and_prompt(scene: Scene, type: str) -> None:
    rule = add(scene, type, {"api_key": "sk_k", "prompt": "fox"})
    for caller in callers(scene):
        mine, others = picture(caller.keyed("sk_k")), picture(caller.keyed("sk_other"))
        scene.http.get(others)
        scene.http.get(mine)
    assert counts(scene, rule) == (3, 3)


@pytest.mark.parametrize("type", ["truncate", "slow_body"])
def test_faults_hit_the_bytes_of_pictures(caller: Caller, type: str) -> None:
    url = picture(caller)
    ask(caller.scene, "PUT", "clock", {"autojump": True})
    whole = caller.scene.http.get(url).content
    add(caller.scene, type, fault={"bytes_per_second": 10_000} if type == "slow_body" else {})
    if type == "truncate":
        with pytest.raises(httpx.RemoteProtocolError):
            caller.scene.http.get(url)
    else:
        assert caller.scene.http.get(url).content == whole


# the openai package


def sdk(caller: Caller) -> openai.OpenAI:
    base = caller.scene.root + OPENAI[caller.provider]
    return openai.OpenAI(base_url=base, api_key=caller.key, max_retries=2)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the package would have waited between its retries; it does not."""
    slept: list[float] = []
    monkeypatch.setattr("openai._base_client.time.sleep", slept.append)
    return slept


@pytest.mark.parametrize("caller", OPENAI, indirect=True)
@pytest.mark.parametrize("status", [500, 503, 429])
def test_the_package_retries_until_it_succeeds_and_pays_once(caller: Caller, waits: list[float], status: int) -> None:
    add(caller.scene, "status", times=2, fault={"status": status, "retry_after": 3})
    with sdk(caller) as client:
        assert client.images.generate(model=MODELS[caller.provider], prompt="a fox").data
    assert waits == [3.0, 3.0]
    assert [request["status"] for request in caller.requests()] == [200, status, status]
    assert len(caller.tasks()) == 1


@pytest.mark.parametrize("caller", OPENAI, indirect=True)
def test_the_package_gives_up_after_two_retries(caller: Caller, waits: list[float]) -> None:
    rule = add(caller.scene, "status", fault={"status": 500})
    with sdk(caller) as client, pytest.raises(openai.InternalServerError):
        client.images.generate(model=MODELS[caller.provider], prompt="a fox")
    assert counts(caller.scene, rule) == (3, 3)
    assert (len(waits), caller.untouched()) == (2, True)


@pytest.mark.parametrize("caller", OPENAI, indirect=True)
def test_the_package_pays_for_every_disconnected_try(caller: Caller, waits: list[float]) -> None:
    add(caller.scene, "disconnect", times=2)
    with sdk(caller) as client:
        assert client.images.generate(model=MODELS[caller.provider], prompt="a fox").data
    assert (len(waits), len(caller.tasks())) == (2, 3)
    assert caller.captured() == sum(Decimal(task["captured"]) for task in caller.tasks())


@pytest.mark.parametrize("caller", OPENAI, indirect=True)
def test_a_truncated_answer_is_a_connection_error_to_the_package(caller: Caller, waits: list[float]) -> None:
    add(caller.scene, "truncate")
    with sdk(caller) as client, pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):
        client.images.generate(model=MODELS[caller.provider], prompt="a fox")
    assert defects(caller.scene) == 0
