"""The memory store's tables: lists are the same as those of a plain list, however their records came and went."""

import time
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockserver.engine.store import Wanted
from mockserver.engine.store import arrivals as arrivals_module
from mockserver.engine.store import table as table_module
from mockserver.engine.store.table import Table

PROVIDERS, ACCOUNTS = ("evolink", "xhuoapi"), ("a", "b", "c")


@dataclass(frozen=True)
class Row:
    id: str
    provider: str
    account: str


@dataclass
class Plain:
    """What a table should show."""

    rows: list[Row] = field(default_factory=list)

    def page(self, wanted: Wanted[Row], limit: int, cursor: str | None) -> tuple[list[Row], str | None]:
        found = [row for row in reversed(self.rows) if _is_wanted(row, wanted)]
        if cursor is not None:
            ids = [row.id for row in found]
            found = found[ids.index(cursor) + 1 :] if cursor in ids else []
        return found[:limit], found[limit - 1].id if len(found) > limit else None


def _how_many(ended: list[Row], rows: dict[str, Row]) -> int:
    return sum(row in ended for row in rows.values())


def _is_wanted(row: Row, wanted: Wanted[Row]) -> bool:
    mine = wanted.accounts is None or row.account in wanted.accounts
    return mine and wanted.provider in (None, row.provider)


def _table(bound: int = 1_000_000) -> Table[Row]:
    return Table(bound, lambda row: (row.provider, row.account), lambda row: None)


moves = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(PROVIDERS), st.sampled_from(ACCOUNTS), st.integers(1, 6)),
        st.tuples(st.just("end"), st.just(""), st.just(""), st.integers(0, 30)),
        st.tuples(st.just("forget"), st.just(""), st.sampled_from(ACCOUNTS), st.just(0)),
    ),
    max_size=30,
)
filters = st.builds(
    Wanted[Row],
    st.none() | st.sampled_from((*PROVIDERS, "icodeeasy")),
    st.none() | st.frozensets(st.sampled_from((*ACCOUNTS, "d")), min_size=1),
)


@given(
    moves, filters, st.integers(1, 5), st.integers(0, 40), st.sampled_from((1, 3, 1_024)), st.sampled_from((0, 10_000))
)
@example([("add", "evolink", "a", 6), ("forget", "", "a", 0)], Wanted[Row]("evolink"), 2, 0, 3, 0)
@example([("add", "evolink", "a", 6), ("forget", "", "a", 0), ("add", "evolink", "b", 1)], Wanted[Row](), 2, 0, 3, 0)
def test_every_list_is_that_of_a_plain_list(
    moves: list[tuple[str, str, str, int]], wanted: Wanted[Row], limit: int, place: int, block: int, few: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(arrivals_module, "_BLOCK", block)
        patched.setattr(table_module, "_FEW", few)
        table, plain = _table(bound=8), Plain()
        ended: list[Row] = []
        for kind, provider, account, number in moves:
            if kind == "add":
                for _ in range(number):
                    name = next(name for n in range(99) if (name := f"{account}{n}") not in table.rows)
                    row = Row(name, provider, account)
                    table.add(name, row, provider, account)
                    plain.rows.append(row)
            elif kind == "end" and (running := [row for row in plain.rows if row not in ended])[number:]:
                table.retire(running[number].id)
                ended.append(running[number])
                if len(ended) > 8:
                    plain.rows.remove(ended.pop(0))
            elif kind == "forget":
                gone = [row for row in plain.rows if row.account == account]
                removed = table.remove_account(account, partial(_how_many, ended))
                assert list(removed.items()) == [(row.id, row) for row in gone]
                plain.rows = [row for row in plain.rows if row.account != account]
                ended = [row for row in ended if row.account != account]
        cursors = [row.id for row in plain.rows]
        cursor = cursors[place] if place < len(cursors) else None
        assert table.page(wanted, limit, cursor) == plain.page(wanted, limit, cursor)
        assert table.page(wanted, limit, "unknown") == ([], None)
        assert table.unended == len([row for row in plain.rows if row not in ended])
        _go_through(table, plain, wanted, limit)


def _go_through(table: Table[Row], plain: Plain, wanted: Wanted[Row], limit: int) -> None:
    """Page by page, to the end: each record once."""
    seen: list[Row] = []
    cursor = None
    while True:
        rows, cursor = table.page(wanted, limit, cursor)
        seen += rows
        assert len(seen) <= len(plain.rows)
        if cursor is None:
            break
    assert seen == [row for row in reversed(plain.rows) if _is_wanted(row, wanted)]


@pytest.mark.parametrize(
    "wanted",
    [Wanted[Row](), Wanted[Row]("evolink"), Wanted[Row]("xhuoapi")],
    ids=["all", "the provider of most", "the provider of few"],
)
def test_a_page_does_not_pass_those_before_it(wanted: Wanted[Row]) -> None:
    table = _table()
    for number in range(200_000):
        few = number in (0, 1, 2, 100_000, 199_999)
        row = Row(f"id{number}", "xhuoapi" if few else "evolink", "ab"[number % 2])
        table.add(row.id, row, row.provider, row.account)
    least = min(_seconds(table, wanted) for _ in range(5))
    assert least < 0.0005  # one that passes those before it takes 2 ms or more


def _seconds(table: Table[Row], wanted: Wanted[Row]) -> float:
    start = time.perf_counter()
    assert table.page(wanted, 2, "id100000" if wanted.provider != "evolink" else "id100001")[0]
    return time.perf_counter() - start
