"""What a connection does beside its requests: time limits, half-closing, pipelining."""

import socket
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
from conftest import Serve
from test_bad_wire import PATHS, VALID, assert_refused, chunked, parsed, request, talk

from mockserver.http import connection, connection_server
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
    monkeypatch.setattr(connection_server, "KEEPALIVE_SECONDS", 0.1)
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


# requests that can't be parsed


def all_answers(scene: Scene, *pieces: bytes, pause: float = 0.0) -> list[httpx.Response]:
    """Every answer on a connection, until the server closes it."""
    received = talk(scene.root, *pieces, pause=pause, complete=False)
    return [parsed(b"HTTP/1." + part) for part in received.split(b"HTTP/1.")[1:]]


OTHER = {"xhuoapi": "evolink", "icodeeasy": "xhuoapi", "evolink": "icodeeasy"}
MALFORMED = "POST /{}/v1/images/generations HTTP/1.1\r\nHost: a\r\nX A: /{}/ HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize("provider", OTHER)
@pytest.mark.parametrize("cut", [1, 4, 9, 20, 50, 70])
def test_a_malformed_request_in_packets_gets_its_own_envelope(scene: Scene, provider: str, cut: int) -> None:
    sent = MALFORMED.format(provider, OTHER[provider]).encode()
    (answer,) = all_answers(scene, sent[:cut], sent[cut:], pause=0.005)
    assert_refused(answer, provider)


@pytest.mark.parametrize("provider", OTHER)
@pytest.mark.parametrize("first", [CREDITS, request(PATHS["xhuoapi"], b'{"a":1}')], ids=["get", "post"])
def test_a_malformed_request_after_others_gets_its_own_envelope(scene: Scene, provider: str, first: bytes) -> None:
    bad = MALFORMED.format(provider, OTHER[provider]).encode()
    for pieces in ([first + first + bad], [first + bad[:30], bad[30:]], [first + bad[:3], bad[3:]], [first, bad]):
        *before, answer = all_answers(scene, *pieces, pause=0.005)
        assert len(before) == (2 if len(pieces) == 1 else 1)
        assert_refused(answer, provider)


def test_valid_requests_ahead_of_a_malformed_one_are_answered(scene: Scene) -> None:
    found = all_answers(scene, CREDITS * 3 + MALFORMED.format("evolink", "xhuoapi").encode() + CREDITS)
    assert [answer.status_code for answer in found] == [200, 200, 200, 400]


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_answer_to_a_malformed_request_has_the_clients_version(scene: Scene, version: str) -> None:
    sent = f"GET /evolink/v1/credits HTTP/{version}\r\nHost: a\r\nX A: b\r\n\r\n".encode()
    assert talk(scene.root, sent).startswith(f"HTTP/{version} 400 ".encode())


@pytest.mark.parametrize("provider", OTHER)
def test_connect_gets_the_providers_405(scene: Scene, provider: str) -> None:
    sent = f"CONNECT {PATHS[provider]} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    answer = parsed(talk(scene.root, sent))
    assert_refused(answer, provider, 405)
    assert answer.headers["allow"] == "POST"


def test_text_that_looks_like_a_request_in_a_body_is_a_body(scene: Scene) -> None:
    body = b'{"model":"gpt-image-2-beta","prompt":"x","z":"' + b"\\n" + b'"\n,"y":1}\nGET / HTTP/1.1\nPUT /a HTTP/1.1\n'
    assert parsed(talk(scene.root, request(PATHS["evolink"], body))).status_code == 400
    assert len(scene.mock("requests")["requests"]) == 1


def test_a_chunked_body_that_came_with_its_header_leaves_an_idle_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its chunks are no beginning of a next request, whose header would be waited for and answered with a 408."""
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.1)
    monkeypatch.setattr(connection_server, "KEEPALIVE_SECONDS", 0.5)
    with MockServer(Settings(port=0)) as mock:
        split = urlsplit(mock.root_url)
        with closing(socket.create_connection((split.hostname, split.port), timeout=2)) as client:
            body = VALID["evolink"]
            client.sendall(chunked(PATHS["evolink"], b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)))
            assert parsed(client.recv(10_000)).status_code == 200
            assert client.recv(10_000) == b""
        assert [entry.status for entry in mock.requests()] == [200]
