"""What a process does besides its verbs: it follows what others do, shows that it lives, and takes over from the dead.

It also copies what the write-ahead log has grown to into the file itself, in a thread, and notices when that is gone.
"""

import logging
import os
import sqlite3
from typing import Any

from mockserver.engine.clock import monotonic
from mockserver.engine.store import Change
from mockserver.engine.store.codec import load
from mockserver.engine.store.in_force import InForce
from mockserver.engine.store.shared import Watch
from mockserver.engine.store.sqlite import events, whole
from mockserver.engine.store.sqlite.file import Place, connect
from mockserver.engine.store.sqlite.reader import Reader
from mockserver.engine.store.sqlite.rows import Run
from mockserver.engine.store.sqlite.transaction import CHANGES_KEPT, Process, read_force
from mockserver.engine.store.sqlite.writer import Writer

LOG_KEPT = 8 * 1024 * 1024
"""Bytes of the write-ahead log from which on it is copied into the file."""

log = logging.getLogger("mockserver")


class Follower:
    """Tells the listener what other processes have done."""

    def __init__(self, writer: Writer, process: Process) -> None:
        self._writer = writer
        self._process = process
        self._data_version: int | None = None
        self._seen = 0
        self._looked = monotonic()

    async def begin(self) -> None:
        """Follow from now on, with a copy of what is in force."""
        self._process.copy.put(await self._writer.read(read_force, self._process.rule_form))
        (self._seen,) = await self._writer.read(lambda run: run("SELECT last FROM header").fetchone())

    async def look(self) -> None:
        """Bring the copy up to date, and tell what has happened since the last look."""
        version = await self._writer.read(lambda run: run("PRAGMA data_version").fetchone()[0])
        now, before = monotonic(), self._looked
        self._looked = now
        if version == self._data_version:
            return
        changes = await self._writer.read(self._read)
        self._data_version = version
        if now - before > CHANGES_KEPT / 2:  # it was stopped for so long that it may have missed some
            changes.append(["planned"])
        for kind, *names in changes:
            self._tell(kind, *names)

    def _read(self, run: Run) -> list[list[str]]:
        """The changes that are new, as of one instant, with the copy brought up to date."""
        process = self._process
        run("BEGIN")
        try:
            version, process.first_end = run("SELECT version, first_end FROM header").fetchone()
            found = run("SELECT seq, process, data FROM changes WHERE seq > ? ORDER BY seq", (self._seen,)).fetchall()
            if version != process.copy.current.version:
                process.copy.take(read_force(run, process.rule_form))
        finally:
            run("COMMIT")
        self._seen = found[-1][0] if found else self._seen
        return [change for _, name, data in found if name != process.name for change in load(data)]

    def _tell(self, kind: Any, name: str = "", *task_ids: str) -> None:
        copy = self._process.copy
        if kind == "reset":
            if copy.current.state is not None:
                copy.tell(Change("reset", state=copy.shown(copy.current.state)))
        else:
            copy.tell(Change(kind, name, task_ids=task_ids))


class Keeper:
    """Shows that this process lives, and looks after the file."""

    def __init__(self, place: Place, writer: Writer, reader: Reader, process: Process, watch: Watch) -> None:
        self._place = place
        self._writer = writer
        self._reader = reader
        self._process = process
        self._watch = watch
        self._identity = self._file()

    async def round(self) -> None:
        """Show that this process lives, do what is to be done for those that do not, and keep the log short."""
        if self._file() != self._identity:
            await self._open_again()
        others = await self._writer.run(events.beat)
        taken = [await self._take_over(name) for name in self._watch.dead(others)]
        if others or any(taken):
            self._process.copy.tell(Change("planned"))
        if self._log_size() > LOG_KEPT:
            await self._reader.run(_copy_log)

    async def _take_over(self, name: str) -> bool:
        had_claims = await self._writer.run(events.take_over, name)
        log.info("another process of the store has ended without a word; what it was at is done here")
        return had_claims

    def _file(self) -> tuple[int, int] | None:
        """What the file is known by; None if it is not there."""
        try:
            found = os.stat(self._place.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    async def _open_again(self) -> None:
        """Go on with the file that is now in the place of the one that was opened, or with a new one."""
        self._writer.connection.close()
        await self._reader.disconnect()
        try:
            connection = connect(self._place, wait=0.0)
        except ValueError as error:
            raise self._writer.unavailable(sqlite3.OperationalError(str(error))) from None
        self._writer.reconnect(connection)
        self._identity = self._file()
        log.warning("the store %s came back as another file: what was in it is gone, as after a reset", self._place)
        copy = self._process.copy
        state = copy.current.state
        copy.put(InForce())
        self._process.known = None
        if state is not None:
            shown = copy.shown(state)
            copy.tell(Change("reset", state=await self._writer.run(whole.begin, shown) or shown))

    def _log_size(self) -> int:
        try:
            return os.stat(f"{self._place.path}-wal").st_size
        except OSError:
            return 0


def _copy_log(connection: sqlite3.Connection) -> None:
    """Copy the log into the file: most of it beside the writers, the rest while they wait, so that it begins anew."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
