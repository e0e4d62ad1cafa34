"""Budgets and plans: what is counted as spent, and which tests a budget leaves out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.budget import Allowance, Budget, BudgetExhausted
from contract_tests.plan import Entry, entry_of, make_plan
from contract_tests.pricing import worst_case

AMOUNTS = st.decimals(0, 5, places=2)


def test_a_reservation_counts_as_spent_until_it_is_released() -> None:
    allowance = Allowance("evolink", Decimal(5))
    hold = allowance.reserve(Decimal("2.5"))
    assert allowance.spent == Decimal("2.5")
    hold.release()
    assert allowance.spent == 0


def test_the_cap_is_not_exceeded() -> None:
    allowance = Allowance("evolink", Decimal(4))
    allowance.reserve(Decimal("2.5"))
    with pytest.raises(BudgetExhausted, match=r"2\.5 of 4 spent"):
        allowance.reserve(Decimal("2.5"))


def test_a_higher_price_raises_the_estimate_of_later_calls() -> None:
    allowance = Allowance("evolink", Decimal(12))
    allowance.reserve(Decimal("2.5")).charge(Decimal(5))
    assert allowance.spent == 5
    assert allowance.reserve(Decimal("2.5")).amount == 5
    with pytest.raises(BudgetExhausted):
        allowance.reserve(Decimal("2.5"))


@given(cap=AMOUNTS, calls=st.lists(st.tuples(AMOUNTS, st.sampled_from(["free", "billed", "unknown"]))))
def test_any_sequence_of_calls_stays_within_the_cap(cap: Decimal, calls: list[tuple[Decimal, str]]) -> None:
    allowance, billed = Allowance("evolink", cap), Decimal(0)
    for planned, fate in calls:
        try:
            hold = allowance.reserve(planned)
        except BudgetExhausted:
            continue
        if fate == "free":
            hold.release()
        else:
            billed += planned
        if fate == "billed":
            hold.charge(planned)
        assert billed <= allowance.spent <= cap


@given(cap=AMOUNTS, factor=st.integers(2, 10), prices=st.lists(st.decimals("0.01", 1, places=2), max_size=20))
def test_a_dearer_provider_exceeds_the_cap_by_its_first_surplus_at_most(
    cap: Decimal, factor: int, prices: list[Decimal]
) -> None:
    allowance, first = Allowance("evolink", cap), Decimal(0)
    for planned in prices:
        try:
            allowance.reserve(planned).charge(planned * factor)
        except BudgetExhausted:
            continue
        first = first or planned
    assert allowance.spent <= max(cap, first * factor)


@pytest.mark.parametrize("text", ["", "x", "-1", "1e3", "NaN", "evolink="])
def test_an_invalid_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Budget.parse([text], ["evolink"])


def test_a_cap_for_one_provider_or_for_each() -> None:
    budget = Budget.parse(["3", "evolink=10"], ["evolink", "xhuoapi"])
    assert {name: allowance.cap for name, allowance in budget.allowances.items()} == {"evolink": 10, "xhuoapi": 3}


def _entry(test: str, cost: str, priority: int) -> Entry:
    return Entry(test, "evolink", 1, Decimal(cost), priority)


def test_a_plan_runs_free_tests_first_and_leaves_out_dear_variants_first() -> None:
    entries = [_entry("variant", "5", 3), _entry("core", "5", 1), _entry("free", "0", 0), _entry("usual", "5", 2)]
    plan = make_plan(entries, Budget.parse(["10"], ["evolink"]))
    assert [entry.test for entry in plan.entries] == ["free", "core", "usual"]
    assert list(plan.trimmed) == ["variant"]
    assert "priority 3, 5 credits at worst" in plan.trimmed["variant"]


def test_a_plan_says_what_it_costs() -> None:
    budget = Budget.parse(["10"], ["evolink"])
    plan = make_plan([_entry("a", "5", 1), _entry("b", "50", 2)], budget)
    assert plan.lines(budget) == [
        "evolink: 1 tests, 1 paid calls, at most 5 of 10 credits; 1 tests left out by the budget"
    ]


def test_the_cost_of_a_test_is_the_sum_of_its_marks() -> None:
    marks = [{"calls": 2, "priority": 2, "request": {"model": "$model", "n": 3}}]
    entry = entry_of("test", "xhuoapi", marks, {"model": "dall-e-2"})
    assert (entry.calls, entry.cost, entry.priority) == (2, Decimal("0.6"), 2)


@pytest.mark.parametrize("request_", [None, [], "x", {}, {"model": "unknown"}, {"model": 1}])
def test_an_unknown_request_is_planned_at_the_highest_price(request_: object) -> None:
    assert worst_case("xhuoapi", request_) == Decimal("0.6")
