"""Records are fixed for the type checker, and small."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

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


def test_the_type_checker_refuses_changes(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "user.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120).stdout
    assert 'user.py:10: error: Property "left" defined in "Pair" is read-only' in said
    assert "Found 1 error in 1 file" in said
