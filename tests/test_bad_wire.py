"""Bad input below HTTP's own grammar: framing, request lines, headers, other protocols. And tools of test_bad_*."""

import socket
from collections.abc import Iterator
from contextlib import closing
from time import sleep
from urllib.parse import urlsplit

import httpx
import pytest

from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.calls import EDITS, GENERATIONS, MODELS
from support.errors import assert_evolink_error, assert_icodeeasy_error, assert_xhuoapi_error
from support.scene import Scene

PROVIDERS = ("xhuoapi", "icodeeasy", "evolink")
KEY = "sk_bad-input"
PATHS = {name: f"/{name}{path}" for name, path in GENERATIONS.items()}
EDIT_PATHS = {name: f"/{name}{path}" for name, path in EDITS.items()}
VALID = {name: f'{{"model":"{model}","prompt":"x"}}'.encode() for name, model in MODELS.items()}
CODES = {
    "xhuoapi": {
        400: "token_mismatched",
        404: "no_api",
        405: "no_api",
        408: "request_timeout",
        413: "request_too_large",
    },
    "icodeeasy": dict.fromkeys((400, 404, 405, 408, 413), "invalid_request_error"),
    "evolink": {**dict.fromkeys((400, 404, 405, 408), "invalid_request"), 413: "request_too_large"},
}


def assert_refused(answer: httpx.Response, provider: str, status: int = 400, param: str | None = None) -> None:
    """The provider's own envelope for a bad request; `param` is evolink's."""
    code = CODES[provider][status]
    if provider == "xhuoapi":
        assert_xhuoapi_error(answer, status, code)
    elif provider == "icodeeasy":
        assert_icodeeasy_error(answer, status, code)
    else:
        assert_evolink_error(answer, status, code, param=param)


def request(path: str, body: bytes = b"", *headers: str, method: str = "POST", length: int | None = None) -> bytes:
    """A request's bytes, with a key. Content-Length is the body's unless given; none if it is negative."""
    length = len(body) if length is None else length
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {KEY}"]
    lines += ["Content-Type: application/json"] if not any(h.startswith("Content-Type") for h in headers) else []
    lines += [f"Content-Length: {length}"] if length >= 0 else []
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def chunked(path: str, body: bytes, *headers: str) -> bytes:
    """A request whose body is framed as it stands here."""
    return request(path, body, "Transfer-Encoding: chunked", *headers, length=-1)


def talk(
    root: str,
    *pieces: bytes,
    half_close: bool = False,
    timeout: float = 1.0,
    pause: float = 0.0,
    complete: bool = True,
) -> bytes:
    """Send bytes on a connection of their own, with a pause after each piece.

    Returns what comes back until the first answer is complete (with `complete`), the server closes or falls silent.
    """
    split = urlsplit(root)
    received = b""
    with closing(socket.create_connection((split.hostname, split.port), timeout=timeout)) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                if pause:
                    sleep(pause)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while not (complete and _complete(received)) and (data := connection.recv(65536)):
                received += data
        except (ConnectionError, TimeoutError):
            pass
    return received


def _complete(received: bytes) -> bool:
    head, _, body = received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(length) and len(body) >= int(length)


def parsed(received: bytes) -> httpx.Response:
    """The first answer in what came back."""
    assert received, "no answer at all"
    head, _, body = received.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    return httpx.Response(int(line.split()[1]), headers=headers, content=body)


@pytest.fixture(scope="module")
def server() -> Iterator[Scene]:
    """One server for all inputs of this file: that it answers the next is part of each test."""
    settings = Settings(port=0, clock="virtual", latency="instant", seed="test")
    with MockServer(settings) as mock, web.Client(base_url=mock.root_url, timeout=10.0) as http:
        yield Scene(mock, http)


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A client's fault is nothing that the server's log shouts about."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


FRAMING = {
    "length-negative": ("Content-Length: -1",),
    "length-signed": ("Content-Length: +5",),
    "length-text": ("Content-Length: abc",),
    "length-huge": (f"Content-Length: {10**25}",),
    "length-twice": ("Content-Length: 5", "Content-Length: 6"),
    "length-and-chunked": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "chunked-not-last": ("Transfer-Encoding: chunked, gzip",),
    "coding-unknown": ("Transfer-Encoding: xchunked",),
    "name-with-space": ("X A: 1",),
    "no-colon": ("XA",),
    "nul": ("X-A: a\x00b",),
    "folded": ("X-A: a\r\n b",),
    "large": ("X-A: " + "a" * 20_000,),
    "many": tuple(f"X-{n}: 1" for n in range(500)),
}


@pytest.mark.parametrize("headers", FRAMING.values(), ids=FRAMING)
def test_headers_that_are_no_http(server: Scene, provider: str, headers: tuple[str, ...]) -> None:
    answer = talk(server.root, request(PATHS[provider], b"", *headers, length=-1) + b"0\r\n\r\n")
    assert_refused(parsed(answer), provider)


CHUNKS = {
    "no-number": b"zz\r\nfoo\r\n0\r\n\r\n",
    "no-line-end": b"3\r\nabcdef\r\n0\r\n\r\n",
    "huge": b"f" * 20 + b"\r\nabc",
    "negative": b"-1\r\nabc",
    "trailers": b"0\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n",
}


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS)
def test_chunks_that_are_badly_framed(server: Scene, provider: str, body: bytes) -> None:
    assert_refused(parsed(talk(server.root, chunked(PATHS[provider], body))), provider)


@pytest.mark.parametrize("body", CHUNKS.values(), ids=CHUNKS)
def test_chunks_that_turn_bad_later(server: Scene, provider: str, body: bytes) -> None:
    sent = chunked(PATHS[provider], b"1\r\n{\r\n")
    server.http.get("/")  # a turn of the loop between the two pieces
    assert_refused(parsed(talk(server.root, sent, body)), provider)


@pytest.mark.parametrize("version", ["HTTP/9.9", "FOO/1.1", "HTTP/1.1 x"])
def test_request_lines_of_other_versions(server: Scene, provider: str, version: str) -> None:
    sent = request(PATHS[provider], VALID[provider]).replace(b"HTTP/1.1", version.encode(), 1)
    assert_refused(parsed(talk(server.root, sent)), provider)


def test_a_request_line_that_is_too_long(server: Scene, provider: str) -> None:
    answer = parsed(talk(server.root, request(f"{PATHS[provider]}?{'a' * 20_000}", VALID[provider])))
    assert_refused(answer, provider)


@pytest.mark.parametrize("path", ["\x00", "\xed\x95\x9c"])
def test_raw_bytes_in_a_path(server: Scene, provider: str, path: str) -> None:
    assert_refused(parsed(talk(server.root, request(f"/{provider}/v1/{path}", method="GET"))), provider)


@pytest.mark.parametrize("method", ["BREW", "get", "A" * 30, "PRI"])
def test_made_up_methods(server: Scene, provider: str, method: str) -> None:
    answer = parsed(talk(server.root, request(PATHS[provider], method=method)))
    assert_refused(answer, provider, answer.status_code if answer.status_code == 405 else 400)


def test_a_body_broken_off(server: Scene, provider: str) -> None:
    sent = request(PATHS[provider], VALID[provider][:-5], length=500)
    assert_refused(parsed(talk(server.root, sent, half_close=True)), provider)


def test_a_chunked_body_broken_off(server: Scene, provider: str) -> None:
    assert_refused(parsed(talk(server.root, chunked(PATHS[provider], b"5\r\nabc"), half_close=True)), provider)


def test_a_client_that_goes_away_in_its_body(server: Scene, provider: str) -> None:
    talk(server.root, request(PATHS[provider], b"{", length=500), timeout=0.05)
    (seen,) = server.mock("requests", provider=provider, api_key=KEY, limit=1)["requests"]
    assert (seen["path"], seen["task_id"], seen["status"] or 400) == (PATHS[provider], None, 400)


ALIEN = {
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 400,
    "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "ssh": b"SSH-2.0-OpenSSH_9\r\n",
    "an-answer": b"HTTP/1.1 200 OK\r\n\r\n",
    "text": b"hello\r\n\r\n",
    "zeros": bytes(100),
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "two-hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
}


@pytest.mark.parametrize("data", ALIEN.values(), ids=ALIEN)
def test_other_protocols_are_told_so(server: Scene, data: bytes) -> None:
    answer = parsed(talk(server.root, data))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"error": {"code": "bad_request", "message": "This is not a valid HTTP request."}}


def test_http_0_9_gets_a_page_or_a_refusal(server: Scene) -> None:
    assert parsed(talk(server.root, b"GET /nope\r\n\r\n")).status_code in (400, 404)
