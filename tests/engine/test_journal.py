"""What the journal keeps, and what it must never show."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from mockserver.engine.journal import (
    BODY_KEPT,
    LARGEST_SEARCHED,
    REDACTED,
    STRING_KEPT,
    Exchange,
    keep_body,
    readable,
    redact,
    safe_headers,
)

KEY = "sk_live/abc+123="


def exchange(**headers: str) -> Exchange:
    return Exchange("1", 0.0, "studio", "acct_1", "POST", "/v1/images", headers)


def test_secret_headers_are_redacted_and_others_kept() -> None:
    headers = {"Authorization": "Bearer k", "COOKIE": "c", "x-Api-Key": "k", "api-key": "k", "Accept": "*/*"}
    hidden = dict.fromkeys(["Authorization", "COOKIE", "x-Api-Key", "api-key"], REDACTED)
    assert safe_headers(headers) == {**hidden, "Accept": "*/*"}


@pytest.mark.parametrize(
    ("header", "secret"), [(f"Bearer {KEY}", KEY), (f"bearer   {KEY} ", KEY), ("Bearer", ""), ("", "")]
)
def test_the_secret_is_the_key(header: str, secret: str) -> None:
    assert exchange(Authorization=header).secret == secret


def test_without_a_header_there_is_no_secret() -> None:
    assert exchange().secret == ""


def test_the_key_is_left_out_wherever_it_stands() -> None:
    assert redact(f"/v1/images?key={KEY}&again={KEY}", KEY) == "/v1/images?key=[redacted]&again=[redacted]"
    assert readable(json.dumps({"key": KEY}).encode(), KEY) == {"key": REDACTED}
    assert readable(f"not JSON {KEY}".encode(), KEY) == "not JSON [redacted]"


@pytest.mark.parametrize("escaped", [KEY.replace("/", r"\/"), KEY.replace("_", r"\u005f"), KEY.replace("k", r"\u006B")])
def test_the_key_is_left_out_in_json_escapes_too(escaped: str) -> None:
    body = b'{"key": "%s", "%s": 1}' % (escaped.encode(), escaped.encode())
    assert KEY not in str(readable(body, KEY))


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_what_is_too_short_to_be_a_key_tears_no_text_apart(secret: str) -> None:
    assert redact("a cab and abc", secret) == "a cab and abc"


def test_a_short_body_is_kept_as_it_is() -> None:
    body = b'{"image": "%s"}' % (b"A" * (STRING_KEPT - 13))
    assert len(body) == STRING_KEPT
    assert keep_body(body) == body


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:image/svg+xml;base64,"])
def test_a_picture_becomes_its_length(prefix: str) -> None:
    picture = prefix + base64.b64encode(bytes(3000)).decode()
    kept = keep_body(json.dumps({"image": picture, "prompt": "a cat"}).encode())
    assert json.loads(kept) == {"image": f"{prefix}[{len(picture)} characters]", "prompt": "a cat"}


def test_long_words_of_a_prompt_stay() -> None:
    body = json.dumps({"prompt": "a cat " * 1000, "word": "A" * 399}).encode()
    assert keep_body(body) == body


@pytest.mark.parametrize("size", [BODY_KEPT + 1, LARGEST_SEARCHED + 1])
def test_a_body_is_cut_at_the_bound(size: int) -> None:
    assert keep_body(b"a b " * (size // 4 + 1)) == (b"a b " * BODY_KEPT)[:BODY_KEPT]


def test_a_request_on_record_knows_its_real_size() -> None:
    entry = exchange()
    entry.keep_request(b"a b " * 10_000)
    assert (len(entry.body), entry.body_size) == (BODY_KEPT, 40_000)


@pytest.mark.parametrize(
    ("body", "value"),
    [(b'{"a": [1, null]}', {"a": [1, None]}), (b"", ""), (b"{", "{"), (b"\xff\xfe", "\ufffd\ufffd"), (b"5", 5)]
    + [(body, body.decode()) for body in (b"[" * 10_000, b"9" * 5000)],
)
def test_a_body_reads_as_json_or_as_text(body: bytes, value: Any) -> None:
    assert readable(body) == value


@pytest.mark.parametrize(
    "body", [b"NaN", b'{"a": -Infinity}', b'{"a": 1e999}', rb'"\ud800"', rb'{"\udfff": 1}', b'["\xed\xa0\x80"]']
)
def test_what_is_readable_can_be_shown_as_strict_json(body: bytes) -> None:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    json.loads(to_json(readable(body)), parse_constant=refuse)


@given(st.binary(max_size=5000))
def test_any_body_is_kept_and_readable(body: bytes) -> None:
    kept = keep_body(body)
    assert len(kept) <= BODY_KEPT
    to_json(readable(kept))
