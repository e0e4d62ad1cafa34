"""A shared store does what the memory store does, whatever is asked of it in whatever order."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.store.driven import Driven
from engine.store.test_store import STATE, STORES, NewStore, Rule, callback, exchange, in_memory, opening
from engine.world import T0, job
from mockserver.engine.callbacks import DOCUMENTED, Attempt, Delivery, Outcome, State
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import AccountChange, RateLimit
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.sinks import Received, Reply
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.engine.tasks import Failure, Idempotency, Job, Task

DAY = 86_400.0
WHATEVER: Wanted[Any] = Wanted()
OTHERS = [store for store in STORES if store.id != "memory"]

accounts = st.sampled_from(["acct_1", "acct_2", "acct_3", "acct_4"])
providers = st.sampled_from(["studio", "lab"])
amounts = st.sampled_from([0, 1, 25, 400, 1000])
instants = st.sampled_from([T0 - 1, T0, T0 + 1.5, T0 + 10, T0 + 31 * DAY])
places = st.integers(0, 7)
names = st.sampled_from([None, "a", "b"])

changes = st.builds(
    AccountChange,
    balance=st.none() | amounts,
    sets_quota=st.booleans(),
    quota=st.none() | amounts,
    sets_rate_limit=st.booleans(),
    rate_limit=st.none() | st.builds(RateLimit, st.integers(0, 2), st.sampled_from([1.0, 60.0])),
)

moves = st.one_of(
    st.tuples(st.just("submit"), providers, accounts, amounts, instants, st.booleans(), names, names),
    st.tuples(st.just("submit"), providers, accounts, amounts, instants, st.booleans(), names, names),
    st.tuples(st.just("settle"), places, st.booleans(), st.sampled_from(["", "plain", "captured", "held", "copied"])),
    st.tuples(st.just("settle"), places, st.booleans(), st.sampled_from(["", "plain", "captured", "held", "copied"])),
    st.tuples(st.just("update"), places, st.sampled_from(["failed", "delivered", "again", "under way", "released"])),
    st.tuples(st.just("claim"), instants, st.booleans()),
    st.tuples(st.just("more"), st.sampled_from(["finish", "attempt"]), instants, st.integers(1, 3)),
    st.tuples(st.just("admit"), providers, accounts, instants),
    st.tuples(st.just("check"), providers, accounts, amounts, instants),
    st.tuples(st.just("change"), providers, accounts, changes, instants),
    st.tuples(st.just("count"), providers, accounts | st.just("")),
    st.tuples(st.just("entry"), places, accounts, st.booleans()),
    st.tuples(st.just("rule"), places, st.none() | accounts),
    st.tuples(st.just("match"), places),
    st.tuples(st.just("sink"), names, st.booleans()),
    st.tuples(st.just("forget"), accounts),
    st.tuples(st.just("reset")),
    st.tuples(st.just("reload")),
)


@dataclass
class World:
    """A store, and what was made in it."""

    store: Driven
    tasks: list[Task] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)
    entries: dict[str, Exchange] = field(default_factory=dict)
    may_be_due: bool = False

    def make(self, move: tuple[Any, ...]) -> Any:
        """Make a move; what it answered."""
        try:
            return getattr(self, move[0])(*move[1:])
        except Problem as problem:
            return problem.kind, problem.detail, problem.retry_after

    def submit(
        self, provider: str, account: str, cost: int, now: float, stuck: bool, trace: str | None, key: str | None
    ) -> Task:
        asked = job(
            provider=provider,
            account=account,
            cost=cost,
            stuck=stuck,
            trace_id=trace,
            idempotency=Idempotency(key, "body") if key else None,
        )

        def plan(asked: Job, now: float, number: int, draws: int) -> Task:
            due = now + 3
            return Task(f"{account} {number} {draws}", asked, now, inf if asked.stuck else due, due, asked.failure)

        task: Task = self.store.submit(asked, now, plan)
        self.tasks.append(task)
        return task

    def settle(self, place: int, fails: bool, kind: str) -> Any:
        if not self.tasks:
            return None
        task = self.tasks[-1 - place % len(self.tasks)]
        task = task.ended(T0 + 4, Failure(Kind.FAILED) if fails else None)
        deliveries = _callbacks(task, kind, len(self.deliveries))
        settled = self.store.settle(task, deliveries)
        self.deliveries += [delivery.id for delivery in deliveries]
        return settled, self.store.task(task.id), self.store.is_open(task.id), self.store.delivery_of(task.id)

    def update(self, place: int, how: str) -> Any:
        if not self.deliveries:
            return None
        before = self.store.delivery(self.deliveries[-1 - place % len(self.deliveries)])
        return before and (self.store.update_delivery(before, _after(before, how)), self.store.delivery(before.id))

    def claim(self, now: float, attempts: bool) -> Any:
        """Claim what is due; the ends of tasks are settled, as they always are."""
        due, first = self.store.next_due(), self.store.claim_due(now) if attempts else None
        events = [first] if first is not None else []
        while not attempts and (ends := self.store.claim_ends(now)):
            events += ends
        return due, events, self._settle_all(events)

    def more(self, kind: str, until: float, most: int) -> Any:
        """Claim what comes next of a kind."""
        events = list(self.store.claim_more(kind, until, most))
        settled = self._settle_all(events)
        self.may_be_due = self.store.may_be_due(until)
        return events, settled

    def _settle_all(self, events: list[Any]) -> Any:
        tasks = [self.store.task(name) for _, kind, name in events if kind == "finish"]
        return [task and self.store.settle(task) for task in tasks]

    def admit(self, provider: str, account: str, now: float) -> Any:
        return self.store.admit(provider, account, now)

    def check(self, provider: str, account: str, cost: int, now: float) -> Any:
        return self.store.check_money(job(provider=provider, account=account, cost=cost), now)

    def change(self, provider: str, account: str, change: AccountChange, now: float) -> Any:
        return self.store.change_account(provider, account, change, now)

    def count(self, provider: str, account: str) -> Any:
        return self.store.count_request(provider, account)

    def entry(self, place: int, account: str, closes: bool) -> Any:
        name = f"r{place}"
        if not closes and self.store.entry(name) is None:
            self.entries[name] = exchange(name, account)
            return self.store.open_entry(self.entries[name]), self.store.entry(name)
        if name in self.entries:
            self.store.close_entry(self.entries[name], replace(self.entries[name], status=200))
        return self.store.entry(name)

    def rule(self, place: int, account: str | None) -> Any:
        if place % 2:
            return self.store.steering.remove_rules({f"fault-{place}"}), self.store.steering.rules()
        return self.store.steering.add_rule(lambda number: Rule(f"fault-{number}", account))

    def match(self, place: int) -> Any:
        rule = f"fault-{place}"
        fired = self.store.steering.count_match(rule, lambda counts: counts.matched % 2 == 0)
        return fired, self.store.steering.rule_counts(rule)

    def sink(self, name: str | None, puts: bool) -> Any:
        if puts:
            self.store.steering.put_sink(name or "", [Reply(500)])
            return self.store.steering.sinks()
        return self.store.steering.deliver(name or "", Received(T0, {}, "")), self.store.steering.sink(name or "")

    def forget(self, account: str) -> Any:
        return sorted(self.store.reset_account(account))

    def reset(self) -> Any:
        self.store.reset(STATE)

    def reload(self) -> Any:
        self.store.load(self.store.dump(), STATE)

    def everything(self) -> Any:
        """All that the store tells of itself."""
        store, all_of = self.store, WHATEVER
        lists = [
            list_of(all_of, EVERYTHING) for list_of in (store.tasks, store.deliveries, store.entries, store.accounts)
        ]
        owners = [(provider, account) for provider in ("studio", "lab") for account in ("acct_1", "acct_2", "acct_3")]
        named = [find(*owner, name) for owner in owners for name in "ab" for find in (store.traced, store.replayed)]
        return store.dump(), store.kept(), store.pending(), lists, named


def _callbacks(task: Task, kind: str, number: int) -> list[Delivery]:
    if not kind:
        return []
    first = callback(task, f"cb {number}")
    if kind == "captured":
        first = replace(first, state=State.CAPTURED, next_attempt=None)
    if kind == "held":
        first = replace(first, held_back=True, next_attempt=task.due + 60)
    return [first, replace(first, id=f"cb {number} again")] if kind == "copied" else [first]


def _after(before: Delivery, how: str) -> Delivery:
    match how:
        case "failed" | "delivered":
            outcome = Outcome(500 if how == "failed" else 200, 0.0)
            return before.concluded(Attempt(T0, outcome), T0 + 5, DOCUMENTED)
        case "again":
            return replace(before, state=State.WAITING, failures=0, next_attempt=T0 + 6)
        case "under way":
            return replace(before, under_way=Attempt(T0, Outcome(200, 1.0)), next_attempt=T0 + 7)
    return replace(before, held_back=False)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(moves, max_size=40))
@pytest.mark.parametrize("make_store", OTHERS)
def test_every_sequence_of_moves_gives_what_it_gives_in_memory(
    request: pytest.FixtureRequest, make_store: NewStore, steps: list[tuple[Any, ...]]
) -> None:
    bounds = {"tasks": 4, "callbacks": 3, "accounts": 3, "requests": 3}
    with opening(request, in_memory) as new, opening(request, make_store) as new_other:
        _compare(new, new_other, steps, bounds)


def _compare(
    new: Callable[..., Driven], new_other: Callable[..., Driven], steps: list[tuple[Any, ...]], bounds: dict[str, int]
) -> None:
    world, other = World(new(**bounds)), World(new_other(**bounds))
    for step in steps:
        assert (step, other.make(step)) == (step, world.make(step))
        assert other.may_be_due or not world.may_be_due  # a shared store may say so of what has just ended
    assert other.everything() == world.everything()
