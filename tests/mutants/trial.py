"""One trial: the contract suite's tests of one claim, in a process of their own, on a mock with a mutant in it."""

import json
import multiprocessing
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contract_tests.mock import COMMAND_VARIABLE
from mutants.listener import REPORT
from mutants.patching import Mutant
from mutants.serve import CRASHES
from mutants.table import CONTROL, provider_of

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
LONGEST = 120.0
"""Seconds after which a trial is stopped."""


class Verdict(StrEnum):
    KILLED = "killed"
    """A test of the claim failed, as it should."""
    SURVIVED = "survived"
    """All tests of the claim passed; for the control, as they should."""
    BROKEN = "broken"
    """No proof: the mock did not start, crashed or hung, or the tests did not run."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The verdict on a mutant (or the control) and a claim; `why` is the test that failed, or what broke."""

    mutant: Mutant
    claim: str
    verdict: Verdict
    why: str
    seconds: float

    @property
    def is_control(self) -> bool:
        return self.mutant is CONTROL

    @property
    def good(self) -> bool:
        """Whether the verdict is the right one: killed, or for the control survived."""
        return self.verdict is (Verdict.SURVIVED if self.is_control else Verdict.KILLED)


def run_all(mutants: Sequence[Mutant], jobs: int) -> Iterator[Trial]:
    """Yields a trial for each mutant and claim of it, and for the control and each of these claims, as they end.

    `jobs` trials run at a time, and beside them one slow mutant, which mostly waits.
    """
    pairs = [(mutant, claim) for mutant in mutants for claim in mutant.claims]
    pairs += [(CONTROL, claim) for claim in dict.fromkeys(claim for _, claim in pairs)]
    with ThreadPoolExecutor(jobs) as quick, ThreadPoolExecutor(1) as slow:
        futures = [(slow if mutant.slow else quick).submit(run, mutant, claim) for mutant, claim in pairs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for pool in (quick, slow):
                pool.shutdown(wait=False, cancel_futures=True)


def run(mutant: Mutant, claim: str) -> Trial:
    """Try a mutant on the tests of a claim."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        report, crashes, output = (Path(folder, name) for name in ("report", "crashes", "output"))
        environ = {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")])),
            COMMAND_VARIABLE: shlex.join([sys.executable, "-m", "mutants.serve", mutant.id]),
            REPORT: str(report),
            CRASHES: str(crashes),
        }
        status = _status([*_arguments(claim), *([] if mutant is CONTROL else ["-x"])], environ, output)
        verdict, why = _judge(status, _lines(output), _lines(report), _lines(crashes))
    return Trial(mutant, claim, verdict, why, time.monotonic() - began)


def _arguments(claim: str) -> list[str]:
    """The arguments of pytest, without its warning that some plugins were imported before it."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "mutants.listener"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return [f"contract_tests/{provider_of(claim)}", "--claim", claim, *options]


def _status(arguments: list[str], environ: Mapping[str, str], output: Path) -> int | None:
    """The exit status of pytest in a process of its own, None if it was not done in time."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["mutants.preload"])
    process = processes.Process(target=_pytest, args=(arguments, environ, output))
    process.start()
    process.join(LONGEST)
    if process.exitcode is not None:
        return process.exitcode
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)  # so that it ends the mocks that it started
    process.join(20)
    process.kill()
    return None


def _pytest(arguments: list[str], environ: Mapping[str, str], output: Path) -> None:
    """Run pytest in this process, and end it."""
    os.chdir(ROOT)
    os.environ.update(environ)
    with output.open("wb") as page:
        for stream in (1, 2):
            os.dup2(page.fileno(), stream)
    sys.exit(pytest.main(arguments))


def _lines(page: Path) -> list[str]:
    return page.read_text("utf-8").splitlines() if page.exists() else []


def _judge(
    status: int | None, output: Sequence[str], report: Sequence[str], crashes: Sequence[str]
) -> tuple[Verdict, str]:
    tests = [json.loads(line) for line in report]
    failed = next((test for test in tests if test["outcome"] == "failed"), None)
    if crashes:
        return Verdict.BROKEN, f"it crashed: {crashes[0]}"
    if status is None:
        return Verdict.BROKEN, f"not done after {LONGEST:.0f} s"
    if failed is not None and failed["when"] == "call":
        file, _, name = str(failed["test"]).partition("::")
        return Verdict.KILLED, f"{Path(file).name}::{name}"
    if status == 0 and any(test["outcome"] == "passed" for test in tests):
        return Verdict.SURVIVED, ""
    return Verdict.BROKEN, _reason(output)


def _reason(output: Sequence[str]) -> str:
    """The line of the output that best explains why the tests did not run."""
    lines = [line.strip() for line in output if line.strip()]
    errors = [line for line in lines if line.startswith("E ")]
    return (errors or lines or ["nothing was printed"])[-1].removeprefix("E ").strip()[:200]
