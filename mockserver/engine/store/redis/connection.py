"""Connections: redis-py makes one (TLS, password, database), then its socket is driven from here.

A command by redis-py's own client costs this process 58 µs, in a pipeline 22; this way it costs 2.4 with 32 in flight:
what is asked in one turn of the event loop goes out in one write, and answers are given out in order as they come.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from mockserver.engine.clock import monotonic, pause
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store.redis.address import Server

PATIENCE = 1.5
"""Real seconds without any answer after which a connection is given up."""

GRACE = 1.0
"""Real seconds for which a call waits for a connection that was lost, instead of failing at once."""

_REDIRECTIONS = 5
_LOOK_SECONDS = 0.25
_RETRY_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4)

Part = bytes | str | int | float

_pack: Callable[[tuple[Part, ...]], bytes] = cast(Any, hiredis).pack_command


class Line(asyncio.Protocol):
    """A connection on which answers come in the order of the commands. `patience` is in real seconds."""

    def __init__(self, server: Server, connection: AbstractConnection, lost: Callable[["Line"], None]) -> None:
        self.patience = PATIENCE
        self.closed = False
        self._server = server
        self._connection = connection
        self._transport: asyncio.Transport = cast(Any, connection)._writer.transport
        self._lost = lost
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._silent = 0.0
        self._looked = 0.0
        self._look: asyncio.TimerHandle | None = None
        self._transport.set_protocol(self)

    def send(self, *parts: Part) -> "asyncio.Future[Any]":
        """Send a command; its answer, which may be an error of `hiredis`."""
        try:
            command = _pack(parts)
        except UnicodeEncodeError:
            command = _pack(tuple([_bytes(part) for part in parts]))
        answer = self._loop.create_future()
        if self.closed:
            _fail(answer, self._server.unavailable("is away: the connection was lost"))
            return answer
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(command)
        if self._look is None:
            self._look_later()
        self._waiting.append(answer)
        return answer

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if not self.closed:
            self._transport.write(b"".join(unsent))

    def data_received(self, data: bytes) -> None:
        reader, waiting = self._reader, self._waiting
        self._silent = 0.0
        reader.feed(data)
        try:
            while (answer := reader.gets()) is not False:
                asked = waiting.popleft()
                if not asked.done():
                    asked.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self.close("is no Redis or Valkey server: it answers something else")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.close("is away: the connection was lost")

    def _look_later(self) -> None:
        self._looked = monotonic()
        self._look = self._loop.call_later(_LOOK_SECONDS, self._look_at_it)

    def _look_at_it(self) -> None:
        """Give the connection up if nothing was heard for too long, not counting a time in which this process stood."""
        self._look = None
        if not self._waiting or self.closed:
            self._silent = 0.0
            return
        self._silent += min(monotonic() - self._looked, 2 * _LOOK_SECONDS)
        if self._silent > self.patience:
            self.close(f"is away: no answer for {self.patience:g} s")
        else:
            self._look_later()

    def close(self, why: str) -> None:
        """End the connection; whoever waits for an answer is told why."""
        if self.closed:
            return
        self.closed = True
        if self._look is not None:
            self._look.cancel()
        self._transport.abort()
        waiting, self._waiting = self._waiting, deque()
        for asked in waiting:
            if not asked.done():
                _fail(asked, self._server.unavailable(why))
        self._lost(self)

    async def disconnect(self) -> None:
        """Free what redis-py holds for the connection."""
        await self._connection.disconnect(nowait=True)


def _fail(answer: "asyncio.Future[Any]", problem: StoreUnavailable) -> None:
    answer.set_exception(problem)
    answer.exception()  # nobody has to look at it


def _bytes(part: Part) -> Part:
    return part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part


async def connect(server: Server, lost: Callable[[Line], None]) -> Line:
    """A new connection, to the node that has the keys if the server is one of a cluster. Raises StoreUnavailable."""
    other: dict[str, Any] = {}
    for _ in range(_REDIRECTIONS):
        line = await _connected(server, server.connection(**other), lost)
        try:
            answer = await line.send("EXISTS", server.root)
        except BaseException:
            line.close("was not ready")
            raise
        if not str(answer).startswith("MOVED "):
            return line
        line.close("is not the node of its cluster that has the keys")
        host, _, port = str(answer).split()[2].rpartition(":")
        other = {"port": int(port), **({"host": host} if host else {})}
    raise server.unavailable("leads from one node of its cluster to another without end")


async def _connected(server: Server, connection: AbstractConnection, lost: Callable[[Line], None]) -> Line:
    try:
        await cast(Any, connection).connect()
    except BaseException as error:
        await connection.disconnect(nowait=True)
        if isinstance(error, OSError | RedisError):
            raise server.away(error) from error
        raise
    return Line(server, connection, lost)


class Link:
    """A line that is replaced when it is lost, as long as the link is open.

    Args:
        prepare: is called with each new line before anybody else gets it.
    """

    def __init__(self, server: Server, prepare: Callable[[Line], Awaitable[None]]) -> None:
        self.server = server
        self.line: Line | None = None
        self._prepare = prepare
        self._open = False
        self._lost_at = 0.0
        self._why = server.unavailable("is not connected")
        self._connecting: asyncio.Task[None] | None = None
        self._old: list[Line] = []

    async def open(self) -> None:
        """Connect for the first time. Raises StoreUnavailable."""
        self._open = True
        await self._connect()

    async def close(self) -> None:
        self._open = False
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self.line is not None:
            self.line.close("is closed")
        for line in self._old:
            await line.disconnect()
        self._old.clear()

    async def ready(self) -> Line:
        """The line, after a short wait for it if it was lost just now. Raises StoreUnavailable."""
        waited = self._lost_at + GRACE - monotonic()
        if self.line is None and self._connecting is not None and waited > 0:
            await asyncio.wait({self._connecting}, timeout=waited)
        if self.line is None:
            raise StoreUnavailable(self._why.detail)
        return self.line

    async def _connect(self) -> None:
        line = await connect(self.server, self._when_lost)
        try:
            await self._prepare(line)
        except BaseException:
            line.close("was not ready")
            raise
        if line.closed:
            raise self.server.unavailable("is away: the connection was lost")
        self.line = line

    def _when_lost(self, line: Line) -> None:
        self._old.append(line)
        if self.line is line:
            self.line = None
            self._lost_at = monotonic()
            self._why = self.server.unavailable("is away: the connection was lost")
            if self._open:
                self._connecting = asyncio.get_running_loop().create_task(self._connect_again())

    async def _connect_again(self) -> None:
        tries = 0
        while self._open and self.line is None:
            for line in self._old:
                await line.disconnect()
            self._old.clear()
            try:
                await self._connect()
            except StoreUnavailable as problem:
                self._why = problem
                await pause(_RETRY_SECONDS[min(tries, len(_RETRY_SECONDS) - 1)])
                tries += 1
