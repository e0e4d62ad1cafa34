"""Answers whose head is written as one string are, byte for byte, what aiohttp itself would write."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from mockserver.engine.clock import pause
from mockserver.engine.problems import Problem
from mockserver.http.connection_server import Server
from mockserver.http.json_answer import JSON, JsonAnswer
from mockserver.http.request_head import RequestLine
from support.scene import Scene

DATA = b'{"a": 1}'
EXTRA = {"Retry-After": "1", "x-request-id": "6f"}


class Both:
    """Answers `/ours` with a JsonAnswer and `/theirs` with aiohttp's Response, alike in everything else."""

    body_timeout = 30.0
    max_body = 1_000_000
    status = 200
    extra = EXTRA
    data = DATA

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        if request.path == "/ours":
            answer = JsonAnswer(self.data, self.status, self.extra)
            if "touch" in request.query:
                assert answer.headers["content-type"] == JSON
            return answer
        return web.Response(body=self.data, status=self.status, headers={"Content-Type": JSON, **self.extra})

    async def answer_malformed(
        self, request: web.BaseRequest, line: RequestLine, problem: Problem
    ) -> web.StreamResponse:
        return web.Response(status=400)

    def answer_crash(self, where: str, error: BaseException | None) -> web.StreamResponse:
        raise AssertionError(where) from error


async def exchange(app: Any, sent: bytes) -> bytes:
    """Everything that a server answers on one connection; the client sends no more after `sent`."""
    runner = web.ServerRunner(Server(app))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        writer.write(sent)
        writer.write_eof()
        received = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return received
    finally:
        await runner.cleanup()


def both(app: Any, request: str) -> tuple[bytes, bytes]:
    """What the two ways answer to a request for %s, with the second of `Date` left out."""

    async def run() -> tuple[bytes, bytes]:
        return await exchange(app, (request % "/ours").encode()), await exchange(app, (request % "/theirs").encode())

    ours, theirs = (re.sub(rb"(Date: .*:\d\d:)\d\d", rb"\1", text) for text in asyncio.run(run()))
    return ours, theirs


REQUESTS = {
    "get": "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
    "close": "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "head": "HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n",
    "http-1.0": "GET %s HTTP/1.0\r\nHost: a\r\n\r\n",
    "http-1.0-keep-alive": "GET %s HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    "post": "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
    "chunked": "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "upgrade": "GET %s HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "pipelined": "GET %s?1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /theirs HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_as_aiohttp_writes_it(request_: str) -> None:
    ours, theirs = both(Both(), request_)
    assert ours.startswith((b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n"))
    assert ours == theirs


@pytest.mark.parametrize("status", [200, 201, 202, 204, 205, 299, 304, 400, 404, 418, 429, 500, 503, 599])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_status(status: int, method: str) -> None:
    app = Both()
    app.status = status
    ours, theirs = both(app, f"{method} %s HTTP/1.1\r\nHost: a\r\n\r\n")
    assert f" {status} ".encode() in ours
    assert ours == theirs


@pytest.mark.parametrize("value", ["", "a b", "ü", "한", "x" * 9_000])
def test_every_value_of_a_header(value: str) -> None:
    app = Both()
    app.extra = {"x-note": value}
    ours, theirs = both(app, REQUESTS["get"])
    assert value.encode() in ours
    assert ours == theirs


def test_a_value_with_a_line_break_is_not_sent() -> None:
    app = Both()
    app.extra = {"x-note": "a\r\nSet-Cookie: b"}
    ours, theirs = both(app, REQUESTS["get"])
    assert b"Set-Cookie" not in ours + theirs


def test_headers_that_somebody_looked_at() -> None:
    ours, theirs = both(Both(), REQUESTS["get"].replace("%s", "%s?touch"))
    assert ours == theirs


def test_a_header_set_before_and_after_a_look() -> None:
    answer = JsonAnswer(DATA)
    answer.set_header("a", "1")
    assert dict(answer.headers) == {"Content-Type": JSON, "a": "1"}
    answer.set_header("a", "2")
    assert (answer.headers["a"], answer.content_type, answer.body, answer.status) == ("2", JSON, DATA, 200)


@pytest.fixture
def client(scene: Scene) -> Iterator[socket.socket]:
    split = urlsplit(scene.root)
    with closing(socket.create_connection((split.hostname, split.port), timeout=5)) as found:
        yield found


def test_a_connection_is_kept_for_as_many_requests_as_come(scene: Scene, client: socket.socket) -> None:
    for _ in range(3):
        client.sendall(b"GET /evolink/v1/credits HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n\r\n")
        assert client.recv(10_000).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.asyncio
async def test_a_client_that_does_not_read_is_waited_for_and_one_that_leaves_is_let_go() -> None:
    app = Both()
    app.data = b'"' + b"x" * 30_000_000 + b'"'
    runner = web.ServerRunner(Server(app))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        _, leaver = await asyncio.open_connection(*runner.addresses[0][:2], limit=1_000)
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2], limit=1_000)
        for each in (leaver, writer):
            each.write(b"GET /ours HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await pause(0.2)
        leaver.transport.abort()
        received = await asyncio.wait_for(reader.read(), 10)
        assert received.endswith(app.data)
        writer.close()
    finally:
        await runner.cleanup()
