"""What runs for the store in the background: beats, the changes of other processes, and what the dead ones leave."""

from contextlib import suppress

from mockserver.engine.clock import pause
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store import Change, ChangeKind
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.connection import Line, Link
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.events import Events
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.redis.setting import Setting
from mockserver.engine.store.shared import BEAT_SECONDS, Rounds, Watch, interrupted

BEAT, JOIN, WATCH, TAKE_OVER, RETAKE = map(script, ("beat", "join", "watch", "take_over", "retake"))

_BLOCK_MS = 1_000
_RETRY_SECONDS = 0.1
_AT_ONCE = 500
_KINDS: dict[bytes, ChangeKind] = {
    b"ended": "ended",
    b"attempt": "attempt",
    b"request": "request",
    b"control": "control",
}


class Life:
    """The rounds of one process. It reads the changes on a connection of its own, which waits for them."""

    def __init__(self, database: Database, setting: Setting, events: Events) -> None:
        self._database = database
        self._setting = setting
        self._events = events
        self._rounds = Rounds()
        self._watch = Watch()
        self._follower = Link(database.server, self._nothing_to_prepare)
        self._read_to = b"$"
        self.watches = False

    async def start(self) -> None:
        """Join the other processes. Raises StoreUnavailable."""
        self._read_to = await self._database.run(JOIN)
        await self._follower.open()
        self._rounds.start(self._beat, BEAT_SECONDS)
        self._rounds.start(self._follow, 0.0)

    async def watch(self, wanted: bool) -> None:
        """Be told of what is told only to those that watch, or no longer; each beat says so again."""
        self.watches = wanted
        await self._database.run(WATCH, int(wanted))

    async def leave(self) -> None:
        """Stop, and give back at once what this process has claimed; a store that is away has it done by others."""
        await self.stop()
        with suppress(StoreUnavailable):
            if self._database.connected:
                await self.take_over(self._database.me)

    async def stop(self) -> None:
        await self._rounds.stop()
        await self._follower.close()

    async def _nothing_to_prepare(self, line: Line) -> None:
        pass

    # beats

    async def _beat(self) -> None:
        time, version, end, flat = await self._database.run(BEAT, int(self.watches))
        self._database.time.heard(float(time))
        self._setting.heard_of_end(end)
        await self._database.look_back()
        if int(version) != self._database.copy.current.version:
            await self._database.refresh()
        await self._events.tidy()
        me = self._database.me.encode()
        beats = {name.decode(): int(beat) for name, beat in zip(flat[::2], flat[1::2], strict=True) if name != me}
        dead = self._watch.dead(beats)
        for name in dead:
            await self.take_over(name)
        if beats:
            self._database.copy.tell(Change("planned"))

    async def take_over(self, dead: str) -> None:
        """Give back what a process had claimed, and put on record that its attempts were interrupted."""
        while attempts := await self._database.run(TAKE_OVER, dead):
            for name, due, value in attempts:
                delivery = layout.delivery_of(value)
                if delivery is not None:
                    after = layout.delivery_value(interrupted(delivery, float(due)))
                    await self._database.run(RETAKE, dead, name, layout.body(value), after)

    # changes

    async def _follow(self) -> None:
        """Wait for changes of other processes, and tell of them."""
        try:
            await self._read_changes()
        except StoreUnavailable:
            await pause(_RETRY_SECONDS)
            raise

    async def _read_changes(self) -> None:
        line = self._follower.line or await self._follower.ready()
        stream = f"{self._database.root}:changes"
        answer = await line.send("XREAD", "COUNT", _AT_ONCE, "BLOCK", _BLOCK_MS, "STREAMS", stream, self._read_to)
        if isinstance(answer, Exception):
            raise self._database.server.refused(str(answer))
        for place, fields in answer[0][1] if answer else ():
            self._read_to = place
            await self._tell(fields)

    async def _tell(self, fields: list[bytes]) -> None:
        kind, name, _, process = fields
        if process.partition(b":")[0].decode() == self._database.process:
            return
        match kind:
            case b"state":
                await self._database.refresh()
            case b"reset":
                await self._database.tell_reset()
            case b"forgotten":
                account, _, tasks = layout.text(name).partition("\n")
                self._database.copy.tell(Change("forgotten", account, task_ids=tasks.split("\n") if tasks else ()))
            case _:
                self._database.copy.tell(Change(_KINDS[kind], layout.text(name)))
