"""A sample of what `scripts/test --store KIND` runs in full."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.serving import CLEAN
from support.stores import KINDS

ROOT = Path(__file__).parents[2]
SAMPLES = {
    "the contract suite, on two processes": ("contract_tests/icodeeasy", "-k", "account or usage or key or async"),
    "the fault tests": ("tests/faults/test_rules.py", "-k", "fires or fired or count or order or reset or matches"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_it_passes_on_a_shared_store(kind: str, sample: str) -> None:
    command = [sys.executable, "-m", "support.on_store", kind, *SAMPLES[sample], "-q", "-p", "no:cacheprovider"]
    env = {name: value for name, value in CLEAN.items() if not name.startswith("PYTEST_")} | {"PYTHONPATH": "tests"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
