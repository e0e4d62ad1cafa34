"""Group commit: the verbs that are called in one turn of the event loop share one transaction, and hear of it together.

The lock of the file is held only while they run, one after the other, and never while anything else does: other
processes have their turn in between. A wait for the lock is a wait in the loop, which goes on with other calls.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

from mockserver.engine.clock import monotonic, pause
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store.shared import Outage
from mockserver.engine.store.sqlite.transaction import Process, Transaction

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 5.0
"""Real seconds for which the lock of the file is waited for."""

FIRST_WAIT, LONGEST_WAIT = 0.0005, 0.004
"""Real seconds after which the lock is tried again."""

_BUSY, _LOCKED = 5, 6
_PRIMARY = 0xFF

_CAUSES = {
    _BUSY: f"another process has held it for {PATIENCE:g} s",
    _LOCKED: f"another process has held it for {PATIENCE:g} s",
    8: "it can't be written",
    10: "the disk reports an error",
    11: "it is damaged",
    13: "the disk is full",
    14: "it can't be opened",
    26: "it is no SQLite database",
}
"""By SQLite's result codes."""


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process has the lock that was needed."""
    return _code(error) in (_BUSY, _LOCKED)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY


class Writer:
    """Runs verbs in transactions on one connection. `place` names the file in errors."""

    def __init__(self, connection: sqlite3.Connection, process: Process, place: str, outage: Outage) -> None:
        self.connection = connection
        self._cursor = connection.cursor()
        self._process = process
        self._place = place
        self._outage = outage
        self._waiting: list[tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]] = []
        self._busy_since: float | None = None
        self._wait = FIRST_WAIT
        self.patient = False
        """Whether this process itself has the lock, in a thread, and will give it back."""

    def reconnect(self, connection: sqlite3.Connection) -> None:
        """Go on with another connection."""
        self.connection, self._cursor = connection, connection.cursor()

    def run(self, verb: Callable[Concatenate[Transaction, P], T], *args: P.args, **_: P.kwargs) -> "asyncio.Future[T]":
        """Run a verb in this turn's transaction; its result is there once that is committed.

        A verb that refuses (with any exception but one of SQLite's) must not have changed anything.

        Raises:
            StoreUnavailable: of what this turn's verbs have done nothing is kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((verb, args, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._turn)
        return future

    def _turn(self) -> None:
        if not self._waiting:
            return
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if not is_busy(error) or not self._try_again_later():
                self._fail(error)
            return
        waiting, self._waiting = self._waiting, []
        self._busy_since, self._wait = None, FIRST_WAIT
        try:
            done = self._run_all(waiting)
        except sqlite3.Error as error:
            self._roll_back()
            self._tell_unavailable(error, waiting)
        except Exception as error:  # noqa: BLE001  # a defect; each caller is told, and nothing of it is kept
            self._roll_back()
            for _, _, future in waiting:
                if not future.done():
                    future.set_exception(error)
        else:
            self._outage.end()
            for future, result in done:
                if not future.done():
                    future.set_result(result)

    def _run_all(
        self, waiting: list[tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]]
    ) -> list[tuple[asyncio.Future[Any], Any]]:
        """Run verbs in the transaction that has begun, and commit it."""
        process, done = self._process, []
        transaction = Transaction(self._cursor.execute, process)
        for verb, args, future in waiting:
            if future.done():
                continue  # its caller has gone
            try:
                done.append((future, verb(transaction, *args)))
            except sqlite3.Error:
                raise
            except Exception as error:  # noqa: BLE001  # it is the answer of this verb
                future.set_exception(error)
        transaction.write()
        self._cursor.execute("COMMIT")
        transaction.committed()
        return done

    def _try_again_later(self) -> bool:
        now = monotonic()
        self._busy_since = self._busy_since or now
        if now - self._busy_since > PATIENCE and not self.patient:
            return False
        asyncio.get_running_loop().call_later(self._wait, self._turn)
        self._wait = min(self._wait * 2, LONGEST_WAIT)
        return True

    def _fail(self, error: sqlite3.Error) -> None:
        waiting, self._waiting = self._waiting, []
        self._busy_since, self._wait = None, FIRST_WAIT
        self._tell_unavailable(error, waiting)

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # an error of the disk has ended the transaction already
            self._cursor.execute("ROLLBACK")

    def _tell_unavailable(
        self,
        error: sqlite3.Error,
        waiting: list[tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]],
    ) -> None:
        for _, _, future in waiting:
            if not future.done():
                future.set_exception(self.unavailable(error))

    def unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        """What a caller is told of an error of SQLite, which the log says once."""
        problem = StoreUnavailable(f"the store {self._place} can't be used: {_CAUSES.get(_code(error), str(error))}")
        self._outage.begin(problem)
        return problem

    async def read(self, query: Callable[..., T], *args: object) -> T:
        """Read what is committed, at once: no transaction of this process is under way between two turns."""
        end: float | None = None
        while True:
            try:
                return query(self._cursor.execute, *args)
            except sqlite3.Error as error:
                end = end or monotonic() + PATIENCE
                if not is_busy(error) or monotonic() > end:
                    raise self.unavailable(error) from None
                await pause(LONGEST_WAIT)
