"""Accounts: amounts are exact and always add up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.world import T0, task
from mockserver.engine.ledger import USAGE_KEPT, Account, AccountChange, AccountRow, Currency, RateLimit, Usage
from mockserver.engine.problems import Kind, Problem

DAY = 86_400
CREDITS = Currency("credits", 4)
MOVES = st.tuples(st.sampled_from(["hold", "capture", "release"]), st.sampled_from("abcd"), st.integers(0, 500))


def account(opening: int = 1000) -> AccountRow:
    return AccountRow("studio", "acct_1", opening, opening)


def amounts(owner: AccountRow) -> tuple[int, int, int, int]:
    return owner.opening, owner.balance, owner.held, owner.captured


def usage(amount: int, time: float = T0) -> Usage:
    return Usage(time, task(), amount)


def test_a_hold_sets_aside() -> None:
    owner = account()
    assert owner.hold(250, T0) == ""
    assert amounts(owner) == (1000, 750, 250, 0)


def test_a_capture_charges_and_is_on_record() -> None:
    owner = account()
    owner.hold(250, T0)
    owner.capture(usage(250))
    assert (amounts(owner), list(owner.usage)) == ((1000, 750, 0, 250), [usage(250)])


def test_a_release_gives_back() -> None:
    owner = account()
    owner.release(250, owner.hold(250, T0))
    assert (amounts(owner), list(owner.usage)) == ((1000, 1000, 0, 0), [])


def test_the_last_unit_is_covered_and_no_more() -> None:
    owner = account()
    owner.check(1000, T0)
    with pytest.raises(Problem) as refusal:
        owner.check(1001, T0)
    assert (refusal.value.kind, amounts(owner)) == (Kind.OUT_OF_BALANCE, (1000, 1000, 0, 0))


def test_the_quota_is_a_calendar_months() -> None:
    owner = account()
    owner.change(AccountChange(sets_quota=True, quota=300), T0)
    assert owner.hold(300, T0) == "2026-01/1"
    with pytest.raises(Problem, match="monthly quota") as refusal:
        owner.check(1, T0 + 31 * DAY - 0.001)
    assert (refusal.value.kind, owner.balance) == (Kind.OUT_OF_BALANCE, 700)
    owner.check(300, T0 + 31 * DAY)
    assert (owner.hold(300, T0 + 31 * DAY), owner.spent, owner.balance) == ("2026-02/1", 300, 400)


def test_a_release_gives_back_to_the_month_it_was_held_in() -> None:
    owner = account()
    owner.change(AccountChange(sets_quota=True, quota=300), T0)
    january, february = owner.hold(100, T0), owner.hold(100, T0 + 31 * DAY)
    owner.release(100, january)
    assert owner.spent == 100
    owner.release(100, february)
    assert (owner.spent, owner.balance) == (0, 1000)


def test_a_rate_limit_is_a_window_that_slides() -> None:
    owner = account()
    owner.change(AccountChange(sets_rate_limit=True, rate_limit=RateLimit(2, 10.0)), T0)
    owner.admit(T0)
    owner.admit(T0 + 4)
    with pytest.raises(Problem) as refusal:
        owner.admit(T0 + 9)
    assert (refusal.value.kind, refusal.value.retry_after) == (Kind.RATE_LIMITED, 1.0)
    owner.admit(T0 + 10)
    assert list(owner.recent) == [T0 + 4, T0 + 10]
    owner.change(AccountChange(sets_rate_limit=True, rate_limit=None), T0 + 10)
    owner.admit(T0 + 10)
    assert (owner.rate_limit, list(owner.recent)) == (None, [])


@pytest.mark.parametrize("balance", [0, 300, 5000])
def test_a_balance_that_is_set_adds_up(balance: int) -> None:
    owner = account()
    owner.hold(250, T0)
    owner.change(AccountChange(balance), T0)
    assert amounts(owner) == (balance + 250, balance, 250, 0)


def test_a_change_leaves_alone_what_it_does_not_name() -> None:
    owner = account()
    owner.change(AccountChange(50, True, 7, True, RateLimit(1, 2.0)), T0)
    owner.change(AccountChange(), T0)
    assert (owner.balance, owner.quota, owner.rate_limit) == (50, 7, RateLimit(1, 2.0))


@given(st.integers(0, 2000), st.lists(MOVES, max_size=40))
def test_every_sequence_of_moves_adds_up(opening: int, moves: list[tuple[str, str, int]]) -> None:
    owner = account(opening)
    held: dict[str, tuple[int, str]] = {}
    for move, name, amount in moves:
        if move == "hold" and name not in held and amount <= owner.balance:
            held[name] = amount, owner.hold(amount, T0)
        elif move == "capture" and name in held:
            owner.capture(usage(held.pop(name)[0]))
        elif move == "release" and name in held:
            owner.release(*held.pop(name))
        assert owner.held == sum(some for some, _ in held.values())
        assert owner.opening == opening == owner.balance + owner.held + owner.captured


def test_the_newest_usage_stays_and_the_rest_is_counted() -> None:
    owner = account()
    for second in range(USAGE_KEPT + 3):
        owner.capture(usage(1, float(second)))
    assert (len(owner.usage), owner.usage_dropped) == (USAGE_KEPT, 3)
    assert (owner.usage[0].time, owner.usage[-1].time) == (3.0, USAGE_KEPT + 2.0)


def test_what_is_handed_out_is_a_value() -> None:
    owner = account()
    seen = owner.value()
    owner.hold(250, T0)
    assert (seen, owner.value()) == (
        Account("studio", "acct_1", 1000, 1000),
        Account("studio", "acct_1", 1000, 750, 250),
    )


@pytest.mark.parametrize(
    ("text", "minor"),
    [("2.5", 25000), ("0", 0), ("0.0001", 1), ("1000", 10_000_000), ("2.50000", 25000), ("1E+2", 10**6)],
)
def test_an_amount_becomes_minor_units(text: str, minor: int) -> None:
    assert CREDITS.minor(text) == CREDITS.minor(Decimal(text)) == minor


@pytest.mark.parametrize("text", ["0.00001", "", "ten", "NaN", "sNaN", "Infinity", "-Infinity", "1,5", "0x10", "1e-5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="credits"):
        CREDITS.minor(text)


@pytest.mark.parametrize(
    ("minor", "text"),
    [
        (25000, "2.5"),
        (0, "0"),
        (1, "0.0001"),
        (10_000_000, "1000"),
        (100_000, "10"),
        (-1, "-0.0001"),
        (10**24, "1" + "0" * 20),
    ],
)
def test_minor_units_read_as_a_plain_decimal(minor: int, text: str) -> None:
    assert CREDITS.text(minor) == text


@given(st.integers(0, 8), st.integers(-(10**24), 10**24))
def test_an_amount_survives_its_text(places: int, minor: int) -> None:
    currency = Currency("units", places)
    text = currency.text(minor)
    assert currency.minor(text) == minor
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))
