"""What a receiver may answer: its status alone decides an attempt."""

import gzip

import pytest

from engine.world import raw_receiver
from mockserver.engine import http_post
from mockserver.engine.addresses import is_loopback
from mockserver.engine.callbacks import Outcome
from mockserver.engine.outbound import Sender


async def answered(*answers: bytes, close: bool = True, timeout: float = 5.0) -> list[Outcome]:
    """What comes of one callback for each of some answers, sent as they are."""
    sender = Sender()
    async with raw_receiver(*answers, close=close) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/hook"
        outcomes = [await sender.post(url, b"{}", is_loopback, False, timeout) for _ in answers]
        await sender.close()
    return outcomes


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "start"),
    [
        (OK + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\n\x1b\x02\x80", "\x1b\x02\ufffd"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bxx", "\x1f\ufffdxx"),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"ok", mtime=0)[:6], "\x1f\ufffd\b\0\0\0"),
        (OK + b"X: " + b"y" * 200_000 + b"\r\nContent-Length: 2\r\n\r\nok", "ok"),
        (OK + b"X: y\r\n" * 20_000 + b"Content-Length: 2\r\n\r\nok", "ok"),
        (OK + b"X: " + b"y" * 3_000_000, ""),
        (OK + b"Content-Length: -1\r\nContent-Length: x\r\n\r\nok", "ok"),
        (OK + b"Content-Length: 99999\r\n\r\nok", "ok"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n", "ok"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;a=b\r\nk\r\n0\r\n\r\n", "ok"),
        (OK + b"a header without a colon\r\n\x00\xff: \xfe\r\n\r\nok", "ok"),
        (OK + b"Content-Length: 1000\r\n\r\n" + b"a" * 1000, "a" * 500),
        (OK, ""),
        (b"HTTP/1.1 200", ""),
        (b"HTTP/1.0 200 OK\n\nok", "ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"\r\nok", "ok"),
    ],
)
@pytest.mark.asyncio
async def test_the_status_alone_decides(answer: bytes, start: str) -> None:
    (outcome,) = await answered(answer)
    assert (outcome.status, outcome.error, outcome.response) == (200, None, start)


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\nthere\r\n",
        b"\x16\x03\x01\x00\xa5\x01\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"x" * 100_000,
        "caf\u00e9 \u202e\u2028 \x1b[31m\n".encode(),
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
)
@pytest.mark.asyncio
async def test_garbage_is_one_printable_line_and_no_status(garbage: bytes) -> None:
    (outcome,) = await answered(garbage)
    assert outcome.status is None
    assert outcome.error is not None
    assert outcome.error.startswith("the answer is not HTTP")
    assert outcome.error.isprintable()
    assert len(outcome.error) <= 200


@pytest.mark.asyncio
async def test_an_end_before_the_status_is_an_error() -> None:
    outcomes = await answered(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
    assert [outcome.error for outcome in outcomes] == ["the receiver closed the connection before it answered"] * 2


@pytest.mark.asyncio
async def test_a_body_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_post, "BODY_WAIT", 0.05)
    (outcome,) = await answered(OK + b"Content-Length: 9\r\n\r\nok", close=False, timeout=0.04)
    assert (outcome.status, outcome.response) == (200, "ok")


@pytest.mark.asyncio
async def test_a_connection_is_used_again_and_a_closed_one_is_not() -> None:
    whole = OK + b"Content-Length: 2\r\n\r\n"
    assert [outcome.response for outcome in await answered(whole + b"a1", whole + b"a2", close=False)] == ["a1", "a2"]
    assert [outcome.response for outcome in await answered(whole + b"b1", whole + b"b2")] == ["b1", "b2"]
