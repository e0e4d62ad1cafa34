"""What the engine keeps, behind a protocol: memory by default."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from mockserver.engine.callbacks import Delivery
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import Account
from mockserver.engine.tasks import Task

T = TypeVar("T")


class Rows(Protocol[T]):
    """Records of one kind by id, in the order in which they came.

    A record stays until it is retired; of the retired ones the newest `bound` stay, and `dropped` counts the others.
    """

    bound: int
    dropped: int

    def put(self, key: str, value: T) -> None:
        """Add a record, or replace the one of that id in its place."""

    def get(self, key: str) -> T | None: ...

    def retire(self, key: str) -> None:
        """Say that a record has ended and may be dropped when newer ones need its room."""

    def revive(self, key: str) -> None:
        """Say that a retired record goes on after all."""

    def remove(self, keys: list[str]) -> None: ...

    def drop(self, keys: list[str]) -> None:
        """Remove records to make room, and count them."""

    def oldest(self) -> Iterator[tuple[str, T]]:
        """All, the oldest first."""

    def newest(self) -> Iterator[tuple[str, T]]:
        """All, the newest first."""

    def __len__(self) -> int: ...


class Store(Protocol):
    """Everything that outlives a request. `names` maps other names of things (trace ids, idempotency keys) to ids."""

    @property
    def tasks(self) -> Rows[Task]: ...
    @property
    def deliveries(self) -> Rows[Delivery]: ...
    @property
    def exchanges(self) -> Rows[Exchange]: ...
    @property
    def accounts(self) -> Rows[Account]: ...
    @property
    def names(self) -> Rows[str]: ...


def page(
    rows: Rows[T], keep: Callable[[T], bool], limit: int, cursor: str | None
) -> tuple[list[tuple[str, T]], str | None]:
    """Up to `limit` records that `keep` accepts, newest first, older than the one `cursor` names.

    Returns:
        The records with their ids, and the cursor of the next page; None if this is the last.
    """
    found: list[tuple[str, T]] = []
    passed = cursor is None
    for key, value in rows.newest():
        if not passed:
            passed = key == cursor
        elif keep(value):
            if len(found) == limit:
                return found, found[-1][0]
            found.append((key, value))
    return found, None
