"""`SqliteStore`: the verbs, each handed to the transaction of this turn of the loop, or read at once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import Account, AccountChange, Usage
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import Event, EventKind
from mockserver.engine.store import Bounds, Kept, Listener, Page, Pending, Records, Wanted
from mockserver.engine.store.codec import RuleForm
from mockserver.engine.store.in_force import InForce
from mockserver.engine.store.shared import (
    BEAT_SECONDS,
    FOLLOW_SECONDS,
    Outage,
    Rounds,
    Watch,
    need_amounts,
    new_process_id,
)
from mockserver.engine.store.sqlite import accounts, callbacks, events, generations, journal, lists, whole
from mockserver.engine.store.sqlite.file import Place, connect
from mockserver.engine.store.sqlite.following import Follower, Keeper
from mockserver.engine.store.sqlite.reader import Reader
from mockserver.engine.store.sqlite.rows import read_account
from mockserver.engine.store.sqlite.steering import SqliteSteering
from mockserver.engine.store.sqlite.transaction import Process, Transaction
from mockserver.engine.store.sqlite.writer import Writer
from mockserver.engine.tasks import Job, Task

T = TypeVar("T")


class SqliteStore:
    """`Store` on a file, for all processes of one machine that have it open. It can be used between `open` and `close`.

    Args:
        opening: what a new account has, in minor units, by provider.
        rule_form: how fault rules are written and read.
        watch: judges which other processes are dead.
    """

    _writer: Writer
    _reader: Reader
    _follower: Follower

    def __init__(
        self,
        place: Place,
        opening: Mapping[str, int],
        bounds: Bounds,
        rule_form: RuleForm,
        watch: Watch | None = None,
    ) -> None:
        self.place = place
        self.bounds = bounds
        self.shared = True
        self._process = Process(opening, bounds, rule_form)
        self.steering = SqliteSteering(self._process)
        self._watch = watch or Watch()
        self._outage = Outage()
        self._rounds = Rounds()
        self._arrived: dict[int, tuple[Exchange, int]] = {}
        self._connected = self._advancing = self._advance_ended = False

    def set_terms(self, terms: Mapping[tuple[str, str], AccountChange]) -> None:
        self._process.terms = terms

    # its life

    async def open(self, listener: Listener) -> None:
        process = self._process
        process.name = new_process_id()  # not before: a store may be made in a process that is then forked
        try:
            connection = connect(self.place)
        except ValueError as error:
            raise StoreUnavailable(str(error)) from None
        self._connected = True
        self._writer = Writer(connection, process, str(self.place), self._outage)
        self._reader = Reader(self.place, self._writer)
        self.steering.connect(self._writer, self._reader)
        self._keeper = Keeper(self.place, self._writer, self._reader, process, self._watch)
        self._follower = Follower(self._writer, process)
        await self._keeper.round()
        await self._follower.begin()
        process.copy.listener = listener
        self._rounds.start(self.keep, BEAT_SECONDS)
        self._rounds.start(self._follower.look, FOLLOW_SECONDS)

    async def keep(self) -> None:
        """What this process does at each of its beats: it looks for dead ones and after the file."""
        await self._keeper.round()
        if self._advance_ended:
            await self._writer.run(events.end_advance)
            self._advance_ended = False

    async def begin(self, state: ServerState) -> ServerState | None:
        return await self._writer.run(whole.begin, state)

    async def put_state(self, state: ServerState) -> None:
        await self._writer.run(Transaction.put_state, state)

    async def close(self) -> None:
        if not self._connected:
            return
        await self._rounds.stop()
        with suppress(StoreUnavailable):
            await self._writer.run(events.take_over, self._process.name)
        await self._reader.close()
        self._writer.connection.close()

    # what a process knows without waiting, and how it is kept up to date

    async def count_request(self, provider: str, account: str) -> int:
        return await self._writer.run(journal.count_request, provider, account)

    async def refresh(self) -> None:
        await self._follower.look()

    def may_be_due(self, now: float) -> bool:
        return self._process.first_end <= now

    async def watch(self, wanted: bool) -> None:
        self._process.watches = wanted
        await self._writer.run(events.note_watch)

    async def announce_control(self, path: str) -> None:
        await self._writer.run(Transaction.tell, "control", path)

    # generations and their money

    async def submit(self, job: Job, now: float, plan: Callable[[Job, float, int, int], Task]) -> Task:
        return await self._writer.run(generations.submit, job, now, plan)

    async def settle(self, task: Task, deliveries: Sequence[Delivery] = ()) -> bool:
        return await self._writer.run(generations.settle, task, deliveries)

    async def task(self, task_id: str) -> Task | None:
        return await self._writer.read(generations.task_of, task_id)

    async def is_open(self, task_id: str) -> bool:
        return await self._writer.read(generations.is_open, task_id)

    async def traced(self, provider: str, account: str, trace_id: str) -> Task | None:
        return await self._writer.read(generations.named, provider, account, generations.TRACE, trace_id)

    async def replayed(self, provider: str, account: str, idempotency_key: str) -> Task | None:
        return await self._writer.read(generations.named, provider, account, generations.REPLAY, idempotency_key)

    async def account(self, provider: str, account: str) -> Account:
        kept = await self._writer.read(read_account, provider, account)
        return (kept.row if kept is not None else self._process.new_row(provider, account)).value()

    async def usage(self, provider: str, account: str) -> tuple[Usage, ...]:
        return await self._reader.read(generations.usage_of, provider, account)

    async def check_money(self, job: Job, now: float) -> None:
        await self._writer.run(accounts.check_money, job, now)

    async def admit(self, provider: str, account: str, now: float) -> None:
        await self._writer.run(accounts.admit, provider, account, now)

    async def change_account(self, provider: str, account: str, change: AccountChange, now: float) -> Account:
        return await self._writer.run(accounts.change_account, provider, account, change, now)

    # callbacks

    async def delivery(self, delivery_id: str) -> Delivery | None:
        return await self._writer.read(callbacks.delivery_by_id, delivery_id)

    async def delivery_of(self, task_id: str) -> Delivery | None:
        return await self._writer.read(callbacks.delivery_of, task_id)

    async def update_delivery(self, before: Delivery, after: Delivery) -> bool:
        return await self._writer.run(callbacks.update_delivery, before, after)

    # events

    async def next_due(self) -> float | None:
        return await self._writer.read(events.next_due, self._process.name)

    async def claim_due(self, now: float) -> Event | None:
        if self._advancing or await self._writer.read(events.is_due, now):
            return await self._writer.run(events.claim_first, now)
        return None

    async def claim_more(self, kind: EventKind, until: float, most: int) -> Sequence[Event]:
        return await self._writer.run(events.claim_more, kind, until, most)

    async def claim_ends(self, now: float) -> Sequence[Event]:
        if self.may_be_due(now) or await self._writer.read(events.is_end_due, now):
            return await self._writer.run(events.claim_ends, now)
        return ()

    async def begin_advance(self) -> bool:
        self._advancing = await self._writer.run(events.begin_advance)
        return self._advancing

    async def end_advance(self) -> None:
        if not self._advancing:
            return
        self._advancing = False
        try:
            await self._writer.run(events.end_advance)
        except StoreUnavailable:
            self._advance_ended = True

    async def claimed_elsewhere(self) -> Sequence[str]:
        return await self._writer.read(events.claimed_elsewhere, self._process.name)

    async def put_clock(self, state: ClockState) -> None:
        await self._writer.run(whole.put_clock, state)

    async def plan_alarm(self, due: float, name: str) -> None:
        await self._writer.run(events.plan_alarm, due, name)

    async def drop_alarm(self, name: str) -> None:
        await self._writer.run(events.drop_alarm, name)

    # the journal

    async def open_entry(self, exchange: Exchange) -> bool:
        seq = await self._writer.run(journal.open_entry, exchange)
        if seq is None:
            return False
        if len(self._arrived) >= self.bounds.requests:  # the file has dropped it, too
            del self._arrived[next(iter(self._arrived))]
        self._arrived[id(exchange)] = exchange, seq
        return True

    async def close_entry(self, opened: Exchange, closed: Exchange) -> None:
        _, seq = self._arrived.pop(id(opened), (None, None))
        if seq is not None:
            await self._writer.run(journal.close_entry, seq, closed)

    async def entry(self, request_id: str) -> Exchange | None:
        exchange = await self._writer.read(journal.entry_by_id, request_id)
        return self._as_they_are([exchange])[0] if exchange is not None else None

    def _as_they_are(self, kept: list[Exchange]) -> list[Exchange]:
        """Entries; those that this process is answering are as their handlers have filled them in so far."""
        live = {exchange.id: exchange for exchange, _ in self._arrived.values()}
        return [replace(live[one.id]) if one.status is None and one.id in live else one for one in kept]

    # lists and counts

    async def tasks(self, wanted: Wanted[Task], limit: int, cursor: str | None = None) -> Page[Task]:
        return await self._reader.read(lists.page, lists.TASKS, wanted, limit, cursor)

    async def deliveries(self, wanted: Wanted[Delivery], limit: int, cursor: str | None = None) -> Page[Delivery]:
        return await self._reader.read(lists.page, lists.DELIVERIES, wanted, limit, cursor)

    async def entries(self, wanted: Wanted[Exchange], limit: int, cursor: str | None = None) -> Page[Exchange]:
        found, following = await self._reader.read(lists.page, lists.ENTRIES, wanted, limit, cursor)
        return self._as_they_are(found), following

    async def accounts(self, wanted: Wanted[Account], limit: int, cursor: str | None = None) -> Page[Account]:
        return await self._reader.read(lists.accounts, wanted, limit, cursor)

    async def kept(self) -> Mapping[str, Kept]:
        return await self._writer.read(lists.kept, self.bounds)

    async def pending(self) -> Pending:
        return await self._writer.read(lists.pending)

    # all of it

    async def reset(self, state: ServerState) -> None:
        await self._change_apart(whole.reset, state)

    async def reset_account(self, account: str) -> list[str]:
        return await self._change_apart(whole.reset_account, account)

    async def dump(self) -> Records:
        return await self._reader.read(whole.dump_all, self._process.rule_form)

    async def load(self, records: Records, state: ServerState) -> None:
        need_amounts(*[amount for row in records.accounts for amount in (row.opening, row.quota)], 0)
        await self._change_apart(whole.load_all, records, state)

    async def _change_apart(self, change: Callable[..., T], *args: object) -> T:
        """Change what may be much, in a thread, while calls that change something wait."""
        self._writer.patient = True
        try:
            done: tuple[T, InForce] = await self._reader.write(whole.apart, self._process, change, *args)
        finally:
            self._writer.patient = False
        self._process.copy.put(done[1])
        return done[0]
