"""What a connection does beside its requests: time limits, half-closing, pipelining."""

import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from conftest import Serve
from test_bad_wire import PATHS, VALID, chunked, parsed, request, talk

from mockserver.http import connection
from mockserver.server import MockServer
from mockserver.settings import Settings
from support.scene import Scene

CREDITS = b"GET /evolink/v1/credits HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\n\r\n"


@pytest.mark.parametrize("half", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "])
def test_a_half_sent_header_does_not_stay(monkeypatch: pytest.MonkeyPatch, half: bytes) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.1)
    with MockServer(Settings(port=0)) as mock:
        split = urlsplit(mock.root_url)
        with closing(socket.create_connection((split.hostname, split.port), timeout=2)) as client:
            client.sendall(half)
            assert not client.recv(10_000).startswith(b"HTTP/1.1 200")


def test_a_slow_body_is_waited_for(scene: Scene) -> None:
    sent = request(PATHS["evolink"], VALID["evolink"])
    pieces = [sent[n : n + 40] for n in range(0, len(sent), 40)]
    assert parsed(talk(scene.root, *pieces)).status_code == 200


def test_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE_SECONDS", 0.1)
    with MockServer(Settings(port=0)) as mock:
        split = urlsplit(mock.root_url)
        with closing(socket.create_connection((split.hostname, split.port), timeout=2)) as client:
            client.sendall(CREDITS)
            assert client.recv(10_000)
            assert client.recv(10_000) == b""


@pytest.mark.parametrize("sent", [CREDITS, request(PATHS["evolink"], VALID["evolink"])])
def test_a_client_that_ends_its_side_is_still_answered(scene: Scene, sent: bytes) -> None:
    """As `nc -N` does, and every client that half-closes after its request (RFC 9112, 9.6)."""
    assert parsed(talk(scene.root, sent, half_close=True)).status_code == 200


def test_a_client_that_ends_its_side_is_waited_for(serve: Serve) -> None:
    scene = serve(clock="real", latency="0.1-0.1")
    sent = request(PATHS["xhuoapi"], VALID["xhuoapi"])
    assert parsed(talk(scene.root, sent, half_close=True)).status_code == 200


def answers(scene: Scene, sent: bytes) -> list[int]:
    """The statuses of all answers on a connection whose last request asks for its end."""
    split = urlsplit(scene.root)
    received = b""
    with closing(socket.create_connection((split.hostname, split.port), timeout=2)) as client:
        client.sendall(sent)
        while data := client.recv(65536):
            received += data
    return [int(part[:3]) for part in received.replace(b"HTTP/1.0 ", b"HTTP/1.1 ").split(b"HTTP/1.1 ")[1:]]


def test_pipelined_requests(scene: Scene) -> None:
    last = CREDITS.replace(b"Host: a", b"Host: a\r\nConnection: close")
    assert answers(scene, CREDITS * 30 + last) == [200] * 31


def test_a_refused_body_does_not_become_the_next_request(scene: Scene) -> None:
    smuggled = CREDITS.replace(b"/credits", b"/smuggled")
    sent = request(PATHS["evolink"], smuggled, "Content-Encoding: gzip", "Connection: close")
    assert answers(scene, sent) == [400]


def test_two_framings_end_the_connection(scene: Scene) -> None:
    sent = request(PATHS["evolink"], b"0\r\n\r\n" + CREDITS, "Transfer-Encoding: chunked")
    assert answers(scene, sent) == [400]


def test_what_follows_a_bad_chunk_is_not_read(scene: Scene) -> None:
    assert answers(scene, chunked(PATHS["evolink"], b"zz\r\n" + CREDITS)) == [400]
