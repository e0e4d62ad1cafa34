"""The mutants: every documented claim has one, a sample is killed, and `scripts/mutants` detects survivors."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from contract_tests.library import claims
from mutants.patching import Mutant, NoLongerApplies, patched
from mutants.table import MUTANTS, STALE, claims_without_a_mutant, documented_claims, provider_of, sample

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = 4


def _source(module: str) -> str:
    path = ROOT.joinpath(*module.split("."))
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8")


def _mutants(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """`scripts/mutants` with arguments, without setting anything up."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-m", "mutants", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_every_documented_claim_has_a_mutant() -> None:
    assert claims_without_a_mutant() == []


def test_a_claim_without_a_mutant_is_found() -> None:
    others = [mutant for mutant in MUTANTS if "EV-CB-3" not in mutant.claims]
    assert claims_without_a_mutant(others) == ["EV-CB-3"]
    assert "XH-PROMPT-1" in documented_claims()  # D/P: mixed ones count


def test_ids_and_claims_of_mutants_are_valid() -> None:
    assert [name for name, count in Counter(mutant.id for mutant in MUTANTS).items() if count > 1] == []
    for mutant in MUTANTS:
        assert mutant.claims
        assert set(mutant.claims) <= claims().keys(), mutant.id
        assert mutant.id.startswith(f"{mutant.claims[0].lower()}-"), mutant.id
        assert re.fullmatch(r"\S.*\.", mutant.wrong), mutant.id


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_every_patch_applies_and_changes_something(mutant: Mutant) -> None:
    assert mutant.patches
    for module in {patch.full_name for patch in mutant.patches}:
        source = _source(module)
        assert ast.dump(ast.parse(patched(mutant.patches, module, source))) != ast.dump(ast.parse(source))


def test_a_patch_that_no_longer_applies_is_refused() -> None:
    module = STALE.patches[0].full_name
    with pytest.raises(NoLongerApplies, match=re.escape(f"{module} has 0 times: (61.0, 89.0)")):
        patched(STALE.patches, module, _source(module))


def test_a_sample_comes_from_all_providers() -> None:
    chosen = sample(SAMPLE)
    assert len({mutant.id for mutant in chosen}) == SAMPLE
    assert {provider_of(one.claims[0]) for one in chosen} == {provider_of(one.claims[0]) for one in MUTANTS}
    assert chosen == sample(SAMPLE)


def test_a_sample_is_killed() -> None:
    ran = _mutants("--sample", str(SAMPLE))
    assert ran.stdout.endswith(f"\n{SAMPLE} killed, 0 survived\n"), ran.stdout + ran.stderr
    assert ran.returncode == 0


def test_a_mutant_that_changes_nothing_survives() -> None:
    ran = _mutants("--only", "no-op")
    assert "no-op (XH-LAT-1) survived: Nothing is wrong" in ran.stdout
    assert ran.stdout.endswith("; the control holds 1 of 1 claims\n0 killed, 1 survived\n"), ran.stdout + ran.stderr
    assert ran.returncode == 1


def test_a_mutant_that_crashes_or_is_stale_proves_nothing() -> None:
    ran = _mutants("--only", "crashing", "--only", "stale")
    assert "crashing (XH-LAT-1) proves nothing, it crashed: POST /xhuoapi" in ran.stdout
    assert "stale (XH-LAT-1) proves nothing, mutants.patching.NoLongerApplies" in ran.stdout
    assert ran.stdout.endswith("\n0 killed, 2 survived\n"), ran.stdout + ran.stderr
    assert ran.returncode == 1


def test_an_unknown_mutant_is_refused() -> None:
    ran = _mutants("--only", "xh-nothing")
    assert (ran.returncode, "there is no mutant 'xh-nothing'" in ran.stderr) == (2, True)
