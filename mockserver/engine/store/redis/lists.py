"""Lists and counts. A list is read in pieces, so that neither side holds more than one of them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mockserver.engine.callbacks import Delivery
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import Account
from mockserver.engine.sinks import SINKS_KEPT
from mockserver.engine.store import Kept, Page, Pending, Wanted
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.redis.setting import Setting
from mockserver.engine.tasks import Task

PAGE, PAGE_ACCOUNTS, KEPT, PENDING = script("page"), script("page_accounts"), script("kept"), script("pending")

_PIECES = {"task": 200, "callback": 200, "entry": 50, "account": 1_000}
"""Records that are looked at in one piece."""

T = TypeVar("T")


class Lists:
    """The verbs of `Store` for lists and counts."""

    def __init__(self, database: Database, setting: Setting, read_entry: Callable[[bytes], Exchange | None]) -> None:
        self._run = database.run
        self._setting = setting
        self._read_entry = read_entry

    async def tasks(self, wanted: Wanted[Task], limit: int, cursor: str | None = None) -> Page[Task]:
        return await self._records("task", layout.task_of, wanted, limit, cursor)

    async def deliveries(self, wanted: Wanted[Delivery], limit: int, cursor: str | None = None) -> Page[Delivery]:
        return await self._records("callback", layout.delivery_of, wanted, limit, cursor)

    async def entries(self, wanted: Wanted[Exchange], limit: int, cursor: str | None = None) -> Page[Exchange]:
        return await self._records("entry", self._read_entry, wanted, limit, cursor)

    async def _records(
        self, table: str, read: Callable[[bytes], Any], wanted: Wanted[T], limit: int, cursor: str | None
    ) -> Page[T]:
        provider, accounts = wanted.provider or "", sorted(wanted.accounts or ())
        if wanted.accounts is not None and not accounts:
            return [], None
        if table == "entry":
            sources = ["entry:order"]
        elif accounts:
            sources, accounts = [f"{table}:by:{account}" for account in accounts], []
        else:
            sources = [f"{table}:of:{name}" for name in ([provider] if provider else self._setting.opening)]

        def piece(count: int, behind: str, place: str | bytes) -> Any:
            return self._run(PAGE, table, provider, count, behind, place, len(sources), *sources, *accounts)

        return await _gather(
            piece, lambda name, value: (layout.text(name), read(value)), wanted, limit, cursor, _PIECES[table]
        )

    async def accounts(self, wanted: Wanted[Account], limit: int, cursor: str | None = None) -> Page[Account]:
        if wanted.accounts is not None and not wanted.accounts:
            return [], None

        def piece(count: int, behind: str, place: str | bytes) -> Any:
            return self._run(PAGE_ACCOUNTS, wanted.provider or "", count, behind, place, *sorted(wanted.accounts or ()))

        def read(name: bytes, fields: list[bytes]) -> tuple[str, Account]:
            owner = layout.text(name)
            return owner, layout.row_of(owner, fields).value()

        return await _gather(piece, read, wanted, limit, cursor, _PIECES["account"])

    async def kept(self) -> Mapping[str, Kept]:
        numbers = [int(number) for number in await self._run(KEPT)]
        bounds = self._setting.bounds
        kinds = [
            ("tasks", bounds.tasks),
            ("callbacks", bounds.callbacks),
            ("requests", bounds.requests),
            ("accounts", bounds.accounts),
            ("sinks", SINKS_KEPT),
        ]
        return {
            name: Kept(numbers[2 * place], bound, numbers[2 * place + 1]) for place, (name, bound) in enumerate(kinds)
        }

    async def pending(self) -> Pending:
        return Pending(*await self._run(PENDING))


async def _gather(
    piece: Callable[[int, str, str | bytes], Any],
    read: Callable[[bytes, Any], tuple[str, T]],
    wanted: Wanted[T],
    limit: int,
    cursor: str | None,
    most: int,
) -> Page[T]:
    """Up to `limit` records that are wanted, piece by piece, and the cursor of the next page."""
    found: list[T] = []
    last = ""
    behind, place = ("", b"") if cursor is None else ("id", cursor.encode("utf-8", "surrogatepass"))
    count = min(limit + 1, most)
    while True:
        place, *flat = await piece(count, behind, place)
        for name, value in zip(flat[::2], flat[1::2], strict=True):
            identity, kept = read(name, value)
            if wanted.keep(kept):
                if len(found) == limit:
                    return found, last
                found.append(kept)
                last = identity
        if not place:
            return found, None
        behind, count = "at", most
