"""Helpers of the engine's tests: jobs, a provider, a running engine, and a receiver in the same event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from aiohttp.test_utils import RawTestServer
from aiohttp.web import BaseRequest, Response

from mockserver.engine.callbacks import Outcome
from mockserver.engine.clock import VIRTUAL_START, Draw, Entropy, VirtualClock, pause
from mockserver.engine.engine import Engine, EngineConfig
from mockserver.engine.latency import Latency
from mockserver.engine.ledger import Currency
from mockserver.engine.outbound import AddressRule, Routing, Sender
from mockserver.engine.store import Bounds
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.tasks import Job, Task

T = TypeVar("T")
T0 = VIRTUAL_START
PLAIN = Job("studio", "acct_1", "paint-1", "a cat", "1:1", 64, 64, 25, (10.0, 10.0), "http://127.0.0.1/studio")


STORE: Callable[..., MemoryStore] = MemoryStore
"""What makes the store of an engine that is not given one."""


def words(*lines: str) -> list[str]:
    """Every word of some lines: a table that reads better than a list of strings."""
    return " ".join(lines).split()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true, for at most 5 seconds."""
    async with asyncio.timeout(5):
        while not condition():
            await pause(0.001)


def at_once(verb: Coroutine[Any, Any, T]) -> T:
    """The result of a verb of the memory store, which never suspends, where nothing can be awaited."""
    try:
        verb.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the verb suspends")


def job(**changes: Any) -> Job:
    """A job that costs 25 and is documented to take 10 seconds, but for `changes`."""
    return replace(PLAIN, **changes)


def task(**changes: Any) -> Task:
    """A task submitted at T0: pending for 1 second, ending at T0 + 20, but for `changes`."""
    return replace(Task("task-1", PLAIN, T0, T0 + 20, T0 + 20, None), **changes)


@dataclass(frozen=True)
class Studio:
    """A provider as the engine knows it."""

    name: str = "studio"
    currency: Currency = field(default_factory=lambda: Currency("credits", 2))
    public_callbacks_only: bool = False
    new_id: Callable[[Draw, float], str] = lambda draw, _: draw.uuid()
    callback_body: Callable[[Task], bytes] | None = lambda task: b'{"id": "%s"}' % task.id.encode()


@asynccontextmanager
async def running(
    latency: str = "documented",
    seed: str | None = "test",
    opening: int = 1000,
    routing: Routing | None = None,
    port: Studio | None = None,
    bounds: Bounds | None = None,
    **plan: Any,
) -> AsyncIterator[Engine]:
    """An engine under a virtual clock, started and in the end stopped."""
    kept = STORE({"studio": opening}, bounds)
    chosen = {"clock": VirtualClock, "routing": routing or Routing(), **plan}
    engine = Engine(
        EngineConfig(entropy=Entropy(seed), latency=Latency.parse(latency), store=kept, **chosen),
        {"studio": port or Studio()},
    )
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


@dataclass
class Posted:
    """One request as a receiver saw it."""

    method: str
    path: str
    content_type: str
    body: bytes


@dataclass
class Hook:
    url: str
    posted: list[Posted] = field(default_factory=list)


@asynccontextmanager
async def hook(*answers: int | None, location: str = "", text: str = "") -> AsyncIterator[Hook]:
    """A receiver on loopback, in this loop. It answers `answers` in turn, then 200; None is no answer at all."""
    script = list(answers)

    async def answer(request: BaseRequest) -> Response:
        body = await request.read()
        seen.posted.append(Posted(request.method, request.path, request.headers["Content-Type"], body))
        status = script.pop(0) if script else 200
        if status is None:
            await asyncio.Event().wait()
        return Response(status=status or 200, text=text, headers={"Location": location} if location else None)

    server = RawTestServer(answer)
    await server.start_server()
    seen = Hook(str(server.make_url("/hook")))
    try:
        yield seen
    finally:
        await server.close()


@dataclass
class RawReceiver:
    """A receiver that sends bytes as they are; `heads` are the requests' heads as they came."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def raw_receiver(*answers: bytes, address: str = "127.0.0.1", close: bool = True) -> AsyncIterator[RawReceiver]:
    """A receiver that sends `answers` in turn, one for each request, then 204, and closes the connection after each."""
    script, seen = list(answers), RawReceiver()
    writers: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                seen.heads.append(head)
                writer.write(script.pop(0) if script else b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
                if close:
                    writer.close()

    server = await asyncio.start_server(answer, address, 0)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


class ScriptedSender(Sender):
    """Sends nothing: gives `outcomes` in turn, then 200, and takes `pace` of each on the way."""

    def __init__(self, *outcomes: Outcome, pace: Callable[[Outcome], None] = lambda _: None) -> None:
        super().__init__()
        self.sent: list[tuple[str, bytes]] = []
        self._outcomes = list(outcomes)
        self._pace = pace

    async def post(
        self, url: str, body: bytes, rule: AddressRule, verify: bool, timeout: float, callback_id: str = ""
    ) -> Outcome:
        self.sent.append((url, body))
        outcome = self._outcomes.pop(0) if self._outcomes else Outcome(200, 0.0)
        self._pace(outcome)
        return outcome
