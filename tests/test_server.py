"""Starting and stopping, in a thread and in frozen time."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import freezegun
import httpx
import pytest
import time_machine
from conftest import Serve

from mockserver.http.listening import root_url
from mockserver.server import MockServer
from mockserver.settings import Settings
from support.calls import Caller
from support.errors import assert_xhuoapi_error


def free() -> Settings:
    return Settings(port=0, latency="instant")


def test_two_servers_at_once() -> None:
    with MockServer(free()) as one, MockServer(free()) as two:
        assert one.root_url != two.root_url
        for mock in (one, two):
            assert httpx.get(mock.root_url).status_code == 200


def test_the_thread_ends_and_the_port_is_free() -> None:
    with MockServer(free()) as mock:
        port = int(mock.root_url.rpartition(":")[2])
        thread = mock._thread
    assert thread is not None
    assert not thread.is_alive()
    with MockServer(Settings(port=port)) as again:
        assert again.root_url.endswith(str(port))


def test_stopping_twice_does_no_harm() -> None:
    mock = MockServer(free()).start()
    mock.stop()
    mock.stop()


def test_starting_twice_says_so() -> None:
    with MockServer(free()) as mock, pytest.raises(RuntimeError):
        mock.start()


def test_stopping_what_never_started() -> None:
    MockServer(free()).stop()


def test_a_busy_port() -> None:
    before = threading.active_count()
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as taken,
        pytest.raises(OSError, match="Address already in use"),
    ):
        MockServer(Settings(port=taken.getsockname()[1])).start()
    assert threading.active_count() == before


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(OSError, match="assign requested address"):
        MockServer(Settings(host="192.0.2.1", port=0)).start()


def test_a_certificate_that_is_missing() -> None:
    with pytest.raises(OSError, match="No such file"):
        MockServer(Settings(port=0, tls_cert="/nonexistent.pem")).start()


def test_a_failure_in_the_thread_reaches_the_caller() -> None:
    with pytest.raises((OSError, ValueError, OverflowError)):
        MockServer(Settings(port=70_000)).start()


def test_under_freezegun() -> None:
    with freezegun.freeze_time("2030-01-01"), MockServer(free()) as mock:
        assert httpx.get(f"{mock.root_url}/_mock/health").json()["clock"]["now"] > 0


def test_under_time_machine() -> None:
    with time_machine.travel("2030-01-01", tick=False), MockServer(free()) as mock:
        assert httpx.get(f"{mock.root_url}/_mock/health").status_code == 200


def test_it_stops_in_the_middle_of_a_waiting_call(serve: Serve) -> None:
    scene = serve(clock="real", latency="60-60")
    caller = Caller(scene, "xhuoapi", "k")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(caller.generate)
        while not scene.mock("tasks")["tasks"]:
            pass
        scene.server.stop()
        answer = waiting.result(2)
    assert_xhuoapi_error(answer, 503, "api_error", "the server is stopping")


@pytest.mark.parametrize(
    ("host", "root"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("::1", "http://[::1]:1"),
    ],
)
def test_root_url(host: str, root: str) -> None:
    assert root_url(Settings(host=host), 1) == root
