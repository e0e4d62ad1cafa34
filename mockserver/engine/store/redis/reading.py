"""Reads all records from a copy that nobody changes, in pieces, oldest first."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from mockserver.engine.callbacks import Delivery
from mockserver.engine.ledger import USAGE_KEPT, AccountRow
from mockserver.engine.schedule import Event, EventKind
from mockserver.engine.sinks import Sink
from mockserver.engine.store import Records, codec, with_attempts_under_way
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.matches import counts_of
from mockserver.engine.store.redis.steering import sink_of
from mockserver.engine.store.steering import SteeringRecords

_PIECE = 200
_QUEUES: dict[str, EventKind] = {"queue:f": "finish", "queue:a": "attempt"}

T = TypeVar("T")


class Reading:
    """Reads the copy under the number of a generation."""

    def __init__(self, database: Database, generation: str, form: codec.RuleForm) -> None:
        self._database = database
        self._command = database.command
        self._prefix = f"{database.root}:{generation}:"
        self._form = form

    async def records(self, owners: Sequence[bytes], sinks: Sequence[bytes]) -> Records:
        """Everything, given the owners of accounts ("provider/account") and the names of sinks, in order."""
        tasks = await self._table("task", codec.load_task)
        deliveries = await self._table("callback", codec.load_delivery)
        open_tasks = {layout.text(name): layout.text(value) for name, value in (await self._hash("open")).items()}
        held = [(task.id, open_tasks[task.id].partition("\n")[2]) for task in tasks if task.id in open_tasks]
        counters = await self._hash("n")
        steering = await self._steering(int(counters.get(b"rules", 0)), sinks)
        accounts = [await self._account(owner) for owner in owners]
        planned = await self._planned(deliveries)
        return Records(tasks, deliveries, accounts, held, planned, int(counters.get(b"anonymous", 0)), steering)

    async def _table(self, name: str, load: Callable[[bytes], T]) -> list[T]:
        found: dict[bytes, tuple[int, T]] = {}
        cursor = b"0"
        while True:
            cursor, flat = await self._command("HSCAN", self._prefix + name, cursor, "COUNT", _PIECE)
            for key, value in zip(flat[::2], flat[1::2], strict=True):
                found[key] = int(value[: value.index(b"\n")]), load(layout.record(value))
            if cursor == b"0":
                return [value for _, value in sorted(found.values(), key=lambda placed: placed[0])]

    async def _hash(self, name: str) -> dict[bytes, bytes]:
        flat = await self._command("HGETALL", self._prefix + name)
        return dict(zip(flat[::2], flat[1::2], strict=True))

    async def _list(self, name: str) -> list[bytes]:
        values: list[bytes] = await self._command("LRANGE", self._prefix + name, 0, -1)
        return values

    async def _account(self, name: bytes) -> AccountRow:
        owner = layout.text(name)
        fields, usage, recent = await self._database.commands(
            [
                ("HGETALL", f"{self._prefix}account:{owner}"),
                ("LRANGE", f"{self._prefix}usage:{owner}", 0, -1),
                ("LRANGE", f"{self._prefix}recent:{owner}", 0, -1),
            ]
        )
        row = layout.row_of(owner, fields)
        row.usage = deque([layout.usage_of(value) for value in usage], maxlen=USAGE_KEPT)
        row.recent = deque([layout.number(value) for value in recent])
        return row

    async def _planned(self, deliveries: Sequence[Delivery]) -> list[Event]:
        """What is planned, in order, with the ends that a process has claimed; attempts under way come last at their
        time."""
        placed: list[tuple[float, bytes, EventKind]] = []
        for queue, kind in _QUEUES.items():
            flat = await self._command("ZRANGE", self._prefix + queue, 0, -1, "WITHSCORES")
            placed += [(float(due), member, kind) for member, due in zip(flat[::2], flat[1::2], strict=True)]
        for name, claim in (await self._hash("claimed")).items():
            _, due, member = claim.split(b"\n", 2)
            if name.startswith(b"f"):
                placed.append((float(due), member, "finish"))
        placed.sort()
        events: list[Event] = [(due, kind, layout.text(member[15:])) for due, member, kind in placed]
        return with_attempts_under_way(events, deliveries)

    async def _steering(self, rules_added: int, sinks: Sequence[bytes]) -> SteeringRecords:
        rules, counts = await self._hash("rule"), await self._hash("matches")
        routes = await self._command("HGET", f"{self._prefix}state", "routes")
        received = [await self._sink(name) for name in sinks]
        return SteeringRecords(
            [
                (codec.load_rule(self._form, rules[name]), counts_of(counts.get(name)))
                for name in await self._list("rules")
            ],
            rules_added,
            list(codec.load_routes(routes)) if routes is not None else [],
            {layout.text(name): sink for name, sink in zip(sinks, received, strict=True)},
        )

    async def _sink(self, name: bytes) -> Sink:
        own = layout.text(name)
        dropped = await self._command("HGET", f"{self._prefix}received:dropped", name)
        sink = sink_of((await self._list(f"script:{own}"), await self._list(f"received:{own}"), dropped or b"0"))
        return sink or Sink()
