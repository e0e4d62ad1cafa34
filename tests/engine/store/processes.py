"""Stores as several processes have them: on one file, in this process or in others that are killed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.store.test_store import OPENING, RULE_FORM, STATE
from engine.world import T0, job
from mockserver.engine.clock import ServerState
from mockserver.engine.store import Bounds, Change
from mockserver.engine.store.shared import BEAT_SECONDS, Watch
from mockserver.engine.store.sqlite import SqliteStore
from mockserver.engine.store.sqlite.file import Place
from mockserver.engine.tasks import Task


class Clockwork:
    """Real seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Member(SqliteStore):
    """A store that has heard `changes`, on a `clockwork` of its own, so that nobody dies by accident."""

    def __init__(self, path: Path, **bounds: int) -> None:
        self.clockwork = Clockwork()
        self.changes: list[Change] = []
        super().__init__(Place(path), OPENING, Bounds(**bounds), RULE_FORM, Watch(self.clockwork))

    def heard(self, *kinds: str) -> list[str]:
        """The names of the changes of these kinds."""
        return [change.name for change in self.changes if change.kind in kinds]

    async def die(self) -> None:
        """Leave without a word, as a killed process does."""
        await self._rounds.stop()
        self._writer.connection.close()

    async def watch_for(self, seconds: float) -> None:
        """Let so many seconds pass on the clockwork, with the beats that come in them."""
        end = self.clockwork.now + seconds
        while self.clockwork.now < end:
            self.clockwork.now += BEAT_SECONDS
            await self.keep()


@asynccontextmanager
async def member(path: Path, state: ServerState = STATE, **bounds: int) -> AsyncIterator[Member]:
    """A process that has the store open, until the end."""
    store = Member(path, **bounds)
    await store.open(store.changes.append)
    try:
        await store.begin(state)
        yield store
    finally:
        await store.close()


async def submit(store: SqliteStore, name: str, due: float = T0 + 10, **changes: Any) -> Task:
    """Submit a job, under this id."""
    asked = job(**changes)
    return await store.submit(asked, T0, lambda *_: Task(name, asked, T0, due, due, asked.failure))


class Other:
    """Another process, which runs a function of `engine.store.others` and is told what to do on its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            return (await self.process.stdout.readline()).decode().strip()

    def go(self) -> None:
        """Let it begin, which waits for a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")

    async def kill(self) -> list[str]:
        """End it as nothing else can; what it had said that was not read yet."""
        self.process.send_signal(signal.SIGKILL)
        assert self.process.stdout is not None
        rest = await self.process.stdout.read()
        await self.process.wait()
        return rest.decode().split("\n")[:-1]


@asynccontextmanager
async def other(task: str, path: Path, *arguments: str) -> AsyncIterator[Other]:
    """Another process that does a task of `engine.store.others` on a file."""
    tests = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "engine.store.others",
        task,
        str(path),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=tests,
        env={**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"},
    )
    try:
        yield Other(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
