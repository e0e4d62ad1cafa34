"""One connection for all commands: what goes out together, which answer is whose, and when it is given up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from engine.store.redis.shared import until
from mockserver.engine.clock import monotonic, pause
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store.redis.address import Server
from mockserver.engine.store.redis.connection import Line, Link, connect
from support.valkey import Valkey, valkey_running

pytestmark = pytest.mark.asyncio


def nothing(_: Line) -> None:
    pass


async def ready(_: Line) -> None:
    pass


@asynccontextmanager
async def line_to(valkey: Valkey) -> AsyncIterator[Line]:
    line = await connect(Server.parse(valkey.url()), nothing)
    try:
        yield line
    finally:
        line.close("is closed")
        await line.disconnect()


async def test_each_gets_its_answer_in_order(valkey: Valkey) -> None:
    async with line_to(valkey) as line:
        asked = [line.send("ECHO", str(number)) for number in range(100)]
        assert await asyncio.gather(*asked) == [b"%d" % number for number in range(100)]


async def test_an_error_is_an_answer(valkey: Valkey) -> None:
    async with line_to(valkey) as line:
        wrong, right = line.send("NO-SUCH"), line.send("ECHO", "a")
        assert str(await wrong).startswith("ERR unknown command")
        assert await right == b"a"


async def test_any_text_is_sent_as_it_is(valkey: Valkey) -> None:
    async with line_to(valkey) as line:
        for text in ("狐", "\udc80", "a\r\nb\0", ""):
            answer = await line.send("ECHO", text)
            assert answer.decode("utf-8", "surrogatepass") == text


async def test_who_no_longer_waits_leaves_the_others_their_answers(valkey: Valkey) -> None:
    async with line_to(valkey) as line:
        gone, kept = line.send("ECHO", "a"), line.send("ECHO", "b")
        gone.cancel()
        assert await kept == b"b"


async def test_what_is_asked_in_one_turn_goes_out_in_one_write(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    async with line_to(valkey) as line:
        written = list[bytes]()
        write = line._transport.write
        monkeypatch.setattr(line, "_transport", _Recording(write, written))
        await asyncio.gather(*[line.send("ECHO", "a") for _ in range(20)])
        monkeypatch.undo()
        assert len(written) == 1


class _Recording:
    def __init__(self, write: Callable[[bytes], None], written: list[bytes]) -> None:
        self._write = write
        self._written = written

    def write(self, data: bytes) -> None:
        self._written.append(data)
        self._write(data)


async def test_whoever_waits_is_told_when_the_connection_is_lost() -> None:
    with valkey_running() as server:
        async with line_to(server) as line:
            server.pause()
            asked = line.send("PING")
            await pause(0.01)
            server.stop()
            with pytest.raises(StoreUnavailable, match="is away: the connection was lost"):
                await asked
            with pytest.raises(StoreUnavailable, match="is away: the connection was lost"):
                await line.send("PING")


async def test_a_silent_server_is_given_up_and_a_patient_call_waits_longer() -> None:
    with valkey_running() as server:
        async with line_to(server) as line:
            server.pause()
            began = monotonic()
            line.patience = 0.5
            with pytest.raises(StoreUnavailable, match=r"no answer for 0\.5 s"):
                await line.send("PING")
            assert 0.5 <= monotonic() - began < 1.5
            server.go_on()


async def test_a_link_connects_again_and_prepares_each_connection() -> None:
    with valkey_running() as server:
        prepared = list[Line]()

        async def prepare(line: Line) -> None:
            await line.send("PING")
            prepared.append(line)

        link = Link(Server.parse(server.url()), prepare)
        await link.open()
        try:
            first = await link.ready()
            server.stop()
            server.start()
            await until(lambda: first.closed)
            second = await _in_the_end(link.ready)
            assert prepared == [first, second]
            assert await second.send("ECHO", "a") == b"a"
        finally:
            await link.close()


async def _in_the_end(get: Callable[[], Awaitable[Line]]) -> Line:
    async with asyncio.timeout(5.0):
        while True:
            try:
                return await get()
            except StoreUnavailable:
                await pause(0.02)


async def test_a_connection_that_is_not_fit_is_not_handed_out(valkey: Valkey) -> None:
    async def refuse(line: Line) -> None:
        raise StoreUnavailable("not fit")

    link = Link(Server.parse(valkey.url()), refuse)
    with pytest.raises(StoreUnavailable, match="not fit"):
        await link.open()
    with pytest.raises(StoreUnavailable):
        await link.ready()
    await link.close()


async def test_a_link_that_is_closed_leaves_no_connection(valkey: Valkey) -> None:
    link = Link(Server.parse(valkey.url()), ready)
    await link.open()
    line = await link.ready()
    await link.close()
    assert line.closed
    assert line._transport.is_closing()
