"""What every store must do, whatever it keeps its records in: a new one is added to STORES."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.store.driven import Driven
from engine.world import PLAIN, T0, job
from mockserver.engine.callbacks import DOCUMENTED, Attempt, Delivery, Outcome, State
from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import Account, AccountChange, RateLimit, Usage
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.sinks import SINKS_KEPT, Received, Reply, Sink
from mockserver.engine.store import Bounds, Kept, Pending, Records, Store, Wanted
from mockserver.engine.store.codec import RuleForm
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.store.sqlite import SqliteStore
from mockserver.engine.store.sqlite.file import Place
from mockserver.engine.store.steering import RuleCounts, SteeringRecords
from mockserver.engine.tasks import Failure, Idempotency, Job, Task
from support.valkey import Valkey


@dataclass(frozen=True)
class Rule:
    """A fault rule as a store knows it."""

    id: str
    account: str | None = None


RULE_FORM = RuleForm(lambda rule: {"account": rule.account}, lambda name, fields: Rule(name, fields["account"]))


class NewStore(Protocol):
    def __call__(self, request: pytest.FixtureRequest, opening: Mapping[str, int], bounds: Bounds) -> Store: ...


def in_memory(request: pytest.FixtureRequest, opening: Mapping[str, int], bounds: Bounds) -> Store:
    return MemoryStore(opening, bounds)


def in_a_file(request: pytest.FixtureRequest, opening: Mapping[str, int], bounds: Bounds) -> Store:
    directory = request.getfixturevalue("tmp_path_factory").mktemp("store")
    return SqliteStore(Place(directory / "store.db"), opening, bounds, RULE_FORM)


def on_valkey(request: pytest.FixtureRequest, opening: Mapping[str, int], bounds: Bounds) -> Store:
    server: Valkey = request.getfixturevalue("valkey")
    from mockserver.engine.store.redis import RedisStore

    return RedisStore(server.url(), opening, bounds, RULE_FORM)


STORES = [
    pytest.param(in_memory, id="memory"),
    pytest.param(in_a_file, id="sqlite"),
    pytest.param(on_valkey, id="valkey"),
]
"""A `NewStore` for each kind, which makes an empty store; marks say what it needs."""

OPENING = {"studio": 1000, "lab": 50}
STATE = ServerState(ClockState("virtual", T0, 0.0), "test", seeded=True, autojump=False)
FAILED = Failure(Kind.FAILED)
OK = Outcome(200, 0.0)


@contextmanager
def opening(request: pytest.FixtureRequest, make_store: NewStore) -> Iterator[Callable[..., Driven]]:
    """Makes stores with bounds, opened; in the end they are closed. All run in one event loop."""
    with asyncio.Runner() as runner:
        made: list[Store] = []

        def make(**bounds: int) -> Driven:
            store = make_store(request, OPENING, Bounds(**bounds))
            runner.run(store.open(lambda change: None))
            made.append(store)
            assert runner.run(store.begin(STATE)) is None
            return Driven(store, runner.run)

        try:
            yield make
        finally:
            for store in made:
                runner.run(store.close())


@pytest.fixture(params=STORES)
def new(request: pytest.FixtureRequest) -> Iterator[Callable[..., Driven]]:
    """Makes a store with bounds."""
    with opening(request, request.param) as make:
        yield make


@pytest.fixture
def store(new: Callable[..., Driven]) -> Driven:
    return new()


def submit(store: Driven, name: str, due: float = T0 + 10, now: float = T0, **changes: Any) -> Task:
    """Submit a job under an id."""
    asked = job(**changes)
    failure = asked.failure
    made = Task(name, asked, now, inf if asked.stuck else due, due, failure)
    task: Task = store.submit(asked, now, lambda *_: made)
    return task


def callback(task: Task, name: str = "", **changes: Any) -> Delivery:
    """The callback of a task that ends, its attempt planned for then."""
    job, url = task.job, "http://127.0.0.1:9/"
    name = name or f"cb {task.id}"
    made = Delivery(name, task.id, job.provider, job.account, url, url, b"{}", task.due, next_attempt=task.due)
    return replace(made, **changes)


def money(store: Driven, account: str = "acct_1", provider: str = "studio") -> tuple[int, int, int]:
    """balance, held and captured, which must add up."""
    seen = store.account(provider, account)
    assert seen.opening == seen.balance + seen.held + seen.captured
    return seen.balance, seen.held, seen.captured


def events(store: Driven, until: float = inf) -> list[tuple[float, str, str]]:
    """Everything that is due, claimed in its order."""
    found: list[tuple[float, str, str]] = []
    while (event := store.claim_due(until)) is not None:
        found.append(event)
    return found


def exchange(name: str, account: str = "", provider: str = "studio") -> Exchange:
    return Exchange(name, T0, provider, account, "GET", "/", {})


def ids(records: list[Any]) -> list[str]:
    return [record.id for record in records]


def dumped(store: Driven) -> Records:
    """All that a store keeps but the journal."""
    records: Records = store.dump()
    return records


# generations and their money


def test_a_submission_holds_its_price_and_is_kept_and_planned(store: Driven) -> None:
    task = submit(store, "a")
    assert (store.task("a"), store.is_open("a"), money(store)) == (task, True, (975, 25, 0))
    assert (store.account("studio", "acct_1").submissions, store.next_due()) == (1, T0 + 10)
    assert store.pending() == Pending(1, 0, 0)
    assert events(store) == [(T0 + 10, "finish", "a")]


def test_a_plan_is_told_the_number_of_the_generation_and_of_the_draw(store: Driven) -> None:
    asked: list[tuple[int, int]] = []

    def plan(_: Job, now: float, number: int, draws: int) -> Task:
        asked.append((number, draws))
        return Task("a" if draws < 2 else "b", PLAIN, now, T0, T0, None)

    assert ids([store.submit(PLAIN, T0, plan), store.submit(PLAIN, T0, plan)]) == ["a", "b"]
    assert asked == [(0, 0), (1, 0), (1, 1), (1, 2)]


def test_when_no_id_is_free_nothing_has_happened(store: Driven) -> None:
    submit(store, "a")
    with pytest.raises(Problem, match="no task id is free") as refusal:
        submit(store, "a")
    assert (refusal.value.kind, money(store), store.pending().tasks) == (Kind.UNAVAILABLE, (975, 25, 0), 1)


@pytest.mark.parametrize("changes", [{"cost": 1001}, {"provider": "lab", "cost": 51}])
def test_what_the_balance_does_not_cover_is_refused_and_nothing_has_happened(
    store: Driven, changes: dict[str, Any]
) -> None:
    with pytest.raises(Problem) as refusal:
        submit(store, "a", **changes)
    assert refusal.value.kind is Kind.OUT_OF_BALANCE
    assert (store.task("a"), store.next_due(), store.account("studio", "acct_1").submissions) == (None, None, 0)


@pytest.mark.parametrize(("failure", "after"), [(None, (975, 0, 25)), (FAILED, (1000, 0, 0))])
def test_a_task_is_settled_once(store: Driven, failure: Failure | None, after: tuple[int, int, int]) -> None:
    task = submit(store, "a", failure=failure)
    assert [store.settle(task), store.settle(task), store.settle(replace(task, id="never there"))] == [
        True,
        False,
        False,
    ]
    assert (money(store), store.is_open("a"), store.task("a"), store.next_due()) == (after, False, task, None)
    assert store.usage("studio", "acct_1") == (() if failure else (Usage(T0 + 10, task, 25),))


def test_a_task_ends_as_it_is_settled(store: Driven) -> None:
    task = submit(store, "a")
    cancelled = task.ended(T0 + 3, Failure(Kind.CANCELLED))
    assert store.settle(cancelled)
    assert (store.task("a"), money(store), events(store)) == (cancelled, (1000, 0, 0), [])


def test_a_stuck_task_is_not_planned(store: Driven) -> None:
    submit(store, "a", stuck=True)
    assert (store.next_due(), store.pending().tasks) == (None, 1)


def test_the_money_of_a_job_can_be_looked_at_before(store: Driven) -> None:
    store.check_money(job(cost=1000), T0)
    with pytest.raises(Problem):
        store.check_money(job(cost=1001), T0)
    assert money(store) == (1000, 0, 0)


MOVES = st.tuples(st.sampled_from(["submit", "settle", "fail"]), st.sampled_from("abcd"), st.integers(0, 500))


@settings(deadline=None)
@given(st.lists(MOVES, max_size=40))
@pytest.mark.parametrize("make_store", STORES)
def test_every_sequence_of_moves_adds_up(
    request: pytest.FixtureRequest, make_store: NewStore, moves: list[tuple[str, str, int]]
) -> None:
    with opening(request, make_store) as new:
        add_up(new(), moves)


def add_up(store: Driven, moves: list[tuple[str, str, int]]) -> None:
    """Make the moves, and compare the money with a ledger of their own."""
    held: dict[str, Task] = {}
    captured = number = 0
    for move, name, amount in moves:
        if move == "submit" and name not in held:
            number += 1
            covered = amount <= 1000 - captured - sum(task.job.cost for task in held.values())
            try:
                held[name] = submit(store, f"{name} {number}", cost=amount)
            except Problem:
                assert not covered
            else:
                assert covered
        elif move != "submit" and name in held:
            task = held.pop(name)
            assert store.settle(replace(task, failure=FAILED if move == "fail" else None))
            captured += task.job.cost if move == "settle" else 0
        on_hold = sum(task.job.cost for task in held.values())
        assert money(store) == (1000 - on_hold - captured, on_hold, captured)


# accounts


def test_looking_at_an_account_does_not_open_it(store: Driven) -> None:
    assert store.account("lab", "acct_1") == Account("lab", "acct_1", 50, 50)
    store.admit("lab", "acct_1", T0)
    assert (store.usage("lab", "acct_1"), store.kept()["accounts"].count) == ((), 0)


def test_requests_are_counted_by_account_and_together_without_one(store: Driven) -> None:
    asked = [("studio", "acct_1"), ("studio", ""), ("lab", "acct_1"), ("lab", ""), ("studio", "acct_1")]
    assert [store.count_request(*owner) for owner in asked] == [1, 1, 1, 2, 2]
    assert store.kept()["accounts"].count == 2


def test_an_account_is_changed_as_far_as_it_is_named(store: Driven) -> None:
    store.change_account("studio", "acct_1", AccountChange(10, True, 7, True, RateLimit(1, 60.0)), T0)
    changed = store.change_account("studio", "acct_1", AccountChange(balance=20), T0)
    assert changed == Account("studio", "acct_1", 20, 20, quota=7, rate_limit=RateLimit(1, 60.0))
    store.admit("studio", "acct_1", T0)
    with pytest.raises(Problem) as refusal:
        store.admit("studio", "acct_1", T0 + 59)
    assert (refusal.value.kind, refusal.value.retry_after) == (Kind.RATE_LIMITED, 1.0)


def test_a_failure_gives_back_to_the_quota_of_its_month(store: Driven) -> None:
    store.change_account("studio", "acct_1", AccountChange(sets_quota=True, quota=30), T0)
    task = submit(store, "a")
    with pytest.raises(Problem, match="monthly quota"):
        submit(store, "b")
    store.settle(replace(task, failure=FAILED))
    submit(store, "b")
    submit(store, "c", now=T0 + 31 * 86_400)
    assert money(store) == (950, 50, 0)


def test_the_oldest_account_that_holds_nothing_goes_for_a_new_one(new: Callable[..., Driven]) -> None:
    store = new(accounts=2)
    for number in (1, 2):
        submit(store, f"task {number}", account=f"acct_{number}")
    store.settle(submit(store, "task 3", account="acct_3"))
    store.count_request("studio", "acct_4")
    shown, _ = store.accounts(Wanted(), 10)
    assert (ids(shown), store.kept()["accounts"]) == (["acct_4", "acct_2", "acct_1"], Kept(3, 2, 1))


# names


def test_the_newest_task_has_the_name(store: Driven) -> None:
    for name in ("a", "b"):
        submit(store, name, trace_id="t", idempotency=Idempotency("k", name))
    assert (store.traced("studio", "acct_1", "t"), store.replayed("studio", "acct_1", "k")) == (
        store.task("b"),
        store.task("b"),
    )


@pytest.mark.parametrize(
    "name", ["plain", "/acct_2/", "studio/acct_2/t", "lab/acct_1/x", "", "a\0b", "\udc80", "__class__"]
)
def test_a_name_is_its_accounts_own_at_its_provider(store: Driven, name: str) -> None:
    for number, (provider, account) in enumerate([("studio", "acct_1"), ("studio", "acct_2"), ("lab", "acct_1")]):
        key = Idempotency(name, "body")
        submit(store, str(number), provider=provider, account=account, trace_id=name, idempotency=key, cost=1)
    store.reset_account("acct_2")
    kept = store.replayed("studio", "acct_1", name), store.replayed("lab", "acct_1", name)
    assert [task and task.id for task in kept] == ["0", "2"]
    assert store.replayed("studio", "acct_2", name) is None
    if name:
        assert [store.traced(*owner, name) for owner in (("studio", "acct_1"), ("lab", "acct_1"))] == list(kept)
        assert store.traced("studio", "acct_2", name) is None


def test_a_name_goes_with_its_task(new: Callable[..., Driven]) -> None:
    store = new(tasks=1)
    for name in ("a", "b"):
        store.settle(submit(store, name, trace_id=f"of {name}", idempotency=Idempotency(name, "")))
    assert [store.traced("studio", "acct_1", f"of {name}") is None for name in ("a", "b")] == [True, False]
    assert [store.replayed("studio", "acct_1", name) is None for name in ("a", "b")] == [True, False]


# callbacks


def opened(store: Driven, name: str = "a", **changes: Any) -> Delivery:
    """A callback that was opened with the end of its task."""
    task = submit(store, name, due=T0)
    delivery = callback(task, **changes)
    assert store.settle(task, [delivery])
    return delivery


def test_a_callback_is_opened_with_the_end_of_its_task(store: Driven) -> None:
    delivery = opened(store)
    assert (store.delivery(delivery.id), store.delivery_of("a")) == (delivery, delivery)
    assert (store.pending(), events(store)) == (Pending(0, 1, 1), [(T0, "attempt", "cb a")])


def test_the_first_of_several_copies_is_the_tasks_callback(store: Driven) -> None:
    task = submit(store, "a")
    store.settle(task, [callback(task, "first"), callback(task, "second")])
    found = store.delivery_of("a")
    assert (found and found.id, ids(store.deliveries(Wanted(), 9)[0])) == ("first", ["second", "first"])


def test_a_captured_callback_is_not_planned(store: Driven) -> None:
    opened(store, state=State.CAPTURED, next_attempt=None)
    assert (store.next_due(), store.pending().callbacks) == (None, 0)


def test_an_update_puts_a_value_in_place_of_the_one_that_was_read(store: Driven) -> None:
    before = opened(store)
    assert events(store) == [(T0, "attempt", "cb a")]
    after = before.concluded(Attempt(T0, Outcome(500, 0.0)), T0, DOCUMENTED)
    assert [store.update_delivery(before, after), store.update_delivery(before, after)] == [True, False]
    assert (store.delivery("cb a"), events(store)) == (after, [(T0 + 1, "attempt", "cb a")])
    done = after.concluded(Attempt(T0 + 1, OK), T0 + 1, DOCUMENTED)
    assert store.update_delivery(after, done)
    assert (store.next_due(), store.pending().callbacks) == (None, 0)
    again = replace(done, state=State.WAITING, next_attempt=T0 + 1)
    assert store.update_delivery(done, again)
    assert (events(store), store.pending().callbacks) == ([(T0 + 1, "attempt", "cb a")], 1)


def test_a_callback_that_is_held_back_goes_after_the_next(store: Driven) -> None:
    held = opened(store, "a", held_back=True, next_attempt=T0 + 60)
    other = submit(store, "b", due=T0 + 5, account="acct_2")
    store.settle(other, [callback(other)])
    assert store.delivery(held.id) == held
    ahead = submit(store, "c", due=T0 + 5)
    store.settle(ahead, [callback(ahead)])
    assert store.delivery(held.id) == replace(held, held_back=False, next_attempt=T0 + 5)
    assert [name for _, _, name in events(store)] == ["cb b", "cb c", "cb a"]


def test_a_callback_that_was_held_back_long_enough_is_not_released_again(store: Driven) -> None:
    held = opened(store, "a", held_back=True, next_attempt=T0 + 60)
    store.claim_due(T0 + 60)
    gone = held.concluded(Attempt(T0 + 60, OK), T0 + 60, DOCUMENTED)
    store.update_delivery(held, gone)
    opened(store, "b")
    assert store.delivery(held.id) == gone


# the journal


def test_an_entry_is_there_from_its_arrival_and_then_with_its_answer(store: Driven) -> None:
    arrived, answered = exchange("a"), replace(exchange("a"), status=200)
    store.open_entry(arrived)
    assert store.entry("a") == arrived
    store.close_entry(arrived, answered)
    assert (store.entry("a"), store.entry("b")) == (answered, None)


def test_an_answer_does_not_take_the_place_of_another_request(store: Driven) -> None:
    old, current = exchange("a", "acct_1"), replace(exchange("a", "acct_1"), method="POST")
    store.open_entry(old)
    store.reset_account("acct_1")
    store.open_entry(current)
    store.close_entry(old, replace(old, status=200))
    assert store.entry("a") == current


def test_the_newest_entries_stay(new: Callable[..., Driven]) -> None:
    store = new(requests=2)
    for name in "abc":
        store.open_entry(exchange(name))
    assert (ids(store.entries(Wanted(), 9)[0]), store.kept()["requests"]) == (["c", "b"], Kept(2, 2, 1))


# bounds


def test_of_the_ended_only_the_newest_stay_and_what_has_not_ended_always(new: Callable[..., Driven]) -> None:
    store = new(tasks=2, callbacks=2)
    held = submit(store, "held", stuck=True)
    for name in "abcd":
        opened(store, name, state=State.CAPTURED, next_attempt=None)
    assert ids(store.tasks(Wanted(), 9)[0]) == ["d", "c", "held"]
    assert (store.kept()["tasks"], store.kept()["callbacks"]) == (Kept(3, 2, 2), Kept(2, 2, 2))
    assert (store.task("held"), store.delivery_of("a"), store.delivery_of("b")) == (held, None, None)


def test_no_more_are_held_than_the_bound_and_nothing_is_dropped_for_one(new: Callable[..., Driven]) -> None:
    store = new(tasks=2)
    tasks = [submit(store, name) for name in "ab"]
    with pytest.raises(Problem) as refusal:
        submit(store, "c")
    assert (refusal.value.kind, money(store)) == (Kind.UNAVAILABLE, (950, 50, 0))
    assert [store.task(task.id) for task in tasks] == tasks
    store.settle(tasks[0])
    assert submit(store, "c").id == "c"


def test_what_goes_on_after_all_is_kept_until_it_ends_again(new: Callable[..., Driven]) -> None:
    store = new(callbacks=1)
    first = opened(store, "a", state=State.CAPTURED, next_attempt=None)
    waiting = replace(first, state=State.WAITING, next_attempt=T0)
    store.update_delivery(first, waiting)
    opened(store, "b", state=State.CAPTURED, next_attempt=None)
    assert store.kept()["callbacks"] == Kept(2, 1, 0)
    store.update_delivery(waiting, replace(first))
    assert (ids(store.deliveries(Wanted(), 9)[0]), store.kept()["callbacks"]) == (["cb a"], Kept(1, 1, 1))


def test_many_resets_and_endings_leave_the_bound_where_it_is(new: Callable[..., Driven]) -> None:
    store = new(tasks=10)
    for number in range(5_000):
        store.settle(submit(store, "same", account="acct_2"))
        store.reset_account("acct_2")
        if number % 100 == 0:
            store.settle(submit(store, f"kept {number}", cost=0))
    assert ids(store.tasks(Wanted(), 99)[0]) == [
        f"kept {number}" for number in range(4900, 4000, -100)
    ]  # "same" took a place


# lists


def walk(store: Driven, limit: int, between: Callable[[int], object] = lambda _: None) -> list[str]:
    """Every task by pages of `limit`; `between` is called after each page with its number."""
    found, cursor, number = list[str](), None, 0
    while True:
        page, cursor = store.tasks(Wanted(), limit, cursor)
        found += ids(page)
        if cursor is None:
            return found
        number += 1
        between(number)


def fill(store: Driven, *names: str, **changes: Any) -> list[Task]:
    return [submit(store, name, cost=0, **changes) for name in names]


@settings(deadline=None)
@given(st.integers(0, 20), st.integers(1, 7))
@pytest.mark.parametrize("make_store", STORES)
def test_pages_show_every_record_once_the_newest_first(
    request: pytest.FixtureRequest, make_store: NewStore, count: int, limit: int
) -> None:
    with opening(request, make_store) as new:
        store = new()
        fill(store, *map(str, range(count)))
        assert walk(store, limit) == [str(n) for n in reversed(range(count))]


def test_records_that_come_meanwhile_shift_no_page(store: Driven) -> None:
    fill(store, *"abcdefg")
    assert walk(store, 2, lambda number: fill(store, f"new {number}")) == list("gfedcba")


def test_records_that_go_meanwhile_hide_no_other(store: Driven) -> None:
    fill(store, *"abc")
    fill(store, "d", account="acct_2")
    fill(store, *"efg")
    assert walk(store, 2, lambda _: store.reset_account("acct_2")) == list("gfecba")


def test_a_list_shows_what_is_wanted(store: Driven) -> None:
    fill(store, "a", "b", "c")
    fill(store, "d", "e", account="acct_2")
    fill(store, "f", account="acct_2", provider="lab")
    assert ids(store.tasks(Wanted(accounts=frozenset({"acct_2"})), 9)[0]) == ["f", "e", "d"]
    assert ids(store.tasks(Wanted("studio", frozenset({"acct_2"})), 9)[0]) == ["e", "d"]
    assert ids(store.tasks(Wanted("lab"), 9)[0]) == ["f"]
    assert store.tasks(Wanted(accounts=frozenset({"acct_3"})), 9) == ([], None)
    fill(store, "g", account="acct_3")
    several: Wanted[Task] = Wanted(accounts=frozenset({"acct_1", "acct_3"}))
    assert ids(store.tasks(several, 3)[0]) == ["g", "c", "b"]
    assert ids(store.tasks(several, 3, "b")[0]) == ["a"]
    page, cursor = store.tasks(Wanted(keep=lambda task: task.id in "abe"), 2)
    assert (ids(page), cursor) == (["e", "b"], "b")
    assert ids(store.tasks(Wanted(keep=lambda task: task.id in "abe"), 2, cursor)[0]) == ["a"]


def test_requests_callbacks_and_accounts_are_listed_likewise(store: Driven) -> None:
    for number, account in enumerate(["acct_1", "acct_2", "acct_1"]):
        task = submit(store, str(number), account=account, due=T0)
        store.settle(task, [callback(task)])
        store.open_entry(exchange(f"r{number}", account))
    mine: Wanted[Any] = Wanted("studio", frozenset({"acct_1"}))
    assert ids(store.deliveries(mine, 9)[0]) == ["cb 2", "cb 0"]
    assert ids(store.entries(mine, 9)[0]) == ["r2", "r0"]
    assert ids(store.accounts(mine, 9)[0]) == ["acct_1"]
    page, cursor = store.accounts(Wanted(), 1)
    assert (ids(page), ids(store.accounts(Wanted(), 1, cursor)[0])) == (["acct_2"], ["acct_1"])


def test_an_unknown_cursor_ends_the_list(store: Driven) -> None:
    fill(store, "a", "b")
    assert store.tasks(Wanted(), 2, "never there") == ([], None)


# fault rules, routes and sinks


def add_rule(store: Driven, account: str | None = None) -> Rule:
    rule: Rule = store.steering.add_rule(lambda number: Rule(f"fault-{number}", account))
    return rule


def test_rules_are_numbered_since_the_reset_and_kept_in_order(store: Driven) -> None:
    assert ids([add_rule(store) for _ in range(3)]) == ["fault-1", "fault-2", "fault-3"]
    assert store.steering.remove_rules({"fault-2", "never there"}) == 1
    add_rule(store)
    assert ids(list(store.steering.rules())) == ["fault-1", "fault-3", "fault-4"]
    store.reset(STATE)
    assert (list(store.steering.rules()), add_rule(store).id) == ([], "fault-1")


def test_a_rule_that_is_refused_takes_no_number(store: Driven) -> None:
    def refuse(_: int) -> Rule:
        raise ValueError("no rule")

    with pytest.raises(ValueError, match="no rule"):
        store.steering.add_rule(refuse)
    assert (list(store.steering.rules()), add_rule(store).id) == ([], "fault-1")


def test_matches_are_counted_and_fire_as_they_are_told(store: Driven) -> None:
    rule, told = add_rule(store), list[RuleCounts]()

    def every_second(counts: RuleCounts) -> bool:
        told.append(counts)
        return counts.matched % 2 == 0

    assert [store.steering.count_match(rule.id, every_second) for _ in range(4)] == [False, True, False, True]
    assert told == [RuleCounts(1, 0), RuleCounts(2, 0), RuleCounts(3, 1), RuleCounts(4, 1)]
    assert store.steering.rule_counts(rule.id) == RuleCounts(4, 2)
    store.steering.remove_rules({rule.id})
    assert not store.steering.count_match(rule.id, every_second)
    assert store.steering.rule_counts(rule.id) == RuleCounts()


def test_routes_are_changed_in_one_step(store: Driven) -> None:
    first, second = ("http://a", "http://b"), ("http://c", "http://d")
    before = store.steering.change_routes(lambda _: (first,))
    assert store.steering.change_routes(lambda routes: (second, *routes)) == (second, first)
    assert (before, store.steering.routes()) == ((first,), (second, first))


def test_a_sink_is_there_as_soon_as_it_is_named_and_what_was_handed_out_stays(store: Driven) -> None:
    store.steering.put_sink("app", [Reply(500)])
    before, received = store.steering.sink("app"), Received(T0, {"A": "b"}, "狐")
    assert [store.steering.deliver("app", received) for _ in range(2)] == [Reply(500), Reply()]
    assert store.steering.deliver("other", received) == Reply()
    assert before == Sink((Reply(500),))
    assert store.steering.sinks() == {"app": Sink((), (received,) * 2), "other": Sink((), (received,))}
    assert store.steering.sink("never named") is None


def test_the_oldest_sink_goes_for_a_new_one(store: Driven) -> None:
    for number in range(SINKS_KEPT):
        store.steering.put_sink(str(number))
    store.steering.put_sink("0")
    store.steering.deliver("new", Received(T0, {}, ""))
    assert (store.steering.sink("1"), store.kept()["sinks"]) == (None, Kept(SINKS_KEPT, SINKS_KEPT, 1))


def steered(store: Driven) -> SteeringRecords:
    """Something of every kind; how it stands then."""
    for account in (None, "acct_1", "acct_2"):
        store.steering.count_match(add_rule(store, account).id, lambda _: True)
    store.steering.change_routes(lambda _: (("http://a", "http://b"),))
    store.steering.put_sink("app", [Reply(500), Reply(201)])
    store.steering.deliver("app", Received(T0, {}, ""))
    return dumped(store).steering


@pytest.mark.parametrize(
    "change",
    [
        add_rule,
        lambda store: store.steering.remove_rules({"fault-1"}),
        lambda store: store.steering.count_match("fault-1", lambda _: True),
        lambda store: store.steering.change_routes(lambda _: ()),
        lambda store: store.steering.put_sink("other"),
        lambda store: store.steering.deliver("app", Received(T0, {}, "")),
        lambda store: store.reset_account("acct_1"),
        lambda store: store.reset(STATE),
    ],
)
def test_no_verb_changes_what_was_dumped_or_loaded(new: Callable[..., Driven], change: Callable[[Driven], Any]) -> None:
    old, copy = new(), new()
    taken = steered(old)
    before = deepcopy(taken)
    copy.load(dumped(old), STATE)
    for store in (old, copy):
        assert dumped(store).steering == before
        change(store)
        assert dumped(store).steering != before
    assert taken == before
    assert dumped(old) == dumped(copy)


def test_a_reset_of_an_account_removes_its_rules_alone(store: Driven) -> None:
    steered(store)
    store.reset_account("acct_1")
    assert ids(list(store.steering.rules())) == ["fault-1", "fault-3"]


# all of it


def populated(store: Driven) -> Driven:
    """Something of everything."""
    steered(store)
    store.change_account("studio", "acct_1", AccountChange(500, True, 100, True, RateLimit(3, 60.0)), T0)
    store.admit("studio", "acct_1", T0)
    for _ in range(3):
        store.count_request("studio", "acct_1")
    store.count_request("studio", "")
    opened(store, "done", state=State.CAPTURED, next_attempt=None)
    opened(store, "held back", held_back=True, next_attempt=T0 + 60)
    submit(store, "running", trace_id="t", idempotency=Idempotency("k", "body"))
    submit(store, "stuck", stuck=True, account="acct_2", provider="lab")
    submit(store, "other", account="acct_2", due=T0 + 3)
    store.settle(replace(submit(store, "failed", account="acct_2"), failure=FAILED))
    store.open_entry(exchange("r1", "acct_1"))
    store.open_entry(exchange("r2", "acct_2"))
    return store


def test_a_reset_forgets_everything(store: Driven) -> None:
    fresh = dumped(store)
    populated(store).reset(STATE)
    assert (dumped(store), store.entry("r1"), store.next_due()) == (fresh, None, None)
    assert {kept.count for kept in store.kept().values()} == {0}


def test_a_reset_of_an_account_forgets_all_of_it_and_nothing_of_another(new: Callable[..., Driven]) -> None:
    store, other = populated(new()), new()
    assert sorted(store.reset_account("acct_1")) == ["done", "held back", "running"]
    submit(other, "stuck", stuck=True, account="acct_2", provider="lab")
    submit(other, "other", account="acct_2", due=T0 + 3)
    other.settle(replace(submit(other, "failed", account="acct_2"), failure=FAILED))
    steered(other)
    other.steering.remove_rules({"fault-2"})
    assert replace(dumped(store), anonymous_requests=0) == dumped(other)
    assert (store.entry("r1"), store.delivery_of("done"), ids(store.entries(Wanted(), 9)[0])) == (None, None, ["r2"])
    assert store.reset_account("acct_unknown") == []
    assert money(store) == (1000, 0, 0)


def test_what_was_dumped_can_be_loaded_and_goes_on_as_before(new: Callable[..., Driven]) -> None:
    old, copy = populated(new()), new()
    given = dumped(old)
    unchanged = deepcopy(given)
    copy.load(given, STATE)
    assert dumped(copy) == dumped(old)
    for store in (old, copy):
        assert store.replayed("studio", "acct_1", "k") == store.traced("studio", "acct_1", "t") == store.task("running")
        opened(store, "next")
        assert store.count_request("studio", "acct_1") == 4
    assert given == unchanged
    assert events(copy) == events(old)
    assert dumped(copy) == dumped(old)


def test_what_was_loaded_leaves_the_terms_of_new_accounts_in_force(new: Callable[..., Driven]) -> None:
    store = new()
    store.set_terms({("studio", ""): AccountChange(balance=7)})
    store.load(dumped(populated(new())), STATE)
    store.count_request("studio", "acct_9")
    assert [store.account("studio", name).balance for name in ("acct_8", "acct_9")] == [7, 7]


def test_a_dump_is_no_window_on_the_store(store: Driven) -> None:
    before = dumped(populated(store))
    accounts = deepcopy(before.accounts)
    submit(store, "later")
    store.admit("studio", "acct_1", T0)
    store.settle(submit(store, "later still", cost=0))
    assert before.accounts == accounts
    assert "later" not in ids(before.tasks)
