"""Reads what takes long in a thread, on a connection of its own, each time as the file was at one instant."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mockserver.engine.clock import monotonic, pause
from mockserver.engine.store.sqlite.file import Place, connect
from mockserver.engine.store.sqlite.writer import LONGEST_WAIT, PATIENCE, Writer, is_busy

T = TypeVar("T")

_WAIT = 200
"""Milliseconds for which this thread waits for a lock at a time."""


class Reader:
    """One thread, and so one such read at a time."""

    def __init__(self, place: Place, writer: Writer) -> None:
        self._place = place
        self._writer = writer
        self._thread = ThreadPoolExecutor(1, "mockserver-store")
        self._connection: sqlite3.Connection | None = None

    async def read(self, query: Callable[..., T], *args: object) -> T:
        """What `query` makes of a connection and `args`. Raises StoreUnavailable."""
        return await self._in_thread(self._in_transaction, "BEGIN", query, args)

    async def write(self, change: Callable[..., T], *args: object) -> T:
        """Likewise in a transaction that keeps what `change` does, while all other changes wait."""
        return await self._in_thread(self._in_transaction, "BEGIN IMMEDIATE", change, args)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` makes of the connection, outside of any transaction."""
        return await self._in_thread(lambda: work(self._connect()))

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        loop, end = asyncio.get_running_loop(), monotonic() + PATIENCE
        while True:
            try:
                return await loop.run_in_executor(self._thread, work, *args)
            except sqlite3.Error as error:
                if not is_busy(error) or monotonic() > end:
                    raise self._writer.unavailable(error) from None
                await pause(LONGEST_WAIT)

    def _in_transaction(self, begin: str, query: Callable[..., T], args: tuple[object, ...]) -> T:
        connection = self._connect()
        connection.execute(begin)
        try:
            result = query(connection, *args)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = connect(self._place)
            except ValueError as error:
                raise sqlite3.OperationalError(str(error)) from None
            self._connection.execute(f"PRAGMA busy_timeout = {_WAIT}")
        return self._connection

    async def disconnect(self) -> None:
        """Leave the file; the next read opens it again."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def close(self) -> None:
        """Leave the file for good, once what is under way has ended."""
        await self.disconnect()
        self._thread.shutdown()
