"""What the command collects while it is busy."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from mockserver.cli.garbage import SAMPLED, WARY_TURNS, YoungObjects


class Knot:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def young() -> Iterator[YoungObjects]:
    enabled, threshold = gc.isenabled(), gc.get_threshold()
    gc.enable()
    gc.set_threshold(1_000_000)
    gc.collect()
    yield YoungObjects()
    gc.unfreeze()
    gc.collect()
    gc.set_threshold(*threshold)
    if not enabled:
        gc.disable()


def _turn(young: YoungObjects) -> bool:
    """Whether a turn frees the garbage made in it."""
    knot = weakref.ref(Knot())
    young.end_turn()
    return knot() is None


def test_a_turn_in_so_many_is_collected_until_there_is_garbage(young: YoungObjects) -> None:
    assert [_turn(young) for _ in range(SAMPLED)] == [False] * (SAMPLED - 1) + [True]
    assert all(_turn(young) for _ in range(3 * SAMPLED))  # there was some: from now on each is


def test_turns_without_garbage_for_long_are_samples_again(young: YoungObjects) -> None:
    while not _turn(young):
        pass
    for _ in range(WARY_TURNS):
        young.end_turn()
    assert sum(_turn(young) for _ in range(SAMPLED)) < SAMPLED
    gc.unfreeze()
    assert gc.collect() > 0  # what was left out is found by the full collection of a quiet server


def test_a_turn_without_collection_is_none(young: YoungObjects) -> None:
    gc.disable()
    before = gc.get_freeze_count()
    assert not any(_turn(young) for _ in range(2 * SAMPLED))
    assert gc.get_freeze_count() == before


def test_what_a_turn_leaves_is_not_looked_at_again(young: YoungObjects) -> None:
    kept = [Knot() for _ in range(10)]
    young.end_turn()
    assert gc.get_freeze_count() > len(kept)
    assert gc.collect() == 0
