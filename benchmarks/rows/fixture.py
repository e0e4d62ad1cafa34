"""What the fixture `mock_providers` adds to an empty test."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.processes import ROOT, Broken
from benchmarks.scale import Scale

TEST = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_nothing(number{fixture}):
    assert True
"""


def measure(scale: Scale) -> Sequence[Figure]:
    added = []
    for _ in range(scale.rounds + 1):
        few, many = (_added(count) for count in (1, 1 + scale.fixtures))
        added.append(1e3 * (many - few) / scale.fixtures)
    return [Figure("mock_providers", "added to an empty test", "ms", added[1:], "pytest", 1, 0.4, "lower")]


def _added(count: int) -> float:
    """The seconds that the fixture adds to a run of so many tests."""
    return _seconds(TEST.format(count=count, fixture=", mock_providers")) - _seconds(
        TEST.format(count=count, fixture="")
    )


def _seconds(test: str) -> float:
    with tempfile.TemporaryDirectory(prefix="mockserver-bench-") as folder:
        path = Path(folder) / "test_empty.py"
        path.write_text(test, "utf-8")
        plugins = ["-p", "no:cacheprovider", "-p", "mockserver.pytest_plugin"]
        command = [sys.executable, "-m", "pytest", "-q", *plugins, "--rootdir", folder, str(path)]
        env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        before = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
        seconds = time.perf_counter() - before
    if done.returncode:
        raise Broken(f"pytest ended with status {done.returncode}: {done.stdout[-300:]}")
    return seconds
