"""A client that stops sending: its header and its body have time limits, and an answer where one is possible."""

import json

import httpx
import pytest
from conftest import Serve
from test_bad_wire import EDIT_PATHS, PATHS, PROVIDERS, VALID, assert_refused, chunked, parsed, request, talk

from http_server.test_connection import CREDITS
from mockserver.http import connection
from support.scene import Scene

HALF = VALID["evolink"][:10]


@pytest.fixture(scope="module", params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hasty(serve: Serve) -> Scene:
    """A server that waits 0.1 s for the next byte of a body."""
    return serve(body_timeout=0.1)


def test_a_half_sent_body_is_a_408(hasty: Scene, provider: str) -> None:
    for sent in (request(PATHS[provider], HALF, length=500), chunked(PATHS[provider], b"5\r\nabc")):
        answer = parsed(talk(hasty.root, sent))
        assert_refused(answer, provider, 408)
        assert "0.1 seconds" in answer.text
        assert answer.headers["connection"] == "close"
    assert hasty.mock("requests", provider=provider)["requests"][0]["status"] == 408


def test_a_body_that_never_begins_is_a_408(hasty: Scene, provider: str) -> None:
    assert_refused(parsed(talk(hasty.root, request(PATHS[provider], length=5))), provider, 408)


@pytest.mark.parametrize("name", EDIT_PATHS)
def test_a_half_sent_form_is_a_408(hasty: Scene, name: str) -> None:
    body = b'--BB\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt'
    sent = request(EDIT_PATHS[name], body, "Content-Type: multipart/form-data; boundary=BB", length=500)
    assert_refused(parsed(talk(hasty.root, sent)), name, 408)


def test_a_half_sent_body_of_a_later_request(hasty: Scene, provider: str) -> None:
    received = talk(hasty.root, CREDITS + request(PATHS[provider], HALF, length=500), complete=False)
    _, _, second = received.rpartition(b"HTTP/1.1 ")
    assert_refused(parsed(b"HTTP/1.1 " + second), provider, 408)


def test_a_half_sent_control_call(hasty: Scene) -> None:
    answer = parsed(talk(hasty.root, request("/_mock/reset", b"{", length=9)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "timeout")


def test_a_refused_request_whose_body_does_not_come_leaves_no_trace(hasty: Scene, provider: str) -> None:
    sent = request(f"/{provider}/v1/nothing", HALF, length=500)
    received = talk(hasty.root, sent, complete=False)
    assert_refused(parsed(received), provider, 404)
    assert received.count(b"HTTP/1.1") == 1
    assert hasty.mock("health")["defects"]["count"] == 0


def test_a_slow_body_that_goes_on_is_read(hasty: Scene) -> None:
    sent = request(PATHS["evolink"], VALID["evolink"])
    pieces = [sent[:-20], *(sent[n : n + 1] for n in range(len(sent) - 20, len(sent)))]
    assert parsed(talk(hasty.root, *pieces, pause=0.02)).status_code == 200


def test_a_waiting_call_is_not_timed_out(serve: Serve) -> None:
    scene = serve(body_timeout=0.05, clock="real", latency="0.2-0.2")
    assert parsed(talk(scene.root, request(PATHS["xhuoapi"], VALID["xhuoapi"]))).status_code == 200


def test_who_waits_for_a_100_continue_is_not_timed_out(serve: Serve) -> None:
    scene = serve(body_timeout=0.05, clock="real")
    scene.http.post("/_mock/faults", content=json.dumps({"fault": {"type": "latency", "seconds": 0.3}}))
    sent = request(PATHS["evolink"], b"", "Expect: 100-continue", length=len(VALID["evolink"]))
    assert talk(scene.root, sent, timeout=0.6, complete=False).startswith(b"HTTP/1.1 100")


@pytest.mark.parametrize("half", ["POST {} HTTP/1.1\r\nHost: a\r\nX-A: ", "POST {} HT"])
@pytest.mark.parametrize("before", [b"", CREDITS])
def test_a_half_sent_header_is_a_408(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, provider: str, before: bytes, half: str
) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.1)
    sent = half.format(PATHS[provider]).encode()
    received = talk(serve().root, *([before] if before else []), sent, pause=0.03, complete=False)
    assert_refused(parsed(b"HTTP/1.1 " + received.rpartition(b"HTTP/1.1 ")[2]), provider, 408)


def test_a_header_that_trickles_is_a_408(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.1)
    pieces = [b"GET / HTTP/1.1\r\n", *[b"X-A: a\r\n"] * 3]
    answer = parsed(talk(serve().root, *pieces, pause=0.015))
    assert isinstance(answer, httpx.Response)
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "timeout")
