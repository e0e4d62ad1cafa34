"""The default store: dictionaries in this process.

Nothing in here suspends, so that each verb is one transaction; only `dump` and `load` work in a thread, and take and
replace everything at one instant all the same.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import Account, AccountChange, AccountRow, Usage
from mockserver.engine.pieces import Container, free_in_pieces
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.schedule import Event, EventKind, Schedule
from mockserver.engine.sinks import SINKS_KEPT
from mockserver.engine.store import (
    DRAWS,
    Bounds,
    Kept,
    Listener,
    Page,
    Pending,
    Records,
    Wanted,
    with_attempts_under_way,
)
from mockserver.engine.store.accounts import AccountTable
from mockserver.engine.store.names import Names
from mockserver.engine.store.steering import MemorySteering
from mockserver.engine.store.table import EntryTable, Table
from mockserver.engine.tasks import Job, Task


class MemoryStore:
    """`Store` without anything behind it. `opening` is what a new account has, in minor units, by provider."""

    def __init__(self, opening: Mapping[str, int], bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.shared = False
        self._opening = opening
        self._terms: Mapping[tuple[str, str], AccountChange] = {}
        self._clear()

    def _clear(self) -> None:
        bounds = self.bounds
        self._schedule = Schedule()
        self._tasks = Table[Task](
            bounds.tasks, lambda task: (task.job.provider, task.job.account), lambda task: self._names.forget(task)
        )
        self._months: dict[str, str] = {}
        """The month whose quota an open task's money counts towards; tasks of accounts without a quota are left out."""

        self._names = Names()
        self._deliveries = Table[Delivery](
            bounds.callbacks, lambda delivery: (delivery.provider, delivery.account), self._forget_delivery
        )
        self._delivery_of: dict[str, str] = {}
        self._held_back: dict[str, list[str]] = {}
        self._entries = EntryTable(bounds.requests)
        self._accounts = AccountTable(bounds.accounts, self._new_row)
        self._anonymous_requests = 0
        self.steering = MemorySteering()

    # its life, and other processes, of which there are none

    async def open(self, listener: Listener) -> None:
        """There is nothing to connect to, and no other process to hear of."""

    async def begin(self, state: ServerState) -> None:
        """It has nothing from before: the process goes on with its own state."""

    async def put_state(self, state: ServerState) -> None:
        """The process itself has the state."""

    async def close(self) -> None:
        """There is nothing to disconnect from."""

    async def refresh(self) -> None:
        """Nobody else has changed anything."""

    async def watch(self, wanted: bool) -> None:
        return

    async def announce_control(self, path: str) -> None:
        """There is no other process to tell."""

    async def begin_advance(self) -> bool:
        return True

    async def end_advance(self) -> None:
        """No other process waits for it."""

    async def claimed_elsewhere(self) -> Sequence[str]:
        return ()

    async def put_clock(self, state: ClockState) -> None:
        """The process itself has the clock."""

    async def plan_alarm(self, due: float, name: str) -> None:
        """The process itself has its alarms."""

    async def drop_alarm(self, name: str) -> None:
        """The process itself has its alarms."""

    # generations and their money

    async def submit(self, job: Job, now: float, plan: Callable[[Job, float, int, int], Task]) -> Task:
        row = self._accounts.open(job.provider, job.account)
        row.check(job.cost, now)
        bound = self.bounds.tasks
        if len(self._schedule.ends) >= bound:
            raise Problem(Kind.UNAVAILABLE, f"{bound} generations are under way, as many as --keep-tasks allows")
        taken, draws = self._tasks.rows, 0
        task = plan(job, now, row.submissions, 0)
        while task.id in taken:
            draws += 1
            if draws == DRAWS:
                raise Problem(Kind.UNAVAILABLE, "no task id is free")
            task = plan(job, now, row.submissions, draws)
        row.submissions += 1
        name = task.id
        if month := row.hold(job.cost, now):
            self._months[name] = month
        self._tasks.add(name, task, job.provider, job.account)
        if job.trace_id or job.idempotency:
            self._names.remember(task)
        if job.stuck:
            self._schedule.ends.keep(name)
        else:
            self._schedule.plan_end(task.due, name)
        return task

    async def settle(self, task: Task, deliveries: Sequence[Delivery] = ()) -> bool:
        name, job = task.id, task.job
        if not self._schedule.ends.discard(name):
            return False
        month = self._months.pop(name, "") if self._months else ""
        row = self._accounts.open(job.provider, job.account)
        if task.failure:
            row.release(job.cost, month)
        else:
            row.capture(Usage(task.due, task, job.cost))
        self._tasks.rows[name] = task
        self._tasks.retire(name)
        if deliveries:
            self._open_deliveries(deliveries, task.due)
        return True

    async def task(self, task_id: str) -> Task | None:
        return self._tasks.rows.get(task_id)

    async def is_open(self, task_id: str) -> bool:
        return task_id in self._schedule.ends

    async def traced(self, provider: str, account: str, trace_id: str) -> Task | None:
        return self._tasks.rows.get(self._names.traced(provider, account, trace_id))

    async def replayed(self, provider: str, account: str, idempotency_key: str) -> Task | None:
        return self._tasks.rows.get(self._names.replayed(provider, account, idempotency_key))

    # accounts

    def set_terms(self, terms: Mapping[tuple[str, str], AccountChange]) -> None:
        self._terms = terms

    def _new_row(self, provider: str, account: str) -> AccountRow:
        opening = self._opening[provider]
        row = AccountRow(provider, account, opening, opening)
        if self._terms:
            for owner in ("", account):
                if (terms := self._terms.get((provider, owner))) is not None:
                    row.change(terms, 0.0)
        return row

    async def account(self, provider: str, account: str) -> Account:
        row = self._accounts.row(provider, account) or self._new_row(provider, account)
        return row.value()

    async def usage(self, provider: str, account: str) -> tuple[Usage, ...]:
        row = self._accounts.row(provider, account)
        return tuple(row.usage) if row is not None else ()

    async def check_money(self, job: Job, now: float) -> None:
        self._accounts.open(job.provider, job.account).check(job.cost, now)

    async def admit(self, provider: str, account: str, now: float) -> None:
        row = self._accounts.row(provider, account)
        if row is not None and row.rate_limit is not None:
            row.admit(now)

    async def change_account(self, provider: str, account: str, change: AccountChange, now: float) -> Account:
        row = self._accounts.open(provider, account)
        row.change(change, now)
        return row.value()

    async def count_request(self, provider: str, account: str) -> int:
        if account:
            row = self._accounts.open(provider, account)
            row.requests += 1
            return row.requests
        self._anonymous_requests += 1
        return self._anonymous_requests

    # callbacks

    def _open_deliveries(self, deliveries: Sequence[Delivery], now: float) -> None:
        first = deliveries[0]
        for delivery in deliveries:
            self._deliveries.add(delivery.id, delivery, delivery.provider, delivery.account)
            if delivery.ended:
                self._deliveries.retire(delivery.id)
            elif delivery.next_attempt is not None:
                self._schedule.plan_attempt(delivery.next_attempt, delivery.id)
        self._delivery_of[first.task_id] = first.id
        if first.held_back:
            self._held_back.setdefault(first.account, []).extend(delivery.id for delivery in deliveries)
        else:
            self._release_held_back(first, max(now, first.next_attempt or now))

    def _release_held_back(self, ahead: Delivery, due: float) -> None:
        """Plan the callbacks that were held back for an account, now that another one of it goes first."""
        for name in self._held_back.pop(ahead.account, ()):
            delivery = self._deliveries.rows.get(name)
            if delivery is not None and delivery.held_back:
                self._update_delivery(delivery, replace(delivery, held_back=False, next_attempt=due))

    async def delivery(self, delivery_id: str) -> Delivery | None:
        return self._deliveries.rows.get(delivery_id)

    async def delivery_of(self, task_id: str) -> Delivery | None:
        return self._deliveries.rows.get(self._delivery_of.get(task_id, ""))

    async def update_delivery(self, before: Delivery, after: Delivery) -> bool:
        return self._update_delivery(before, after)

    def _update_delivery(self, before: Delivery, after: Delivery) -> bool:
        name = before.id
        if self._deliveries.rows.get(name) is not before:
            return False
        if before.ended:
            self._deliveries.reopen(name, after)
        else:
            self._deliveries.rows[name] = after
        if after.ended:
            self._deliveries.retire(name)
            self._schedule.attempts.discard(name)
        elif after.next_attempt is not None and (before.ended or after.next_attempt != before.next_attempt):
            self._schedule.plan_attempt(after.next_attempt, name)
        return True

    def _forget_delivery(self, delivery: Delivery) -> None:
        if self._delivery_of.get(delivery.task_id) == delivery.id:
            del self._delivery_of[delivery.task_id]

    # events

    def may_be_due(self, now: float) -> bool:
        return self._schedule.ends.is_due(now)

    async def next_due(self) -> float | None:
        return self._schedule.next_due()

    async def claim_due(self, now: float) -> Event | None:
        return self._schedule.claim_due(now)

    async def claim_ends(self, now: float) -> Sequence[Event]:
        event = self._schedule.claim_end(now)
        return (event,) if event is not None else ()

    async def claim_more(self, kind: EventKind, until: float, most: int) -> Sequence[Event]:
        return self._schedule.claim_more(kind, until, most)

    # the journal

    async def entry(self, request_id: str) -> Exchange | None:
        return self._entries.entry(request_id)

    async def open_entry(self, exchange: Exchange) -> bool:
        if exchange.id in self._entries.rows:
            return False
        self._entries.add(exchange.id, exchange)
        return True

    async def close_entry(self, opened: Exchange, closed: Exchange) -> None:
        if self._entries.rows.get(opened.id) is opened:
            self._entries.rows[opened.id] = closed

    # lists and counts

    async def tasks(self, wanted: Wanted[Task], limit: int, cursor: str | None = None) -> Page[Task]:
        return self._tasks.page(wanted, limit, cursor)

    async def deliveries(self, wanted: Wanted[Delivery], limit: int, cursor: str | None = None) -> Page[Delivery]:
        return self._deliveries.page(wanted, limit, cursor)

    async def entries(self, wanted: Wanted[Exchange], limit: int, cursor: str | None = None) -> Page[Exchange]:
        return self._entries.page(wanted, limit, cursor)

    async def accounts(self, wanted: Wanted[Account], limit: int, cursor: str | None = None) -> Page[Account]:
        return self._accounts.page(wanted, limit, cursor)

    async def kept(self) -> Mapping[str, Kept]:
        tasks, deliveries, entries, accounts = self._tasks, self._deliveries, self._entries, self._accounts
        return {
            "tasks": Kept(len(tasks.rows), tasks.bound, tasks.dropped),
            "callbacks": Kept(len(deliveries.rows), deliveries.bound, deliveries.dropped),
            "requests": Kept(len(entries.rows), entries.bound, entries.dropped),
            "accounts": Kept(len(accounts.rows), accounts.bound, accounts.dropped),
            "sinks": Kept(self.steering.sinks_kept, SINKS_KEPT, self.steering.sinks_dropped),
        }

    async def pending(self) -> Pending:
        return Pending(len(self._schedule.ends), self._deliveries.unended, len(self._schedule.attempts))

    # all of it

    async def reset(self, state: ServerState) -> None:
        before = self._contents()
        self._clear()
        free_in_pieces(before)

    def _contents(self) -> list[Container]:
        """What holds the records, to be freed when they are kept no longer."""
        tables = [*self._tasks.contents(), *self._deliveries.contents(), *self._schedule.contents()]
        return [self._entries.rows, *tables]

    async def reset_account(self, account: str) -> list[str]:
        tasks = self._tasks.remove_account(account, self._let_go)
        deliveries = self._deliveries.remove_account(account, _ended)
        self._schedule.attempts.discard_all(deliveries)
        for delivery in deliveries.values():
            self._delivery_of.pop(delivery.task_id, None)
        entries = self._entries.remove_account(account)
        for provider in self._opening:
            self._accounts.remove(provider, account)
        self._names.forget_account(account)
        self._held_back.pop(account, None)
        self.steering.forget_account(account)
        names = list(tasks)
        free_in_pieces([tasks, deliveries, entries])
        return names

    def _let_go(self, tasks: Collection[str]) -> int:
        """Let tasks that are being forgotten not end any more. How many of them had ended before."""
        if self._months:
            for name in tasks:
                self._months.pop(name, None)
        return len(tasks) - self._schedule.ends.discard_all(tasks)

    async def dump(self) -> Records:
        return await asyncio.to_thread(self._freeze())

    def _freeze(self) -> Callable[[], Records]:
        """Take all that is kept, as it is now. What is returned makes the records, in any thread."""
        tasks, deliveries = list(self._tasks.rows.values()), list(self._deliveries.rows.values())
        accounts = [row.copy() for row in self._accounts.rows.values()]
        months, schedule = self._months.copy(), self._schedule.copy()
        anonymous, steering = self._anonymous_requests, self.steering.dump()

        def records() -> Records:
            planned = with_attempts_under_way(list(schedule.planned()), deliveries)
            held_with_months = [(name, months.get(name, "")) for name in schedule.ends.names()]
            return Records(tasks, deliveries, accounts, held_with_months, planned, anonymous, steering)

        return records

    async def load(self, records: Records, state: ServerState) -> None:
        prepared = await asyncio.to_thread(self._prepared, records)
        prepared._accounts.new_row = self._new_row
        before = self._contents()
        vars(self).update({**vars(prepared), "_terms": self._terms})
        free_in_pieces(before)

    def _prepared(self, records: Records) -> "MemoryStore":
        prepared = MemoryStore(self._opening, self.bounds)
        prepared._fill(records)
        return prepared

    def _fill(self, records: Records) -> None:
        self._months = {name: month for name, month in records.held if month}
        for name, _ in records.held:
            self._schedule.ends.keep(name)
        self._anonymous_requests = records.anonymous_requests
        self.steering.load(records.steering)
        for row in records.accounts:
            self._accounts.put(row.copy())
        for task in records.tasks:
            self._tasks.add(task.id, task, task.job.provider, task.job.account)
            self._names.remember(task)
            if task.id not in self._schedule.ends:
                self._tasks.retire(task.id)
        for delivery in records.deliveries:
            self._deliveries.add(delivery.id, delivery, delivery.provider, delivery.account)
            self._delivery_of.setdefault(delivery.task_id, delivery.id)
            if delivery.held_back:
                self._held_back.setdefault(delivery.account, []).append(delivery.id)
            if delivery.ended:
                self._deliveries.retire(delivery.id)
        for due, kind, name in records.planned:
            (self._schedule.plan_end if kind == "finish" else self._schedule.plan_attempt)(due, name)


def _ended(deliveries: Mapping[str, Delivery]) -> int:
    return sum(delivery.ended for delivery in deliveries.values())
