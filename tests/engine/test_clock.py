"""Clocks that libraries cannot freeze, and random values that are the same in every process."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from statistics import mean
from threading import Event
from typing import Any
from uuid import RFC_4122, UUID

import freezegun
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine import clock as clock_module
from mockserver.engine.clock import VIRTUAL_START, Clock, Entropy, SystemClock, VirtualClock, monotonic

Freeze = Callable[[], AbstractContextManager[Any]]
FREEZERS = [
    pytest.param(lambda: freezegun.freeze_time("2020-01-01"), id="freezegun"),
    pytest.param(lambda: time_machine.travel("2020-01-01", tick=False), id="time_machine"),
]


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let real seconds pass for every SystemClock."""
    elapsed = [100.0]
    monkeypatch.setattr(clock_module, "monotonic", lambda: elapsed[0])
    return lambda seconds: elapsed.__setitem__(0, elapsed[0] + seconds)


@pytest.mark.parametrize("freeze", FREEZERS)
def test_real_time_goes_on_in_a_frozen_test(freeze: Freeze) -> None:
    clock = SystemClock(start=0.0)
    with freeze():
        began, read = clock.now(), monotonic()
        Event().wait(0.02)
        assert 0.01 < clock.now() - began < 60
        assert 0.01 < monotonic() - read < 60


@pytest.mark.parametrize("freeze", FREEZERS)
def test_a_clock_made_in_a_frozen_test_runs(freeze: Freeze) -> None:
    with freeze():
        clock = SystemClock()
        began = clock.now()
        Event().wait(0.02)
        assert 0.01 < clock.now() - began < 60


def test_the_system_clock_runs_at_its_speed(tick: Callable[[float], None]) -> None:
    clock = SystemClock(start=1000.0, speed=60.0)
    tick(2.0)
    assert (clock.mode, clock.speed, clock.now()) == ("real", 60.0, 1120.0)
    assert clock.real_delay(1180.0) == 1.0
    assert clock.real_delay(1000.0) == 0.0


def test_the_system_clock_goes_on_from_where_it_was_moved_to(tick: Callable[[float], None]) -> None:
    clock = SystemClock(start=1000.0)
    clock.move_to(5000.0)
    tick(1.0)
    assert clock.now() == 5001.0


def test_the_virtual_clock_stands_still() -> None:
    clock = VirtualClock()
    Event().wait(0.01)
    assert (clock.mode, clock.speed, clock.now()) == ("virtual", 0.0, VIRTUAL_START)


def test_the_virtual_clock_never_reaches_the_future_by_itself() -> None:
    clock = VirtualClock(50.0)
    assert [clock.real_delay(instant) for instant in (49.0, 50.0, 50.001)] == [0.0, 0.0, None]


@pytest.mark.parametrize("make", [VirtualClock, SystemClock])
@given(moves=st.lists(st.floats(0, 1e6)))
def test_moves_never_go_back(make: Callable[[float], Clock], moves: list[float]) -> None:
    clock = make(1000.0)
    for instant in moves:
        before = clock.now()
        clock.move_to(instant)
        assert clock.now() >= max(before, instant) - 1e-6


SCRIPT = """
from mockserver.engine.clock import Entropy
draw = Entropy("seed").draw("task", "studio", 3)
print(draw.uuid(), draw.token(12), draw.fraction(), draw.between(0.3, 1.5))
"""


def test_another_process_draws_the_same() -> None:
    draw = Entropy("seed").draw("task", "studio", 3)
    mine = f"{draw.uuid()} {draw.token(12)} {draw.fraction()} {draw.between(0.3, 1.5)}\n"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    theirs = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    assert theirs.stdout == mine


def test_a_draw_is_the_same_whatever_else_was_drawn() -> None:
    entropy = Entropy("seed")
    one, between, other = (entropy.draw("task", n) for n in (1, 2, 1))
    assert (one.uuid(), one.token(16), one.fraction()) == (other.uuid(), other.token(16), other.fraction())
    assert between.uuid() != one.uuid()
    assert between.fraction() != one.fraction()


def test_the_number_of_a_draw_is_independent_of_its_identifier() -> None:
    draws = [Entropy("seed").draw(n) for n in range(4000)]
    by_letter = Counter((draw.token(1) < "n", draw.fraction() < 0.5) for draw in draws)
    assert len(by_letter) == 4
    assert min(by_letter.values()) > 600, by_letter


@pytest.mark.parametrize("scope", [("task", 2), ("tas", "k1"), ("task", 1, ""), ("task", "1", "1"), ()])
def test_scopes_are_kept_apart(scope: tuple[str | int, ...]) -> None:
    entropy = Entropy("seed")
    assert entropy.draw(*scope).uuid() != entropy.draw("task", 1).uuid()


@given(st.text())
def test_every_uuid_is_of_version_4(scope: str) -> None:
    text = Entropy("seed").draw(scope).uuid()
    value = UUID(text)
    assert (value.version, value.variant, str(value)) == (4, RFC_4122, text)


@given(st.integers(0, 16), st.integers())
def test_a_token_has_its_length_and_letters(length: int, scope: int) -> None:
    token = Entropy("seed").draw(scope).token(length)
    assert len(token) == length
    assert re.fullmatch(r"[a-z0-9]*", token)


@given(st.integers(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_between_keeps_its_bounds_in_whole_thousandths(scope: int, low: int, span: int) -> None:
    value = Entropy("seed").draw(scope).between(low / 1000, (low + span) / 1000)
    assert low <= round(value * 1000, 6) <= low + span
    assert round(value, 3) == value


def test_between_is_evenly_spread() -> None:
    values = [Entropy("seed").draw(n).between(10.0, 20.0) for n in range(4000)]
    assert mean(values) == pytest.approx(15.0, abs=0.2)
    tenths = [sum(10 + n <= value < 11 + n for value in values) for n in range(10)]
    assert all(320 < count < 480 for count in tenths), tenths


def test_renewed_entropy_with_a_seed_draws_the_same_again() -> None:
    entropy = Entropy("seed")
    assert entropy.renewed().draw(1).uuid() == entropy.draw(1).uuid()


def test_entropy_without_a_seed_always_differs() -> None:
    entropy = Entropy()
    others = (Entropy(), entropy.renewed(), Entropy("seed"))
    assert len({each.draw(1).uuid() for each in (entropy, *others)}) == 4
