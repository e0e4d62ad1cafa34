"""The proxy's port under proper and hostile use: an error or a closed connection, and others are undisturbed."""

import os
import socket
import ssl
from contextlib import ExitStack, closing, suppress
from time import perf_counter
from typing import Any

import httpx
import pytest
from conftest import Serve

from mockserver.intercept import listener
from support.intercepted import Intercepted, connect_request, interception_of, read_all
from support.scene import Scene

HOST = "api.evolink.ai"
CREDITS = f"GET /v1/credits HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer k\r\nConnection: close\r\n\r\n".encode()


def works(led: Intercepted) -> bool:
    """Whether a client of a documented host is served."""
    answer = led.http.get(f"https://{HOST}/v1/credits", headers={"Authorization": "Bearer k"})
    return answer.status_code == 200 and answer.json()["success"]


def shake_hands(led: Intercepted, connection: socket.socket, name: str | None = HOST) -> ssl.SSLSocket:
    context = led.trusting()
    context.check_hostname = name is not None
    return context.wrap_socket(connection, server_hostname=name)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client has a fifth of a second for its CONNECT and its handshake."""
    monkeypatch.setattr(listener, "HANDSHAKE_SECONDS", 0.2)


def test_a_tunnel_ends_at_the_mock(led: Intercepted) -> None:
    with closing(led.connect(connect_request(HOST))) as plain:
        assert plain.recv(100) == listener.ESTABLISHED
        with shake_hands(led, plain) as tls:
            tls.sendall(CREDITS)
            assert b'"success":true' in read_all(tls)


def test_tls_may_begin_at_once(led: Intercepted) -> None:
    """What the hooks of Python and Node do: no CONNECT, the name is in the handshake."""
    with shake_hands(led, led.connect()) as tls:
        tls.sendall(CREDITS)
        assert b'"success":true' in read_all(tls)


def test_bytes_right_behind_connect_are_the_handshakes(led: Intercepted) -> None:
    """A client that does not wait for the answer to its CONNECT, in pieces of every size."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = led.trusting().wrap_bio(incoming, outgoing, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    sent = connect_request(HOST) + outgoing.read()
    for cut in (1, 7, 8, 9, len(connect_request(HOST)) - 1, len(connect_request(HOST)) + 1, len(sent) - 1):
        with closing(led.connect(sent[:cut])) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(sent[cut:])
            received = b""
            while len(received) < len(listener.ESTABLISHED) + 1:
                received += connection.recv(1000)
        assert received.startswith(listener.ESTABLISHED + b"\x16"), cut


def test_http_1_1_is_the_only_protocol(led: Intercepted) -> None:
    context = led.trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(led.connect(), server_hostname=HOST) as tls:
        assert tls.selected_alpn_protocol() == "http/1.1"


def test_a_kept_connection_has_no_stalls(led: Intercepted) -> None:
    """Nagle's algorithm and delayed acknowledgements would make every call take 40 ms."""
    works(led)
    times = []
    for _ in range(40):
        begun = perf_counter()
        assert works(led)
        times.append(perf_counter() - begun)
    assert sorted(times)[30] < 0.02, f"three in four calls took less than {sorted(times)[30]:.3f} s"


def test_two_tunnels_of_one_client_to_all_hosts(led: Intercepted) -> None:
    for host in led.facts.hosts:
        assert led.http.get(f"https://{host}/nowhere").status_code == 404


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("example.com:443", "--allow-host example.com"),
        ("API.EVOLINK.AI:8443", "port 443 alone"),
        ("api.evolink.ai:80", "port 443 alone"),
        ("api.evolink.ai.evil.example:443", "--allow-host api.evolink.ai.evil.example"),
        ("evil-api.evolink.ai:443", "--allow-host evil-api.evolink.ai"),
        ("127.0.0.1:22", "--allow-host 127.0.0.1"),
        ("a@b:443", "malformed"),
    ],
)
def test_other_hosts_and_ports_are_refused(led: Intercepted, host: str, said: str) -> None:
    answer = led.answer(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert said in answer.decode()


def test_a_plain_request_to_another_host_is_refused(led: Intercepted) -> None:
    answer = led.http.get("http://example.com/x")
    assert (answer.status_code, "--allow-host example.com" in answer.text) == (403, True)


@pytest.mark.parametrize("name", [HOST, HOST.upper(), f"{HOST}."])
def test_a_host_in_any_spelling(led: Intercepted, name: str) -> None:
    with closing(led.connect(connect_request(name))) as connection:
        assert connection.recv(100) == listener.ESTABLISHED


GARBAGE = {
    "half a CONNECT": b"CONNECT api.evolink.ai:443 HTTP/1.1\r\nHost: api",
    "CONNECT without a port": b"CONNECT api.evolink.ai HTTP/1.1\r\n\r\n",
    "no port number": b"CONNECT api.evolink.ai:https HTTP/1.1\r\n\r\n",
    "port 0": b"CONNECT api.evolink.ai:0 HTTP/1.1\r\n\r\n",
    "port 99999": b"CONNECT api.evolink.ai:99999 HTTP/1.1\r\n\r\n",
    "HTTP/2": b"CONNECT api.evolink.ai:443 HTTP/2.0\r\n\r\n",
    "another method with C": b"COPY / HTTP/1.1\r\n\r\n",
    "C": b"C",
    "an endless header": b"CONNECT api.evolink.ai:443 HTTP/1.1\r\n" + b"X: y\r\n" * 5_000,
    "TLS garbage": b"\x16\x03\x01\x02\x00garbage" + b"\x00" * 600,
    "TLS garbage behind a CONNECT": connect_request(HOST) + b"garbage" * 100,
    "a TLS alert": b"\x16\x03\x03\x00\x02\x02\x28",
    "zeros": b"\x00" * 100,
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_refused_and_disturbs_nobody(led: Intercepted, sent: bytes) -> None:
    answer = led.answer(sent)
    assert not answer.startswith(b"HTTP/1.1 2") or sent.startswith(connect_request(HOST))
    assert works(led)
    assert led.scene.mock("health")["defects"]["count"] == 0


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("sent", [b"", b"C", b"CONNECT api", connect_request(HOST), b"\x16\x03\x01"])
def test_a_client_that_falls_silent_is_left(led: Intercepted, sent: bytes) -> None:
    with closing(led.connect(sent)) as connection:
        assert b"HTTP/1.1 200" in (received := read_all(connection)) or b"200" not in received


@pytest.mark.parametrize("name", ["example.com", "evil.evolink.ai", "localhost"])
def test_a_handshake_for_another_host_fails(led: Intercepted, name: str) -> None:
    for sent in (b"", connect_request(HOST)):
        with closing(led.connect(sent)) as connection:
            if sent:
                connection.recv(100)
            with pytest.raises(ssl.SSLError, match=r"UNRECOGNIZED_NAME|EOF"):
                shake_hands(led, connection, name)
    assert works(led)


def test_a_handshake_for_another_documented_host_than_the_connects_is_ended(led: Intercepted) -> None:
    with closing(led.connect(connect_request(HOST))) as plain:
        plain.recv(100)
        with shake_hands(led, plain, "api.xhuoapi.ai") as tls, suppress(OSError):
            tls.sendall(CREDITS)
            assert read_all(tls) == b""
    assert led.scene.mock("requests")["requests"] == []


def test_a_handshake_without_a_name_takes_the_connects(led: Intercepted) -> None:
    with closing(led.connect(connect_request(HOST))) as plain:
        plain.recv(100)
        with shake_hands(led, plain, None) as tls:
            tls.sendall(CREDITS)
            assert b'"success":true' in read_all(tls)


def open_files() -> int:
    """File descriptors of this process; 0 where they can't be counted."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts file descriptors in /proc")
def test_clients_that_leave_in_the_handshake_leave_nothing(led: Intercepted) -> None:
    assert works(led)
    led.http.close()
    led.scene.mock("health")
    before = open_files()
    for sent in (b"", b"\x16", b"\x16\x03\x01\x02\x00", connect_request(HOST), connect_request(HOST) + b"\x16\x03"):
        for linger in (False, True):
            for _ in range(10):
                with closing(led.connect(sent)) as connection:
                    if linger:  # a reset instead of an end
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ends = perf_counter() + 5
    while open_files() > before and perf_counter() < ends:
        led.scene.mock("health")  # lets the server's loop turn
    assert open_files() <= before


def test_500_connections_at_once(led: Intercepted) -> None:
    """Some wait in CONNECT, some in the handshake, some are idle; one more client is served all the same."""
    starts = (b"CONNECT api", connect_request(HOST), b"\x16\x03\x01", b"", b"GET /")
    with ExitStack() as stack:
        for number in range(500):
            stack.enter_context(closing(led.connect(starts[number % len(starts)])))
        assert works(led)


def test_the_end_of_interception_ends_its_connections(scene: Scene) -> None:
    with ExitStack() as stack:
        with interception_of(scene) as led:
            before = open_files()
            half = stack.enter_context(closing(led.connect(b"CONNECT api")))
            idle = stack.enter_context(closing(led.connect()))
            tls = stack.enter_context(shake_hands(led, led.connect()))
            tls.sendall(CREDITS.replace(b"Connection: close\r\n", b""))
            tls.recv(1000)
            address = led.facts.address
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        assert [read_all(connection) for connection in (half, idle)] == [b"", b""]
        assert open_files() <= max(0, before - 1 + 3), "the listener is closed, and of each connection the server's end"
    assert scene.http.get("/evolink/v1/credits", headers={"Authorization": "Bearer k"}).status_code == 200


def test_an_allowed_host_is_tunnelled_untouched(scene: Scene, serve: Serve) -> None:
    other: Any = serve()
    with interception_of(scene, "localhost") as led:
        port = httpx.URL(other.root).port
        with closing(led.connect(connect_request("localhost", port or 0))) as connection:
            assert connection.recv(100) == listener.ESTABLISHED
            connection.sendall(b"GET /_mock/clock HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b'"mode":"virtual"' in read_all(connection)
        answer = led.http.post(
            f"http://localhost:{port}/evolink/v1/images/generations",
            json={"model": "gpt-image-2-beta", "prompt": "x"},
            headers={"Authorization": "Bearer k"},
        )
        assert answer.json()["status"] == "pending"
        assert len(other.mock("tasks")["tasks"]) == 1
        refused = led.http.get("http://127.0.0.1:1/")
        assert refused.status_code == 403


def test_an_allowed_host_that_is_not_there(scene: Scene) -> None:
    with interception_of(scene, "*") as led:
        assert led.answer(connect_request("127.0.0.1", 1)).startswith(b"HTTP/1.1 502 Bad Gateway")
        assert led.http.get("http://127.0.0.1:1/").status_code == 502


def test_a_documented_host_can_not_be_allowed(scene: Scene) -> None:
    with (
        pytest.raises(ValueError, match=r"api\.evolink\.ai: this host is the mock's own"),
        interception_of(scene, HOST),
    ):
        pass
