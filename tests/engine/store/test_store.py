"""What every store must do, whatever it keeps its records in."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import Account
from mockserver.engine.store import Rows, Store, page
from mockserver.engine.store.memory import MemoryStore

STORES: list[Callable[[], Store]] = [MemoryStore]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    made: Store = request.param()
    return made


@pytest.fixture
def rows(store: Store) -> Rows[str]:
    return store.names


def fill(rows: Rows[str], *keys: str) -> None:
    for key in keys:
        rows.put(key, f"value of {key}")


def keys(rows: Rows[str]) -> list[str]:
    return [key for key, _ in rows.newest()]


def walk(rows: Rows[str], limit: int, between: Callable[[int], None] = lambda _: None) -> list[str]:
    """Every key by pages of `limit`; `between` is called after each page with its number."""
    found, cursor, number = [], None, 0
    while True:
        records, cursor = page(rows, lambda _: True, limit, cursor)
        found += [key for key, _ in records]
        if cursor is None:
            return found
        number += 1
        between(number)


def test_what_is_put_is_there(rows: Rows[str]) -> None:
    fill(rows, "a", "b")
    assert (rows.get("a"), rows.get("b"), rows.get("c"), len(rows)) == ("value of a", "value of b", None, 2)


def test_the_newest_comes_first(rows: Rows[str]) -> None:
    fill(rows, "a", "b", "c")
    assert list(rows.newest()) == [("c", "value of c"), ("b", "value of b"), ("a", "value of a")]


def test_a_replaced_record_keeps_its_place(rows: Rows[str]) -> None:
    fill(rows, "a", "b")
    rows.put("a", "another")
    assert list(rows.newest()) == [("b", "value of b"), ("a", "another")]


def test_what_is_removed_is_gone(rows: Rows[str]) -> None:
    fill(rows, "a", "b", "c")
    rows.remove(["a", "c", "never there"])
    assert (keys(rows), rows.get("a"), rows.dropped) == (["b"], None, 0)


def test_of_the_ended_only_the_newest_stay(rows: Rows[str]) -> None:
    rows.bound = 2
    fill(rows, "a", "b", "c", "d")
    for key in ("c", "a", "b"):
        rows.retire(key)
    assert (keys(rows), rows.dropped) == (["d", "b", "a"], 1)


def test_what_has_not_ended_is_never_dropped(rows: Rows[str]) -> None:
    rows.bound = 1
    fill(rows, *(f"live {n}" for n in range(50)))
    for n in range(10):
        fill(rows, f"ended {n}")
        rows.retire(f"ended {n}")
    assert keys(rows) == ["ended 9", *(f"live {n}" for n in reversed(range(50)))]
    assert (len(rows), rows.dropped) == (51, 9)


def test_a_removed_record_leaves_its_room_to_others(rows: Rows[str]) -> None:
    rows.bound = 2
    fill(rows, "a", "b", "c")
    for key in ("a", "b"):
        rows.retire(key)
    rows.remove(["a"])
    rows.retire("c")
    assert (keys(rows), rows.dropped) == (["c", "b"], 0)


def test_a_revived_record_is_kept_until_it_ends_again(rows: Rows[str]) -> None:
    rows.bound = 1
    fill(rows, "a", "b", "c")
    rows.retire("a")
    rows.revive("a")
    rows.retire("b")
    assert (keys(rows), rows.dropped) == (["c", "b", "a"], 0)
    rows.retire("a")
    assert (keys(rows), rows.dropped) == (["c", "a"], 1)


@given(st.integers(0, 20), st.integers(1, 7))
@pytest.mark.parametrize("make", STORES)
def test_pages_show_every_record_once(make: Callable[[], Store], count: int, limit: int) -> None:
    rows = make().names
    fill(rows, *map(str, range(count)))
    assert walk(rows, limit) == [str(n) for n in reversed(range(count))]


def test_a_page_is_full_and_the_last_one_says_so(rows: Rows[str]) -> None:
    fill(rows, "a", "b", "c", "d")
    first, cursor = page(rows, lambda _: True, 2, None)
    second, end = page(rows, lambda _: True, 2, cursor)
    assert ([key for key, _ in first], [key for key, _ in second], end) == (["d", "c"], ["b", "a"], None)


def test_records_that_come_meanwhile_shift_no_page(rows: Rows[str]) -> None:
    fill(rows, *"abcdefg")
    assert walk(rows, 2, lambda number: fill(rows, f"new {number}")) == list("gfedcba")


def test_records_that_go_meanwhile_hide_no_other(rows: Rows[str]) -> None:
    fill(rows, *"abcdefg")
    assert walk(rows, 2, lambda number: rows.remove(["g", "d"])) == list("gfecba")


def test_a_filter_counts_what_it_keeps(rows: Rows[str]) -> None:
    fill(rows, *map(str, range(10)))
    odd, cursor = page(rows, lambda value: int(value[-1]) % 2 == 1, 2, None)
    assert ([key for key, _ in odd], cursor) == (["9", "7"], "7")
    assert page(rows, lambda value: value.endswith("no such"), 2, None) == ([], None)


def test_an_unknown_cursor_ends_the_list(rows: Rows[str]) -> None:
    fill(rows, "a", "b")
    assert page(rows, lambda _: True, 2, "never there") == ([], None)


def test_the_kinds_of_record_are_apart(store: Store) -> None:
    store.accounts.put("same", Account("studio", "acct_1", 1, 1))
    store.exchanges.put("same", Exchange("same", 0.0, "studio", "", "GET", "/", {}))
    sizes = [len(some) for some in (store.tasks, store.deliveries, store.exchanges, store.accounts, store.names)]
    assert sizes == [0, 0, 1, 1, 0]


def test_every_kind_is_bounded(store: Store) -> None:
    kinds = (store.tasks, store.deliveries, store.exchanges, store.accounts, store.names)
    assert all(0 < kind.bound <= 100_000 for kind in kinds)
