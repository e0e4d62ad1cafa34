"""`python -m mutants` (scripts/mutants): try every mutant, print the table, and fail if one survives."""

import argparse
import sys
import time
from collections.abc import Sequence

from mutants.patching import Mutant
from mutants.table import MUTANTS, claims_without_a_mutant, find, sample
from mutants.trial import Trial, Verdict, run_all

WIDTHS = (34, 13, 9, 8)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 if a mutant survives or proves nothing, the control fails, or a claim has no mutant."""
    parser = argparse.ArgumentParser(prog="mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, metavar="N", help="try N mutants, spread over the providers")
    parser.add_argument("--only", action="append", metavar="ID", help="try this mutant alone (repeatable)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="how many at a time (2)")
    parser.add_argument("--list", action="store_true", help="say what each mutant is, and try none")
    given = parser.parse_args(arguments)
    try:
        chosen = _chosen(given.only, given.sample)
    except KeyError as error:
        parser.error(f"there is no mutant {error}; --list names them")
    if given.list:
        print(*(f"{one.id}: {one.wrong} ({', '.join(one.claims)})" for one in chosen), sep="\n")
        return 0
    return _try(chosen, given.jobs)


def _chosen(only: Sequence[str] | None, count: int | None) -> Sequence[Mutant]:
    if only:
        return [find(name) for name in only]
    return MUTANTS if count is None else sample(count)


def _try(chosen: Sequence[Mutant], jobs: int) -> int:
    began = time.monotonic()
    print(_row("mutant", "claim", "verdict", "seconds", "by"), flush=True)
    trials: list[Trial] = []
    for trial in run_all(chosen, jobs):
        trials.append(trial)
        if not (trial.is_control and trial.good):
            verdict = "fails" if trial.is_control else trial.verdict
            print(_row(trial.mutant.id, trial.claim, verdict, f"{trial.seconds:.1f}", trial.why), flush=True)
    return _conclude(trials, time.monotonic() - began)


def _row(*cells: str) -> str:
    return " ".join(cell.ljust(width) for cell, width in zip(cells, (*WIDTHS, 0), strict=True)).rstrip()


def _conclude(trials: Sequence[Trial], seconds: float) -> int:
    """Say what is wrong with the suite or with the mutants, and how many were killed."""
    tried = list(dict.fromkeys(trial.mutant.id for trial in trials if not trial.is_control))
    alive = {trial.mutant.id for trial in trials if not trial.is_control and not trial.good}
    for trial in trials:
        if not trial.good:
            print(f"{trial.mutant.id} ({trial.claim}) {_complaint(trial)}: {trial.mutant.wrong}")
    missing = claims_without_a_mutant()
    if missing:
        print(f"claims without a mutant: {', '.join(missing)}")
    controls = [trial for trial in trials if trial.is_control]
    held = sum(trial.good for trial in controls)
    print(f"{len(trials)} trials in {seconds:.0f} s; the control holds {held} of {len(controls)} claims")
    print(f"{len(tried) - len(alive)} killed, {len(alive)} survived")
    return int(bool(alive or missing or held < len(controls)))


def _complaint(trial: Trial) -> str:
    if trial.verdict is Verdict.BROKEN:
        return f"proves nothing, {trial.why}"
    return f"fails {trial.why}" if trial.is_control else "survived"


if __name__ == "__main__":
    sys.exit(main())
