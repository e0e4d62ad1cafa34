"""A snapshot is input: each field of a real one is changed, and either refused by its name or taken without harm."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SAMPLE = int(os.environ.get("MOCKSERVER_TEST_SNAPSHOTS", "250"))
"""How many of the 17,000 changes are tried."""


def mutate(seed: str, sample: int) -> dict[str, object]:
    """What a run of the script says, in a process of its own with limited memory."""
    run = subprocess.run(
        [sys.executable, "-m", "engine.snapshot_mutations", seed, str(sample)],
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=60 + sample,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, object] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_changed_field_is_refused_or_harmless(seed: str) -> None:
    found = mutate(seed, SAMPLE // 2)
    assert found["wrong"] == []
    assert found["refused"]
    assert found["taken"]
