"""Scripts run on the server: the one way in which the parts of the store reach it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mockserver.engine.clock import ServerState, monotonic
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store import Change
from mockserver.engine.store.codec import FORM, RuleForm, load_routes, load_rule
from mockserver.engine.store.in_force import Copy, InForce
from mockserver.engine.store.redis.address import TRANSIENT, Server
from mockserver.engine.store.redis.connection import PATIENCE, Line, Link, Part
from mockserver.engine.store.redis.layout import state_fields, state_of
from mockserver.engine.store.redis.scripts import Script, all_scripts, script
from mockserver.engine.store.shared import Outage, new_process_id

log = logging.getLogger("mockserver")

BEGIN, PUT_STATE, READ_IN_FORCE, RENEW = script("begin"), script("put_state"), script("read_in_force"), script("renew")

_QUIET = 1.0
"""Real seconds without a failure after which the store counts as usable again."""

_STRAY = 0.05
"""Seconds by which the server's time may differ from what this process expects before it was set to another."""


class ServerTime:
    """The server's own time, as this process can tell it without asking: no host's wall clock counts."""

    def __init__(self) -> None:
        self._ahead: float | None = None

    def now(self) -> float:
        """Unix seconds."""
        return monotonic() + (self._ahead or 0.0)

    def heard(self, time: float) -> None:
        """Learn the time that an answer told; the answer that came fastest tells it best."""
        ahead = time - monotonic()
        known = self._ahead
        self._ahead = ahead if known is None or ahead > known or known - ahead > _STRAY else known


class Database:
    """A server's keys under one prefix, for one process.

    `me` is the name of this process, another one for each connection: what a lost connection has left behind is told
    apart by it. `copy` is what is in force.
    """

    def __init__(self, server: Server, rules: RuleForm) -> None:
        self.server = server
        self.root = server.root
        self.time = ServerTime()
        self.copy = Copy(self.time.now)
        self.rules_added = 0
        self.claimed: set[str] = set()
        self.advances = False
        self.begun = False
        self.me = ""
        self.forget_guesses: Callable[[], None] = lambda: None
        self._rules = rules
        self.process = ""
        self._connections = 0
        self._instance = b""
        self._link = Link(server, self._prepare)
        self._outage = Outage()
        self._failed = 0.0
        self._beginning = asyncio.Lock()

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable, also if the store is of another form or its server too old."""
        self.process = new_process_id()  # not before: a process may have been forked since its store was made
        await self._link.open()
        line = await self._ready()
        told = [await line.send("INFO", part) for part in ("server", "memory")]
        if warning := self.server.unfit(b"".join([part for part in told if isinstance(part, bytes)]).decode()):
            log.warning(warning)

    async def close(self) -> None:
        await self._link.close()

    @property
    def connected(self) -> bool:
        return self._link.line is not None

    async def run(self, script: Script, *arguments: Part) -> Any:
        """Run a script; its answer. Raises StoreUnavailable."""
        return await self.answer(await self.ask(script, *arguments), script, *arguments)

    async def ask(self, script: Script, *arguments: Part) -> "asyncio.Future[Any]":
        """Send a script, in the order of the calls; the answer to come may be an error."""
        line = self._link.line or await self._ready()
        return line.send(b"EVALSHA", script.sha, 1, self.root, self.me, *arguments)

    async def answer(self, asked: "asyncio.Future[Any]", script: Script, *arguments: Part) -> Any:
        """The answer to a script that was sent. Raises StoreUnavailable."""
        try:
            answer = await asked
        except StoreUnavailable as problem:
            self._has_failed(problem)
            raise
        return await self._recovered(script, arguments, answer) if isinstance(answer, Exception) else answer

    async def command(self, *parts: Part) -> Any:
        """Send one command of the server itself. Raises StoreUnavailable."""
        return (await self.commands([parts]))[0]

    async def commands(self, commands: Iterable[Sequence[Part]]) -> list[Any]:
        """Send commands of the server itself together; their answers. Raises StoreUnavailable."""
        line = self._link.line or await self._ready()
        asked = [line.send(*parts) for parts in commands]
        try:
            return [self._checked(await answer) for answer in asked]
        except StoreUnavailable as problem:
            self._has_failed(problem)
            raise

    async def _ready(self) -> Line:
        try:
            return await self._link.ready()
        except StoreUnavailable as problem:
            self._has_failed(problem)
            raise

    async def _recovered(self, script: Script, arguments: tuple[Part, ...], error: Exception) -> Any:
        """Answer in place of an error that can be mended: a script that the server has lost, or everything is gone."""
        answer: Any = error
        if str(error).startswith("NOSCRIPT"):
            line = self._link.line or await self._ready()
            await self._load_scripts(line)
            answer = await line.send(b"EVALSHA", script.sha, 1, self.root, self.me, *arguments)
        if isinstance(answer, Exception) and str(answer).startswith("NOTHING") and self.begun:
            await self._begin_again()
            return await self.run(script, *arguments)
        try:
            return self._checked(answer)
        except StoreUnavailable as problem:
            self._has_failed(problem)
            raise

    def _checked(self, answer: Any) -> Any:
        if not isinstance(answer, Exception):
            return answer
        text = str(answer)
        if text.partition(" ")[0] in TRANSIENT and self._link.line is not None:
            self._link.line.close("is away: it has become a replica")
        raise self.server.refused(text)

    def _has_failed(self, problem: StoreUnavailable) -> None:
        self._failed = monotonic()
        self._outage.begin(problem)

    @contextmanager
    def patient(self, seconds: float) -> Iterator[None]:
        """Let the server take so long (real seconds) for an answer meanwhile."""
        line = self._link.line
        if line is None:
            yield
            return
        line.patience = seconds
        try:
            yield
        finally:
            line.patience = PATIENCE

    async def look_back(self) -> None:
        """Say that an outage is over, once nothing has failed for a while and something can be written."""
        if self._failed and monotonic() - self._failed > _QUIET:
            await self.command("HSETNX", self.root, "form", FORM)
            self._failed = 0.0
            self._outage.end()

    # connections

    async def _prepare(self, line: Line) -> None:
        """Make a new connection ready: check the form, load the scripts, and go on with the claims under a new name."""
        form = self._checked(await line.send(b"HGET", self.root, b"form"))
        if form is not None and form != b"%d" % FORM:
            raise self.server.unavailable(
                f"holds records of form {form.decode('utf-8', 'replace')}, this version reads {FORM}: "
                "use the version that wrote them, or another prefix (?prefix=)"
            )
        await self._load_scripts(line)
        self._connections += 1
        name = f"{self.process}:{self._connections}"
        if self.me and form is not None:
            known: list[Part] = [self.me, int(self.advances), *sorted(self.claimed)]
            renewed = await line.send(b"EVALSHA", RENEW.sha, 1, self.root, name, *known)
            if not str(renewed).startswith("NOTHING"):
                self._checked(renewed)
        self.me = name

    async def _load_scripts(self, line: Line) -> None:
        scripts = all_scripts()
        known = self._checked(await line.send(b"SCRIPT", b"EXISTS", *[one.sha for one in scripts]))
        missing = [one for one, there in zip(scripts, known, strict=True) if not there]
        for loaded in [line.send(b"SCRIPT", b"LOAD", one.source) for one in missing]:
            self._checked(await loaded)

    # what is in force

    async def begin(self, state: ServerState) -> bool:
        """Give an empty store a state, and read what is in force; whether the store was empty."""
        began = await self.run(BEGIN, FORM, new_process_id(), *state_fields(state))
        self.begun = True
        self.put(await self.run(READ_IN_FORCE))
        return bool(began)

    async def _begin_again(self) -> None:
        """Begin anew in a store that has lost everything."""
        async with self._beginning:
            lost, kept = self._instance, self.copy.current.state
            answer = await self.command(b"HGET", self.root, b"instance")
            if kept is None or (answer is not None and answer == lost):
                return
            state = self.copy.shown(kept)
            log.warning("the store %s has lost everything: it begins anew", self.server.name)
            began = await self.run(BEGIN, FORM, new_process_id(), *state_fields(state))
            self.put(await self.run(READ_IN_FORCE))
            self.forget()
            self._tell_reset("begun" if began else "")

    def forget(self) -> None:
        """Forget what this process knows of records that are gone."""
        self.claimed.clear()
        self.advances = False
        self.forget_guesses()

    def _tell_reset(self, name: str = "") -> None:
        if (state := self.copy.current.state) is not None:
            self.copy.tell(Change("reset", name, state=self.copy.shown(state)))

    async def renew(self, version: int) -> None:
        """Read what is in force, if a version that was heard of is not the copy's."""
        if version != self.copy.current.version:
            await self.refresh()

    async def refresh(self) -> None:
        """Read what is in force; other processes have changed it."""
        answer = await self.run(READ_IN_FORCE)
        read, instance = self._read(answer), answer[1]
        if instance != self._instance or read.version != self.copy.current.version:
            self._take(read, instance)

    def _take(self, read: InForce, instance: bytes) -> None:
        if instance != self._instance:
            log.warning("the store %s has lost everything: another process has begun anew", self.server.name)
            self._instance = instance
            self.forget()
            self.copy.put(read)
            self._tell_reset()
        else:
            self.copy.take(read)

    def put(self, answer: list[Any]) -> None:
        """Keep what this process has put in force itself, as a script tells it."""
        self._instance = answer[1]
        self.copy.put(self._read(answer))

    async def tell_reset(self) -> None:
        """Read what is in force after another process has reset everything, and tell the listener."""
        answer = await self.run(READ_IN_FORCE)
        self._instance = answer[1]
        self.copy.put(self._read(answer))
        self.forget()
        self._tell_reset()

    def _read(self, answer: list[Any]) -> InForce:
        version, _, time, added, state, rules = answer
        self.time.heard(float(time))
        self.rules_added = int(added)
        routes = load_routes(state[7]) if state[7] is not None else ()
        return InForce(int(version), state_of(state), tuple([load_rule(self._rules, rule) for rule in rules]), routes)

    async def put_state(self, *fields: Part) -> None:
        """Change fields of the state, for all processes."""
        self.put(await self.run(PUT_STATE, *fields))
