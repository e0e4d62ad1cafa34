"""The commands that put records under the keys of a generation that is empty, in pieces.

What they leave is what the scripts would have left, had they made the same records one by one.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Any, TypeVar

from mockserver.engine.callbacks import Delivery
from mockserver.engine.ledger import AccountRow
from mockserver.engine.store import Records, codec
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.connection import Part
from mockserver.engine.store.redis.setting import Setting
from mockserver.engine.store.redis.steering import reply_value
from mockserver.engine.store.steering import MemorySteering, SteeringRecords
from mockserver.engine.tasks import Task

Command = list[Part]

_PIECE = 200
_EVENTS = {"finish": "f", "attempt": "a"}

T = TypeVar("T")


def commands_of(records: Records, prefix: str, setting: Setting, form: codec.RuleForm) -> Iterator[list[Command]]:
    """Pieces of commands, to be sent one piece after the other; keys begin with `prefix`."""
    return map(_merged, _Filling(prefix, setting, form).commands(records))


class _Filling:
    def __init__(self, prefix: str, setting: Setting, form: codec.RuleForm) -> None:
        self._prefix = prefix
        self._setting = setting
        self._form = form
        self._order = count(1)

    def commands(self, records: Records) -> Iterator[list[Command]]:
        held = dict(records.held)
        tasks, tasks_dropped = _bounded(records.tasks, lambda task: task.id not in held, self._setting.bounds.tasks)
        for some in _pieces(tasks):
            yield self._tasks(some, held)
        yield from _pieces(self._names(records.tasks, held))
        deliveries, deliveries_dropped = _bounded(
            records.deliveries, lambda delivery: delivery.ended, self._setting.bounds.callbacks
        )
        for part in _pieces(deliveries):
            yield self._deliveries(part)
        yield from _pieces(self._callbacks_of(records.deliveries))
        for rows in _pieces(records.accounts, 16):
            yield [command for row in rows for command in self._account(row)]
        for events in _pieces(records.planned):
            yield [command for due, kind, name in events for command in self._event(due, _EVENTS[kind], name)]
        yield from _pieces(self._steering(records.steering))
        yield [
            self._command("HSET", "n", "anonymous", records.anonymous_requests, "rules", records.steering.rules_added),
            self._command("HSET", "n", "dropped task", tasks_dropped, "dropped callback", deliveries_dropped),
            self._command("HSET", "n", "seq", next(self._order)),
        ]

    def _command(self, verb: str, key: str, *parts: Part) -> Command:
        return [verb, self._prefix + key, *parts]

    def _tasks(self, tasks: Sequence[Task], held: dict[str, str]) -> list[Command]:
        commands: list[Command] = []
        for task in tasks:
            job, order = task.job, next(self._order)
            value = layout.task_value(task, *self._named(task))
            commands += self._record("task", task.id, job.provider, job.account, order, value)
            if task.id in held:
                commands.append(self._command("HSET", "open", task.id, f"{job.account}\n{held[task.id]}"))
            else:
                commands.append(self._command("ZADD", "task:ended", next(self._order), task.id))
        return commands

    def _named(self, task: Task) -> tuple[tuple[str, str], str]:
        key = self._setting.keys.key_of(task.job.account)
        return layout.names_of(task, key), key

    def _record(self, table: str, name: str, provider: str, account: str, order: int, value: bytes) -> list[Command]:
        return [
            self._command("HSET", table, name, b"%d\n%b" % (order, value)),
            self._command("ZADD", f"{table}:of:{provider}", order, name),
            self._command("ZADD", f"{table}:by:{account}", order, name),
        ]

    def _names(self, tasks: Sequence[Task], held: dict[str, str]) -> list[Command]:
        """What each name means in the end, when each task had it in turn and those that the bound drops lost it."""
        meanings: dict[tuple[str, str], str] = {}
        ended: deque[Task] = deque()
        for task in tasks:
            meanings.update(dict.fromkeys(self._keys_of(task), task.id))
            if task.id not in held:
                ended.append(task)
                if len(ended) > self._setting.bounds.tasks:
                    _forget(meanings, self._keys_of(oldest := ended.popleft()), oldest.id)
        return [
            self._command("HSET", f"names:{account}", name, meaning) for (account, name), meaning in meanings.items()
        ]

    def _keys_of(self, task: Task) -> list[tuple[str, str]]:
        return [(task.job.account, name) for name in self._named(task)[0] if name]

    def _deliveries(self, deliveries: Sequence[Delivery]) -> list[Command]:
        commands: list[Command] = []
        for delivery in deliveries:
            order, value = (
                next(self._order),
                layout.delivery_value(delivery, self._setting.keys.key_of(delivery.account)),
            )
            commands += self._record("callback", delivery.id, delivery.provider, delivery.account, order, value)
            if delivery.held_back:
                commands.append(self._command("RPUSH", f"held back:{delivery.account}", delivery.id))
            if delivery.ended:
                commands.append(self._command("ZADD", "callback:ended", next(self._order), delivery.id))
        return commands

    def _callbacks_of(self, deliveries: Sequence[Delivery]) -> list[Command]:
        meanings: dict[str, str] = {}
        ended: deque[Delivery] = deque()
        for delivery in deliveries:
            meanings.setdefault(delivery.task_id, delivery.id)
            if delivery.ended:
                ended.append(delivery)
                if len(ended) > self._setting.bounds.callbacks:
                    _forget(meanings, [(oldest := ended.popleft()).task_id], oldest.id)
        return [self._command("HSET", "callback of", task, delivery) for task, delivery in meanings.items()]

    def _account(self, row: AccountRow) -> Iterator[Command]:
        owner, order = f"{row.provider}/{row.id}", next(self._order)
        yield self._command("HSET", f"account:{owner}", "order", order, *layout.flat(layout.fields_of(row)))
        yield self._command("ZADD", "accounts", order, owner)
        if not row.held:
            yield self._command("ZADD", "accounts:idle", order, owner)
        for usage in _pieces(row.usage):
            yield self._command("RPUSH", f"usage:{owner}", *map(layout.usage_value, usage))
        for recent in _pieces(row.recent):
            yield self._command("RPUSH", f"recent:{owner}", *map(repr, recent))

    def _event(self, due: float, kind: str, name: str) -> Iterator[Command]:
        member = f"{next(self._order):015d}{name}"
        yield self._command("ZADD", f"queue:{kind}", repr(due), member)
        yield self._command("HSET", "planned", f"{kind}{name}", member)

    def _steering(self, records: SteeringRecords) -> Iterator[Command]:
        for rule, counts in records.rules:
            yield self._command("HSET", "rule", rule.id, codec.dump_rule(self._form, rule))
            yield self._command("RPUSH", "rules", rule.id)
            yield self._command("HSET", "matches", rule.id, f"{counts.matched} {counts.fired}")
        yield from self._sinks(records)

    def _sinks(self, records: SteeringRecords) -> Iterator[Command]:
        bounded = MemorySteering()
        bounded.load(records)  # of all sinks together only the newest requests stay
        receipts: list[tuple[float, int, int, str]] = []
        for name, sink in bounded.dump().sinks.items():
            yield self._command("ZADD", "sinks", next(self._order), name)
            yield self._command("HSET", "received:dropped", name, sink.dropped)
            if sink.script:
                yield self._command("RPUSH", f"script:{name}", *map(reply_value, sink.script))
            for received in sink.received:
                number = next(self._order)
                yield self._command("RPUSH", f"received:{name}", b"%d\n%b" % (number, codec.dump_received(received)))
                receipts.append((received.time, number, len(received.body), name))
        receipts.sort(key=lambda receipt: receipt[0])
        for _, number, length, name in receipts:
            yield self._command("RPUSH", "receipts", f"{number}\n{length}\n{name}")
        yield self._command("HSET", "n", "receipts length", sum(length for _, _, length, _ in receipts))


def _merged(commands: Iterable[Command]) -> list[Command]:
    """Commands with those of one verb for one key put together, in their order."""
    together: dict[tuple[Part, Part], Command] = {}
    for verb, key, *parts in commands:
        together.setdefault((verb, key), [verb, key]).extend(parts)
    return list(together.values())


def _bounded(records: Sequence[T], ended: Callable[[T], bool], bound: int) -> tuple[list[T], int]:
    """Records without the oldest ended ones past the bound, and how many those were."""
    excess = max(0, sum(map(ended, records)) - bound)
    passed = count()
    return [record for record in records if not ended(record) or next(passed) >= excess], excess


def _forget(meanings: dict[Any, str], names: Iterable[Any], meaning: str) -> None:
    for name in names:
        if meanings.get(name) == meaning:
            del meanings[name]


def _pieces(values: Iterable[T], size: int = _PIECE) -> Iterator[list[T]]:
    rest = iter(values)
    while piece := list(islice(rest, size)):
        yield piece
