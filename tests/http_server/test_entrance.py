"""What a request's handler is given, whatever bytes the request had: text that any JSON writer takes."""

import asyncio
import json

import pytest
from aiohttp import web
from pydantic_core import to_json

from http_server.test_json_answer import Both, exchange


class Echo(Both):
    """Keeps method, path, query and headers of its only request."""

    seen: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.headers = tuple(request.headers.items())
        self.seen = (request.method, request.path, request.raw_path, request.query_string, *request.query.values())
        return web.Response(body=b"seen")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"caf\xe9", "caf\\xe9"),
        (b"caf\xc3\xa9", "caf\u00e9"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
        (b"\xf0\x9f\xa6\x8a", "\U0001f98a"),
        (b"plain", "plain"),
    ],
)
def test_bytes_of_a_header(sent: bytes, shown: str) -> None:
    app = Echo()
    request = b"GET /ours HTTP/1.1\r\nHost: a.example\r\nX-Text: %s\r\nX-Other: b\r\n\r\n"
    answer = asyncio.run(exchange(app, request % sent))
    assert answer.endswith(b"seen")
    assert dict(app.headers) == {"Host": "a.example", "X-Text": shown, "X-Other": "b"}


@pytest.mark.parametrize(
    "sent", [b"\xe9", b"caf\xc3\xa9", b"%E9", b"%ED%A0%80", b"?x=\xe9", b"?x=%E9", b"%00", b"\xff"]
)
def test_bytes_of_a_path(sent: bytes) -> None:
    """All of it can be written, or it is refused as malformed."""
    app = Echo()
    answer = asyncio.run(exchange(app, b"GET /ours/" + sent + b" HTTP/1.1\r\nHost: a\r\n\r\n"))
    assert answer.endswith(b"seen") or answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(to_json(app.seen)) == list(app.seen)


def test_headers_with_one_name_are_all_kept() -> None:
    app = Echo()
    asyncio.run(exchange(app, b"GET /ours HTTP/1.1\r\nHost: a\r\nX-A: \xe9\r\nX-A: b\r\nx-a: c\r\n\r\n"))
    assert [value for name, value in app.headers if name.lower() == "x-a"] == ["\\xe9", "b", "c"]
