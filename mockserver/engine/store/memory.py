"""The default store: dictionaries in this process."""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from mockserver.engine.callbacks import Delivery
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import Account
from mockserver.engine.tasks import Task

T = TypeVar("T")

TASKS_KEPT = 100_000
DELIVERIES_KEPT = 20_000
EXCHANGES_KEPT = 5_000
ACCOUNTS_KEPT = 20_000


class MemoryRows(Generic[T]):
    """`Rows` in a dictionary: it keeps the order of insertion, so newest first is reading it backwards."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.dropped = 0
        self._rows: dict[str, T] = {}
        self._retired: deque[str] = deque()

    def put(self, key: str, value: T) -> None:
        self._rows[key] = value

    def get(self, key: str) -> T | None:
        return self._rows.get(key)

    def retire(self, key: str) -> None:
        self._retired.append(key)
        while len(self._retired) > self.bound:
            self.dropped += self._rows.pop(self._retired.popleft(), None) is not None

    def revive(self, key: str) -> None:
        if key in self._retired:
            self._retired.remove(key)

    def remove(self, keys: list[str]) -> None:
        gone = set(keys)
        for key in keys:
            self._rows.pop(key, None)
        self._retired = deque(key for key in self._retired if key not in gone)

    def drop(self, keys: list[str]) -> None:
        self.dropped += len(keys)
        self.remove(keys)

    def oldest(self) -> Iterator[tuple[str, T]]:
        return iter(self._rows.items())

    def newest(self) -> Iterator[tuple[str, T]]:
        return reversed(self._rows.items())

    def __len__(self) -> int:
        return len(self._rows)


class MemoryStore:
    """Bounded, gone with the process."""

    def __init__(self) -> None:
        self.tasks = MemoryRows[Task](TASKS_KEPT)
        self.deliveries = MemoryRows[Delivery](DELIVERIES_KEPT)
        self.exchanges = MemoryRows[Exchange](EXCHANGES_KEPT)
        self.accounts = MemoryRows[Account](ACCOUNTS_KEPT)
        self.names = MemoryRows[str](TASKS_KEPT)
