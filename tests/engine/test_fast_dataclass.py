"""Records are fixed for the type checker, and small."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mockserver.engine.fast_dataclass import fast_dataclass

USER = """
from mockserver.engine.fast_dataclass import fast_dataclass

@fast_dataclass
class Pair:
    left: int
    right: int = 0

pair = Pair(1)
pair.left = 2
"""


@fast_dataclass
class Pair:
    left: int
    right: int = 0


def test_a_record_is_a_dataclass_with_slots() -> None:
    assert replace(Pair(1), right=2) == Pair(1, 2)
    assert not hasattr(Pair(1), "__dict__")
    with pytest.raises(TypeError, match="left"):
        Pair()  # type: ignore[call-arg]


def _point(made_by: Callable[[Any], Any]) -> Any:
    class Point:
        x: float
        name: str = field(default="p", compare=False)
        secret: str = field(default="", repr=False)

    Point.__qualname__ = "Point"
    Point.__annotations__ = {"x": float, "name": str, "secret": str}
    return made_by(Point)


FAST, PLAIN = _point(fast_dataclass), _point(dataclass(slots=True, unsafe_hash=True))
VALUES: list[tuple[Any, ...]] = [(1.0,), (1.0, "q"), (1.0, "p", "s"), (2.0,), (float("nan"),), ([],)]


@pytest.mark.parametrize("left", VALUES, ids=repr)
@pytest.mark.parametrize("right", VALUES, ids=repr)
def test_records_compare_as_those_of_a_dataclass(left: tuple[Any, ...], right: tuple[Any, ...]) -> None:
    assert (FAST(*left) == FAST(*right)) == (PLAIN(*left) == PLAIN(*right))
    assert FAST(*left) != PLAIN(*left)
    assert FAST(*left) != left


@pytest.mark.parametrize("values", VALUES[:4], ids=repr)
def test_records_are_shown_and_hashed_as_those_of_a_dataclass(values: tuple[Any, ...]) -> None:
    assert (repr(FAST(*values)), hash(FAST(*values))) == (repr(PLAIN(*values)), hash(PLAIN(*values)))
    with pytest.raises(TypeError, match="unhashable"):
        hash(FAST([]))


def test_records_with_one_field_and_with_none() -> None:
    @fast_dataclass
    class One:
        x: float

    @fast_dataclass
    class Nothing:
        pass

    nan = float("nan")
    assert (One(nan), hash(One(1.0))) == (One(nan), hash((1.0,)))
    assert (Nothing(), hash(Nothing())) == (Nothing(), hash(()))


def test_the_type_checker_refuses_changes(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "user.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120).stdout
    assert 'user.py:10: error: Property "left" defined in "Pair" is read-only' in said
    assert "Found 1 error in 1 file" in said
