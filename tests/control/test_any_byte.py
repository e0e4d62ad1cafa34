"""Any byte in, readable out: whatever bytes a client sends, every control call and the snapshot can be read."""

import random
from collections.abc import Iterator
from contextlib import closing
from socket import create_connection, create_server
from threading import Thread
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from http_server.test_multipart import UPLOAD, fields, form
from test_bad_wire import EDIT_PATHS, PATHS, PROVIDERS, VALID, request, talk

from control.steer import ask, idle, sink_url
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.scene import Scene

HOSTILE = (
    b"\xe9",
    b"caf\xe9",
    b"\xed\xa0\x80",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"\xf0\x9f\xa6\x8a",
    b"\xc3",
    b"\x80\x80",
    b"\\ud800",
)
HEADERS = (
    "User-Agent",
    "Host",
    "Idempotency-Key",
    "Authorization",
    "Cookie",
    "X-Api-Key",
    "Referer",
    "Content-Type",
)


@pytest.fixture(scope="module")
def of_all() -> Iterator[Scene]:
    settings = Settings(port=0, clock="virtual", latency="instant", seed="test")
    with MockServer(settings) as mock, web.Client(base_url=mock.root_url, timeout=10.0) as http:
        yield Scene(mock, http)


@pytest.fixture
def server(of_all: Scene) -> Scene:
    """A server that has nothing but what the test sends it, so that this alone is read."""
    ask(of_all, "POST", "reset")
    return of_all


def assert_readable(scene: Scene) -> None:
    """Every call that shows something answers 200 with JSON in UTF-8, and a snapshot can be put back."""
    for noun in ("tasks", "callbacks", "requests", "accounts"):
        for row in ask(scene, "GET", noun)[noun]:
            if noun == "accounts":
                ask(scene, "GET", f"accounts/{row['account']}", provider=row["provider"])
            else:
                ask(scene, "GET", f"{noun}/{row['id']}")
    for path in ("health", "clock", "faults", "routes", "sink/app"):
        ask(scene, "GET", path)
    snapshot = ask(scene, "GET", "snapshot")
    ask(scene, "PUT", "snapshot", snapshot)
    assert ask(scene, "GET", "snapshot") == snapshot
    assert ask(scene, "GET", "health")["defects"]["count"] == 0


def raw(scene: Scene, data: bytes) -> bytes:
    """Send bytes as they are; the answer, which is none of the server's own errors."""
    answer = talk(scene.root, data)
    assert not answer.startswith((b"HTTP/1.1 5", b"HTTP/1.0 5")), (data, answer)
    return answer


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_headers(server: Scene, provider: str, hostile: bytes) -> None:
    lines = request(PATHS[provider], VALID[provider]).partition(b"\r\n\r\n")[0].split(b"\r\n")
    for name in (*(name.encode() for name in HEADERS), b"X-" + hostile):
        value = b"Bearer k" + hostile if name == b"Authorization" else hostile
        others = [line for line in lines if not line.startswith(name + b":")]
        raw(server, b"\r\n".join([*others, name + b": " + value]) + b"\r\n\r\n" + VALID[provider])
    assert_readable(server)


def test_a_byte_that_is_not_utf_8_is_shown_as_an_escape(server: Scene) -> None:
    raw(server, request(PATHS["evolink"], VALID["evolink"], "User-Agent: caf\xe9"))
    assert ask(server, "GET", "requests", limit=1)["requests"][0]["headers"]["User-Agent"] == "caf\\xe9"


def test_an_idempotency_key_of_any_bytes_is_one_key(server: Scene) -> None:
    sent = request(PATHS["evolink"], VALID["evolink"], "Idempotency-Key: \xe9\xff")
    first, second = raw(server, sent), raw(server, sent)
    assert b"idempotency-replayed: true" in second
    assert second.rpartition(b"\r\n\r\n")[2] == first.rpartition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_methods_paths_and_queries(server: Scene, provider: str, hostile: bytes) -> None:
    place = provider.encode()
    rest = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk_k\r\nContent-Length: 0\r\n\r\n"
    for text in (hostile, quote_from_bytes(hostile).encode()):
        for line in (
            b"%s /%s/v1/credits" % (text, place),
            b"GET /%s/%s" % (place, text),
            b"GET /%s/v1/tasks/%s" % (place, text),
            b"GET /%s/v1/credits?%s=%s" % (place, text, text),
            b"GET /_mock/%s" % text,
            b"GET /_mock/tasks/%s" % text,
            b"GET /_mock/tasks?api_key=%s" % text,
            b"GET /_mock/accounts/%s?provider=evolink" % text,
            b"POST /_mock/sink/%s" % text,
            b"GET /%s" % text,
        ):
            raw(server, line + rest)
    assert_readable(server)


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@pytest.mark.parametrize("provider", EDIT_PATHS)
def test_form_names_and_file_names(server: Scene, provider: str, hostile: bytes) -> None:
    body = form([*fields(provider), UPLOAD])
    for before, after in (
        (b'name="image"', b'name="%s"' % hostile),
        (b'filename="a.png"', b'filename="%s"' % hostile),
        (b'filename="a.png"', b"filename*=utf-8''%s" % hostile),
        (b'filename="a.png"', b"filename*=%s" % hostile),
        (b"\r\n\r\nx", b"\r\n\r\n" + hostile),
        (b'name="prompt"\r\n\r\nx', b'name="prompt"\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-'),
    ):
        sent = body.replace(before, after)
        assert sent != body
        raw(server, request(EDIT_PATHS[provider], sent, "Content-Type: multipart/form-data; boundary=BB"))
    assert_readable(server)


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_bodies_and_callback_addresses(server: Scene, provider: str, hostile: bytes) -> None:
    for name in (b"prompt", b"model", b"user", b"callback_url", b"trace_id", hostile):
        value = b"http://127.0.0.1:9/" + hostile if name == b"callback_url" else hostile
        raw(server, request(PATHS[provider], VALID[provider][:-1] + b',"%s":"%s"}' % (name, value)))
    raw(server, request(PATHS[provider], hostile))
    assert_readable(server)


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
def test_what_a_sink_is_sent(server: Scene, hostile: bytes) -> None:
    head = b"POST /_mock/sink/app HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: %s\r\nContent-Length: %d\r\n\r\n"
    assert raw(server, head % (hostile, len(hostile)) + hostile).startswith(b"HTTP/1.1 200")
    url = sink_url(server).encode() + b"?" + hostile
    raw(server, request(PATHS["xhuoapi"], VALID["xhuoapi"][:-1] + b',"callback_url":"%s"}' % url))
    idle(server)
    assert_readable(server)


def test_what_a_receiver_answers(server: Scene) -> None:
    with closing(create_server(("127.0.0.1", 0))) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 500 caf\xe9\r\nX-A: \xe9\r\nContent-Length: 3\r\n\r\n\xe9\xff\x80")

        thread = Thread(target=answer)
        thread.start()
        url = b"http://127.0.0.1:%d/" % listener.getsockname()[1]
        raw(server, request(PATHS["xhuoapi"], VALID["xhuoapi"][:-1] + b',"callback_url":"%s"}' % url))
        ask(server, "POST", "clock/advance", {"seconds": 0.5})
        thread.join(5)
    assert ask(server, "GET", "callbacks")["callbacks"][0]["attempts"]
    assert_readable(server)


def test_random_bytes_in_every_header(server: Scene) -> None:
    chance = random.Random("any byte")
    split = urlsplit(server.root)
    allowed = [byte for byte in range(0x20, 0x100) if byte != 0x7F]
    for _ in range(100):
        value = bytes(chance.choices(allowed, k=chance.randrange(1, 30)))
        lines = [b"%s: %s" % (name.encode(), value) for name in HEADERS]
        with closing(create_connection((split.hostname, split.port), timeout=5)) as client:
            client.sendall(b"\r\n".join([b"GET /evolink/v1/credits HTTP/1.1", *lines, b"", b""]))
            assert client.recv(65_536).split()[1] in (b"200", b"400", b"401"), value
    assert_readable(server)
