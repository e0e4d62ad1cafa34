"""Exact money: nothing is lost, nothing is settled twice, and no float comes near."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.world import T0, task
from mockserver.engine.ledger import USAGE_KEPT, Account, Currency, Ledger, RateLimit, Usage
from mockserver.engine.problems import Kind, Problem

DAY = 86_400
CREDITS = Currency("credits", 4)
MOVES = st.tuples(st.sampled_from(["hold", "capture", "release"]), st.sampled_from("abcd"), st.integers(0, 500))


def account(opening: int = 1000) -> Account:
    return Account("studio", "acct_1", opening, opening)


def amounts(owner: Account) -> tuple[int, int, int, int]:
    return owner.opening, owner.balance, owner.held, owner.captured


def test_a_hold_sets_aside() -> None:
    owner, ledger = account(), Ledger()
    ledger.hold(owner, "a", 250, T0)
    assert amounts(owner) == (1000, 750, 250, 0)
    assert ledger.is_held("a")


def test_a_capture_charges() -> None:
    owner, ledger = account(), Ledger()
    ledger.hold(owner, "a", 250, T0)
    assert ledger.capture("a") == 250
    assert amounts(owner) == (1000, 750, 0, 250)
    assert not ledger.is_held("a")


def test_a_release_gives_back() -> None:
    owner, ledger = account(), Ledger()
    ledger.hold(owner, "a", 250, T0)
    assert ledger.release("a") == 250
    assert amounts(owner) == (1000, 1000, 0, 0)
    assert not ledger.is_held("a")


def test_the_last_unit_can_be_held_and_no_more() -> None:
    owner, ledger = account(), Ledger()
    ledger.hold(owner, "a", 1000, T0)
    with pytest.raises(Problem) as refusal:
        ledger.hold(owner, "b", 1, T0)
    assert refusal.value.kind is Kind.OUT_OF_BALANCE
    assert amounts(owner) == (1000, 0, 1000, 0)
    assert not ledger.is_held("b")


def test_a_hold_of_nothing_is_a_hold() -> None:
    owner, ledger = account(0), Ledger()
    ledger.hold(owner, "a", 0, T0)
    assert ledger.is_held("a")
    assert ledger.capture("a") == 0


@pytest.mark.parametrize("first", ["capture", "release"])
@pytest.mark.parametrize("second", ["capture", "release"])
def test_a_second_settlement_is_an_error_and_moves_nothing(first: str, second: str) -> None:
    owner, ledger = account(), Ledger()
    ledger.hold(owner, "a", 250, T0)
    getattr(ledger, first)("a")
    before = amounts(owner)
    with pytest.raises(KeyError):
        getattr(ledger, second)("a")
    assert amounts(owner) == before


def test_a_second_hold_for_a_task_is_an_error_and_moves_nothing() -> None:
    owner, ledger = account(), Ledger()
    ledger.hold(owner, "a", 250, T0)
    with pytest.raises(ValueError, match="holds money already"):
        ledger.hold(owner, "a", 250, T0)
    assert amounts(owner) == (1000, 750, 250, 0)


def test_a_second_hold_does_not_use_up_the_quota() -> None:
    owner, ledger = account(), Ledger()
    owner.quota = 500
    ledger.hold(owner, "a", 250, T0)
    with pytest.raises(ValueError, match="holds money already"):
        ledger.hold(owner, "a", 250, T0)
    assert (owner.month, owner.spent) == ("2026-01/0", 250)


def test_the_quota_is_a_calendar_months() -> None:
    owner, ledger = account(), Ledger()
    owner.quota = 300
    ledger.hold(owner, "a", 300, T0)
    with pytest.raises(Problem, match="monthly quota") as refusal:
        ledger.hold(owner, "b", 1, T0 + 31 * DAY - 0.001)
    assert (refusal.value.kind, owner.balance) == (Kind.OUT_OF_BALANCE, 700)
    ledger.hold(owner, "b", 300, T0 + 31 * DAY)
    assert (owner.month, owner.spent, owner.balance) == ("2026-02/0", 300, 400)


def test_a_release_gives_back_to_the_month_it_was_held_in() -> None:
    owner, ledger = account(), Ledger()
    owner.quota = 300
    ledger.hold(owner, "january", 100, T0)
    ledger.hold(owner, "february", 100, T0 + 31 * DAY)
    ledger.release("january")
    assert owner.spent == 100
    ledger.release("february")
    assert (owner.spent, owner.balance) == (0, 1000)


def test_a_rate_limit_is_a_window_that_slides() -> None:
    owner = account()
    owner.rate_limit = RateLimit(2, 10.0)
    owner.admit(T0)
    owner.admit(T0 + 4)
    with pytest.raises(Problem) as refusal:
        owner.admit(T0 + 9)
    assert (refusal.value.kind, refusal.value.retry_after) == (Kind.RATE_LIMITED, 1.0)
    owner.admit(T0 + 10)
    assert list(owner.recent) == [T0 + 4, T0 + 10]


@pytest.mark.parametrize("balance", [0, 300, 5000])
def test_a_balance_that_is_set_adds_up(balance: int) -> None:
    owner, ledger = account(), Ledger()
    ledger.hold(owner, "a", 250, T0)
    owner.set_balance(balance)
    assert amounts(owner) == (balance + 250, balance, 250, 0)


@given(st.integers(0, 2000), st.lists(MOVES, max_size=40))
def test_every_sequence_of_moves_adds_up(opening: int, moves: list[tuple[str, str, int]]) -> None:
    owner, ledger = account(opening), Ledger()
    held: dict[str, int] = {}
    captured = 0
    for move, name, amount in moves:
        if move == "hold" and name not in held and amount <= opening - captured - sum(held.values()):
            ledger.hold(owner, name, amount, T0)
            held[name] = amount
        elif move == "hold":
            with pytest.raises((Problem, ValueError)):
                ledger.hold(owner, name, amount, T0)
        elif name not in held:
            with pytest.raises(KeyError):
                getattr(ledger, move)(name)
        else:
            assert getattr(ledger, move)(name) == held[name]
            captured += held.pop(name) if move == "capture" else 0 * held.pop(name)
        assert amounts(owner) == (opening, opening - sum(held.values()) - captured, sum(held.values()), captured)
        assert owner.opening == owner.balance + owner.held + owner.captured


def test_the_newest_usage_stays_and_the_rest_is_counted() -> None:
    owner = account()
    for second in range(USAGE_KEPT + 3):
        owner.record(Usage(float(second), task(), 1))
    assert (len(owner.usage), owner.usage_dropped) == (USAGE_KEPT, 3)
    assert (owner.usage[0].time, owner.usage[-1].time) == (3.0, USAGE_KEPT + 2.0)


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
