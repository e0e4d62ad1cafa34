"""MockServer with its client: in a thread, in a loop, and how long it takes."""

import asyncio
import gc
import threading
from time import perf_counter

import httpx
import pytest

from mockserver.client import MockError
from mockserver.engine.engine import Engine
from mockserver.engine.event_runner import EventRunner
from mockserver.server import AsyncMockServer, MockServer
from mockserver.settings import Settings
from support import web

STILL = Settings(clock="virtual", latency="instant", seed="still")


def generate(mock: MockServer | AsyncMockServer) -> httpx.Response:
    return web.post(
        f"{mock.icodeeasy.base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {mock.api_key}"},
        json={"model": "gpt-image-2", "prompt": "x"},
    )


def test_in_a_thread_on_a_free_port() -> None:
    before = set(threading.enumerate())  # another module's server may still run
    with MockServer() as one, MockServer(STILL) as other:
        assert one.root_url != other.root_url
        assert "8080" not in one.root_url + other.root_url
        assert [thread.name for thread in threading.enumerate() if thread not in before] == ["mockserver"] * 2
    assert set(threading.enumerate()) <= before


def test_on_the_port_asked_for() -> None:
    with MockServer() as first:
        port = int(first.root_url.rpartition(":")[2])
    with MockServer(port=port) as again:
        assert again.root_url == f"http://127.0.0.1:{port}"
    with MockServer(Settings(port=port)) as again:
        assert again.root_url == f"http://127.0.0.1:{port}"


def test_a_port_that_is_taken_is_told() -> None:
    with MockServer() as first, pytest.raises(OSError, match="in use"):
        MockServer(port=int(first.root_url.rpartition(":")[2])).start()


def test_it_starts_once() -> None:
    with MockServer() as mock, pytest.raises(RuntimeError, match="once"):
        mock.start()


def test_stop_comes_before_start_or_twice() -> None:
    mock = MockServer()
    mock.stop()
    mock.start()
    mock.stop()
    mock.stop()


def test_in_the_callers_loop() -> None:
    async def main() -> None:
        before = threading.active_count()
        async with MockServer(STILL) as mock:
            assert threading.active_count() == before
            answer = await asyncio.to_thread(generate, mock)
            assert answer.status_code == 200
            assert (await mock.icodeeasy.account()).captured * 5 == 1
            root = mock.root_url
        with pytest.raises(httpx.ConnectError):
            await asyncio.to_thread(httpx.get, root)

    asyncio.run(main())


def test_in_the_callers_loop_until_an_error() -> None:
    async def main() -> None:
        async with MockServer(STILL):
            raise KeyError("theirs")

    with pytest.raises(KeyError, match="theirs"):
        asyncio.run(main())


def test_behind_another_address() -> None:
    """Clients are told the public one, and the control surface is asked where it is."""
    with MockServer(Settings(public_url="https://mock.example.com")) as mock:
        assert mock.evolink.base_url == "https://mock.example.com/evolink"
        assert mock.health()["status"] == "ok"
        assert mock.sink("hook").url.startswith("http://127.0.0.1:")


def test_a_key_of_the_settings() -> None:
    with MockServer(Settings(api_keys=("plain", "sk_one"))) as mock:
        assert mock.api_key == "sk_one"
        assert generate(mock).status_code == 200


@pytest.mark.parametrize("method", ["submit", "open_exchange"])
def test_internal_errors_are_kept(
    method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("ours")

    with MockServer(STILL) as mock:
        monkeypatch.setattr(Engine, method, crash)
        assert generate(mock).status_code == 500
        mock.reset()
        (defect,) = mock.defects()
    assert (defect.number, defect.where) == (1, "POST /icodeeasy/v1/images/generations")
    assert "ZeroDivisionError: ours" in defect.traceback
    assert "internal error at" in caplog.text


def test_errors_that_nobody_awaits_are_kept(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("ours")

    with MockServer(Settings(latency="0.01-0.01")) as mock:
        monkeypatch.setattr(EventRunner, "_tick", crash)
        web.post(
            f"{mock.evolink.base_url}/v1/images/generations",
            headers={"Authorization": "Bearer k"},
            json={"model": "gpt-image-2-beta", "prompt": "x"},
        )
        for _ in range(100):
            if found := mock.defects():
                break
        assert "ZeroDivisionError: ours" in found[0].traceback
    assert "ZeroDivisionError" in caplog.text


def test_start_and_stop_take_at_most_ten_milliseconds() -> None:
    """The best of many, since others may be using this machine."""
    spans = []
    for _ in range(20):
        before = perf_counter()
        with MockServer(STILL):
            pass
        spans.append(perf_counter() - before)
    assert min(spans) <= 0.010
    gc.collect()


def test_a_reset_takes_at_most_a_millisecond() -> None:
    """The fastest tenth do: other processes only ever add to it."""
    spans = []
    with MockServer(STILL) as mock:
        for _ in range(100):
            before = perf_counter()
            mock.reset()
            spans.append(perf_counter() - before)
    assert max(sorted(spans)[:10]) <= 0.001


def test_run_needs_a_thread() -> None:
    async def nothing() -> None: ...

    with pytest.raises(RuntimeError, match="thread of its own"):
        MockServer().run(nothing())


def test_after_the_end_nobody_answers() -> None:
    with MockServer() as mock:
        mock.health()
    with pytest.raises(MockError, match="No mock server answers"):
        mock.health()
