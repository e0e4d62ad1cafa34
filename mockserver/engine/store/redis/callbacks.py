"""Callbacks and the journal: the verbs for deliveries and for entries."""

from dataclasses import replace

from mockserver.engine.callbacks import Delivery
from mockserver.engine.journal import Exchange
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.redis.setting import Setting

RECORD, CALLBACK_OF, UPDATE_CALLBACK = script("record"), script("callback_of"), script("update_callback")
OPEN_ENTRY, CLOSE_ENTRY = script("open_entry"), script("close_entry")


class Callbacks:
    """The verbs of `Store` for deliveries."""

    def __init__(self, database: Database, setting: Setting) -> None:
        self._run = database.run
        self._claimed = database.claimed
        self._setting = setting

    async def delivery(self, delivery_id: str) -> Delivery | None:
        return layout.delivery_of(await self._run(RECORD, "callback", delivery_id))

    async def delivery_of(self, task_id: str) -> Delivery | None:
        return layout.delivery_of(await self._run(CALLBACK_OF, task_id))

    async def update_delivery(self, before: Delivery, after: Delivery) -> bool:
        key = self._setting.keys.key_of(before.account)
        due = after.next_attempt if not after.ended else None
        planned = due is not None and (before.ended or due != before.next_attempt)
        updated = await self._run(
            UPDATE_CALLBACK,
            before.id,
            layout.delivery_value(before, key),
            layout.delivery_value(after, key),
            int(before.ended),
            int(after.ended),
            repr(due) if planned else "",
            self._setting.bounds.callbacks,
            int(len(after.attempts) > len(before.attempts)),
        )
        if not updated or after.ended or planned:
            self._claimed.discard(f"a{before.id}")
        return bool(updated)


class Entries:
    """The verbs of `Store` for the journal.

    Ids repeat only if an account was dropped or reset, and opened anew. As long as none was, nobody waits for the reply
    to `open_entry`: what follows on the same connection finds the entry.
    """

    def __init__(self, database: Database, setting: Setting) -> None:
        self._database = database
        self._setting = setting
        self._opened: dict[str, tuple[Exchange, str]] = {}
        self._ids_may_repeat = True
        self._count = 0

    def ids_may_repeat(self, they_may: bool) -> None:
        self._ids_may_repeat = they_may

    async def entry(self, request_id: str) -> Exchange | None:
        return self.read(await self._database.run(RECORD, "entry", request_id))

    def read(self, value: bytes | None) -> Exchange | None:
        """An entry; one that this process is answering is as its handler has filled it in so far."""
        exchange = layout.entry_of(value)
        if value is None or exchange is None or exchange.status is not None:
            return exchange
        opened, token = self._opened.get(exchange.id, (None, ""))
        return replace(opened) if opened is not None and value.startswith(f"{token}\n".encode()) else exchange

    async def open_entry(self, exchange: Exchange) -> bool:
        if exchange.account and (secret := exchange.secret):
            self._setting.keys.know(exchange.account, secret)
        self._count += 1
        token = f"{self._database.process}/{self._count}"
        arguments = exchange.id, layout.entry_value(token, exchange), self._setting.bounds.requests
        if not self._ids_may_repeat:
            await self._database.ask(OPEN_ENTRY, *arguments)
        elif not await self._database.run(OPEN_ENTRY, *arguments):
            return False
        if len(self._opened) >= self._setting.bounds.requests:  # the store has dropped it, too
            del self._opened[next(iter(self._opened))]
        self._opened[exchange.id] = exchange, token
        return True

    async def close_entry(self, opened: Exchange, closed: Exchange) -> None:
        known, token = self._opened.get(opened.id, (None, ""))
        if known is not opened:
            return
        del self._opened[opened.id]
        await self._database.run(CLOSE_ENTRY, opened.id, f"{token}\n", layout.entry_value(token, closed))
