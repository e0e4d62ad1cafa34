"""Bodies: JSON strictly typed, null as absent, chunked, asked for by 100-continue, and the order of checks (ALL-…)."""

import json
import socket
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from conftest import Serve

from support.calls import ASYNC, GENERATIONS, Caller, fixture
from support.errors import assert_refused

JSON_TYPE = {"Content-Type": "application/json"}
INVALID = {"xhuoapi": "token_mismatched", "icodeeasy": "invalid_request_error", "evolink": "invalid_request"}
KEY = {"xhuoapi": "invalid_token", "icodeeasy": "authentication_error", "evolink": "unauthorized"}
RATE = {"xhuoapi": "too_many_requests", "icodeeasy": "rate_limit_error", "evolink": "rate_limit_exceeded"}
LARGE = {"xhuoapi": "request_too_large", "icodeeasy": "invalid_request_error", "evolink": "request_too_large"}
UNKNOWN_PATH = {"xhuoapi": "no_api", "icodeeasy": "invalid_request_error", "evolink": "invalid_request"}
MODEL = {**INVALID, "xhuoapi": "api_not_implemented"}
MONEY = {
    "xhuoapi": (403, "used_up"),
    "icodeeasy": (402, "payment_required"),
    "evolink": (402, "insufficient_quota"),
}


class Step(NamedTuple):
    """An error in a request, in the order of ALL-ORDER-1: what is changed, and the refusal expected for it."""

    name: str
    change: dict[str, Any]
    status: int
    codes: dict[str, str]


STEPS = [
    Step("path", {"path": "/v1/nowhere"}, 404, UNKNOWN_PATH),
    Step("method", {"method": "PATCH"}, 405, UNKNOWN_PATH),
    Step("key", {"authorization": "Basic a"}, 401, KEY),
    Step("rate", {"authorization": "Bearer sk_a-mock-429"}, 429, RATE),
    Step("size", {"pad": 5000}, 413, LARGE),
    Step("content type", {"content_type": "text/plain"}, 400, INVALID),
    Step("syntax", {"cut": 1}, 400, INVALID),
    Step("model", {"model": "nonsense"}, 400, MODEL),
    Step("required", {"prompt": " "}, 400, INVALID),
    Step("others", {"size_field": "7x"}, 400, INVALID),
    Step("callback", {"callback_url": "nowhere"}, 400, INVALID),
    Step("balance", {}, 0, {}),
]
NAMES = [step.name for step in STEPS]
SUBJECTS = {"model": "model", "required": "prompt", "others": "size", "callback": "callback_url"}
EXCLUSIVE = [{"path", "method"}, {"key", "rate"}]
PAIRS = [
    pytest.param(provider, one, two, id=f"{provider}-{one.name}-{two.name}")
    for provider in INVALID
    for index, one in enumerate(STEPS)
    for two in STEPS[index + 1 :]
    if {one.name, two.name} not in EXCLUSIVE and (provider, one.name) != ("icodeeasy", "callback")
]


def ask(caller: Caller, changes: dict[str, Any], query: str = "") -> Any:
    fields: dict[str, Any] = {"size": changes.get("size_field"), "callback_url": changes.get("callback_url")}
    fields |= {name: changes[name] for name in ("model", "prompt") if name in changes}
    body = json.dumps(caller.body(**fields)).encode() + b" " * changes.get("pad", 0)
    return caller.send(
        changes.get("method", "POST"),
        changes.get("path", GENERATIONS[caller.provider]) + query,
        content=body[changes.get("cut", 0) :],
        headers={
            "Content-Type": changes.get("content_type", "application/json"),
            "Authorization": changes.get("authorization", f"Bearer {caller.key}"),
        },
    )


@pytest.fixture(scope="module")
def poor() -> Iterator[Any]:
    """A server whose accounts have no money, with a low limit on bodies."""

    from mockserver.server import MockServer
    from mockserver.settings import Settings
    from support import web
    from support.scene import Scene

    chosen = Settings(port=0, clock="virtual", latency="instant", seed="test", balance=Decimal(0), max_body=1000)
    with MockServer(chosen) as server, web.Client(base_url=server.root_url) as http:
        yield Scene(server, http)


@pytest.mark.claim("ALL-ORDER-1")
@pytest.mark.parametrize(("provider", "first", "second"), PAIRS)
def test_of_two_faults_the_earlier_is_answered(poor: Any, provider: str, first: Step, second: Step) -> None:
    caller = Caller(poor, provider, "sk_poor")
    for query in ("", "?async=1"):
        answer = ask(caller, {**second.change, **first.change}, query)
        assert_refused(provider, answer, first.status, first.codes[provider])
        if (first.name, provider) != ("model", "xhuoapi"):
            assert SUBJECTS.get(first.name, "") in answer.json()["error"]["message"]
    assert caller.untouched()


@pytest.mark.claim("ALL-ORDER-1")
@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy", "evolink"])
def test_an_empty_balance_is_found_last(poor: Any, provider: str) -> None:
    caller = Caller(poor, provider, "sk_poor")
    assert_refused(provider, ask(caller, {}), *MONEY[provider])
    assert caller.untouched()


@pytest.mark.claim("ALL-ORDER-1", "XH-SIZE-9")
def test_an_unsupported_size_is_found_before_an_empty_balance_but_upstreams_after_it(poor: Any) -> None:
    caller = Caller(poor, "xhuoapi", "k")
    assert_refused("xhuoapi", caller.generate(size="800x600"), 400, "bad_request")
    assert_refused("xhuoapi", caller.generate(size="800x600", **ASYNC), 403, "used_up")


@pytest.mark.claim("ALL-ORDER-1")
@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_a_bad_reference_is_found_before_an_empty_balance(poor: Any, provider: str) -> None:
    caller = Caller(poor, provider, "sk_poor")
    assert_refused(provider, caller.edit(image="nowhere", image_urls=["nowhere"]), 400, INVALID[provider])


@pytest.mark.claim("ALL-ORDER-1", "XH-EDIT-1")
@pytest.mark.parametrize("image", [5, "nowhere", None, ["https://example.com/a.png"] * 17])
def test_an_edits_model_is_checked_before_its_image(xhuoapi: Caller, image: Any) -> None:
    assert_refused("xhuoapi", xhuoapi.edit(model="nonsense", image=image), 400, "api_not_implemented")


@pytest.mark.claim("ALL-ORDER-1", "XH-EDIT-1")
@pytest.mark.parametrize("image", [5, "nowhere"])
def test_an_edits_missing_prompt_is_found_before_its_images_form(xhuoapi: Caller, image: Any) -> None:
    answer = xhuoapi.edit(without=["prompt"], image=image)
    assert "prompt" in answer.json()["error"]["message"]


@pytest.mark.claim("ALL-ORDER-1", "XH-EDIT-1")
def test_an_edits_image_is_checked_before_its_callback_url(xhuoapi: Caller) -> None:
    answer = xhuoapi.edit(image="nowhere", callback_url="nowhere")
    assert "image" in answer.json()["error"]["message"]


@pytest.mark.claim("ALL-ORDER-1")
@pytest.mark.parametrize("ending", ["-mock-402"])
def test_a_keys_empty_balance_is_found_last_too(caller: Caller, ending: str) -> None:
    broke = caller.keyed(caller.key + ending)
    assert_refused(caller.provider, broke.generate(prompt=" "), 400, INVALID[caller.provider])
    assert_refused(caller.provider, broke.generate(), *MONEY[caller.provider])


@pytest.mark.claim("ALL-ORDER-1")
@pytest.mark.parametrize(("ending", "status"), [("-mock-401", 401), ("-mock-429", 429)])
def test_a_keys_other_endings_go_before_the_body(caller: Caller, ending: str, status: int) -> None:
    answer = caller.keyed(caller.key + ending).send("POST", GENERATIONS[caller.provider], content=b"{")
    assert answer.status_code == status


@pytest.mark.claim("ALL-TYPE-1")
def test_null_is_absent(caller: Caller) -> None:
    names = ("size", "n", "quality", "callback_url", "image_urls", "response_format", "seed", "resolution", "style")
    fields: dict[str, Any] = dict.fromkeys(names)
    assert caller.generate(**fields).status_code == 200


@pytest.mark.claim("ALL-RATE-1")
def test_no_rate_limit_by_default(caller: Caller) -> None:
    assert {caller.generate().status_code for _ in range(120)} == {200}


@pytest.mark.claim("CLIENT-CHUNKED-1")
def test_a_chunked_body(caller: Caller) -> None:
    body = json.dumps(caller.body(prompt="여우" * 500)).encode()
    parts = (body[index : index + 100] for index in range(0, len(body), 100))
    path = GENERATIONS[caller.provider]
    answer = caller.send("POST", path, content=parts, headers={"Content-Type": "application/json"})
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert answer.status_code == 200, answer.text


@pytest.mark.claim("CLIENT-CHUNKED-1", "ALL-ORDER-1")
def test_a_chunked_body_beyond_the_bound_is_413(serve: Serve) -> None:
    for provider, code in LARGE.items():
        caller = Caller(serve(max_body=1000), provider, "sk_k")
        parts = (b" " * 500 for _ in range(4))
        answer = caller.send("POST", GENERATIONS[provider], content=parts, headers={"Content-Type": "application/json"})
        assert_refused(provider, answer, 413, code)


def exchange(caller: Caller, head: str, *, wait_for: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Send a head, read until `wait_for` ends what came, send the body; both answers."""
    address = urlsplit(caller.scene.root)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=5) as raw:
        raw.sendall(head.encode())
        before = b""
        while wait_for not in before:
            before += raw.recv(4096)
        raw.sendall(body)
        after = b""
        while body and (data := raw.recv(4096)):
            after += data
    return before, after


def expecting(caller: Caller, length: int, authorization: str) -> str:
    return (
        f"POST /{caller.provider}{GENERATIONS[caller.provider]} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {authorization}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.claim("CLIENT-CHUNKED-1")
def test_expect_100_continue_is_answered_100(caller: Caller) -> None:
    body = json.dumps(caller.body()).encode()
    head = expecting(caller, len(body), f"Bearer {caller.key}")
    before, after = exchange(caller, head, wait_for=b"\r\n\r\n", body=body)
    assert before == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert after.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(caller.tasks()) == 1


@pytest.mark.claim("CLIENT-CHUNKED-1", "ALL-ORDER-1")
def test_expect_100_continue_is_refused_before_the_body_is_sent(caller: Caller) -> None:
    head = expecting(caller, 10_000_000, "Basic a")
    before, _ = exchange(caller, head, wait_for=b"\r\n\r\n", body=b"")
    assert before.startswith(b"HTTP/1.1 401 ")


@pytest.mark.claim("CLIENT-HEADERS-1")
@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;x=y"]
)
def test_content_types_that_mean_json(caller: Caller, content_type: str) -> None:
    assert caller.generate(headers={"Content-Type": content_type}).status_code == 200


@pytest.mark.claim("CLIENT-HEADERS-1")
def test_unknown_headers_are_ignored_and_every_answer_is_json_with_an_id(caller: Caller) -> None:
    headers = {"X-Stainless-Lang": "python", "OpenAI-Organization": "o", "Accept": "text/html", "Cookie": "a=b"}
    answers = [caller.generate(headers=headers), caller.generate(prompt=""), caller.get("/nowhere")]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


@pytest.mark.claim("CLIENT-EXTRA-1")
def test_extra_body_fields_are_at_the_top_level(caller: Caller) -> None:
    assert caller.generate(extra={"deep": [{"a": None}]}, user="me", metadata={}).status_code == 200


@pytest.mark.claim("CLIENT-FORM-1")
@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_a_form_may_be_chunked(request: pytest.FixtureRequest, provider: str) -> None:
    caller: Caller = request.getfixturevalue(provider)
    fields = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in caller.body().items()
    )
    head = '--b\r\nContent-Disposition: form-data; name="image"; filename="blob"\r\n\r\n'
    parts = iter([fields.encode(), head.encode(), fixture("reference.png"), b"\r\n--b--\r\n"])
    path = GENERATIONS[provider].replace("generations", "edits")
    answer = caller.send("POST", path, content=parts, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("header", ["gzip", "br", "deflate"])
def test_a_compressed_body_is_refused(caller: Caller, header: str) -> None:
    answer = caller.generate(headers={"Content-Encoding": header})
    assert_refused(caller.provider, answer, 400, INVALID[caller.provider])


@pytest.mark.claim("XH-STREAM-1")
@pytest.mark.parametrize("value", [True, 1, "true", "True", "1", "yes", "events", [1], {"a": 1}], ids=repr)
@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_a_stream_is_refused(request: pytest.FixtureRequest, provider: str, value: Any) -> None:
    caller: Caller = request.getfixturevalue(provider)
    models = ("gpt-image-2", "dall-e-3", "nano-banana") if provider == "xhuoapi" else ("gpt-image-2",)
    for model in models:
        answer = caller.generate(model=model, stream=value)
        assert_refused(provider, answer, 400, INVALID[provider])
        assert "stream: this service does not stream" in answer.text
    if isinstance(value, str):
        assert caller.form([("image", fixture("reference.png"))], stream=value).status_code == 400
    assert caller.untouched()


@pytest.mark.claim("XH-STREAM-1")
@pytest.mark.parametrize("value", [False, None, 0, "false", "False", "0", "", "no"], ids=repr)
@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_no_stream_is_accepted(request: pytest.FixtureRequest, provider: str, value: Any) -> None:
    caller: Caller = request.getfixturevalue(provider)
    assert caller.generate(stream=value).status_code == 200
    if isinstance(value, str):
        assert caller.form([("image", fixture("reference.png"))], stream=value).status_code == 200


@pytest.mark.claim("ALL-TYPE-1")
@pytest.mark.parametrize(
    "prompt",
    [rb"a\ud83d", rb"\ud83d b", rb"\uDE00", rb"\ude00\ud83d", rb"\ud83d\ud83d\ude00", b"\xed\xa0\xbd", b"\xed\xb8\x80"],
    ids=repr,
)
def test_a_lone_surrogate_is_refused_by_name(caller: Caller, prompt: bytes) -> None:
    body = json.dumps(caller.body()).encode().replace(b"a small fox", prompt)
    answer = caller.send("POST", GENERATIONS[caller.provider], content=body, headers=JSON_TYPE)
    assert_refused(caller.provider, answer, 400, INVALID[caller.provider])
    assert "lone surrogate" in answer.text
    assert caller.untouched()


@pytest.mark.claim("ALL-TYPE-1")
@pytest.mark.parametrize("prompt", [rb"\ud83d\ude00", rb"\uD83D\uDE00!", rb"\\ud83d", "😀".encode()], ids=repr)
def test_a_pair_of_surrogates_is_a_character(caller: Caller, prompt: bytes) -> None:
    body = json.dumps(caller.body()).encode().replace(b"a small fox", prompt)
    assert caller.send("POST", GENERATIONS[caller.provider], content=body, headers=JSON_TYPE).status_code in (200, 202)
    assert caller.tasks()[0]["prompt"] == json.loads(b'"' + prompt + b'"')


def test_another_json_error_is_not_called_a_surrogate(caller: Caller) -> None:
    body = rb'{"prompt": "\ud83d\ude00", }'
    answer = caller.send("POST", GENERATIONS[caller.provider], content=body, headers=JSON_TYPE)
    assert_refused(caller.provider, answer, 400, INVALID[caller.provider])
    assert "surrogate" not in answer.text
