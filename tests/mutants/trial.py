"""One trial: the contract suite's tests of one claim, in a process of their own, on a mock with a mutant in it."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from mutants.listener import REPORT
from mutants.patching import Mutant
from mutants.serve import CRASHES
from mutants.table import CONTROL, provider_of

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 120.0
"""Seconds after which a trial is given up."""


class Verdict(StrEnum):
    KILLED = "killed"
    """A test of the claim failed, as it should."""
    SURVIVED = "survived"
    """All tests of the claim passed; for the control, as they should."""
    BROKEN = "broken"
    """No proof: the mock did not start, crashed or hung, or the tests did not run."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a mutant (or the control) and a claim; `why` is the test that failed, or what broke."""

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
        """Whether it went as it should."""
        return self.verdict is (Verdict.SURVIVED if self.is_control else Verdict.KILLED)


def run_all(mutants: Sequence[Mutant], jobs: int) -> Iterator[Trial]:
    """A trial for each mutant and claim of it, and the control for each of these claims, as they end."""
    pairs = [(mutant, claim) for mutant in mutants for claim in mutant.claims]
    pairs += [(CONTROL, claim) for claim in dict.fromkeys(claim for _, claim in pairs)]
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run, mutant, claim) for mutant, claim in pairs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def run(mutant: Mutant, claim: str) -> Trial:
    """Try a mutant on the tests of a claim."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        report, crashes = Path(folder, "report"), Path(folder, "crashes")
        status, output = _pytest(mutant, claim, report, crashes)
        verdict, why = _judge(status, output, _lines(report), _lines(crashes))
    return Trial(mutant, claim, verdict, why, time.monotonic() - began)


def _pytest(mutant: Mutant, claim: str, report: Path, crashes: Path) -> tuple[int | None, str]:
    """The suite's exit status (None if it hung) and what it printed."""
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "CONTRACT_MOCK_COMMAND": shlex.join([sys.executable, "-m", "mutants.serve", mutant.id]),
        REPORT: str(report),
        CRASHES: str(crashes),
    }
    command = [sys.executable, "-m", "pytest", f"contract_tests/{provider_of(claim)}", "--claim", claim]
    command += ["-q", "-p", "no:cacheprovider", "-p", "mutants.listener"]
    command += [] if mutant is CONTROL else ["-x"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        output, _ = process.communicate(timeout=LONGEST)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # so that it ends the mocks that it started
        return None, _ended(process)


def _ended(process: "subprocess.Popen[str]") -> str:
    try:
        return process.communicate(timeout=20)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def _lines(page: Path) -> list[str]:
    return page.read_text("utf-8").splitlines() if page.exists() else []


def _judge(status: int | None, output: str, report: Sequence[str], crashes: Sequence[str]) -> tuple[Verdict, str]:
    tests = [json.loads(line) for line in report]
    failed = next((test for test in tests if test["outcome"] == "failed"), None)
    if crashes:
        return Verdict.BROKEN, f"it crashed: {crashes[0]}"
    if status is None:
        return Verdict.BROKEN, f"not done after {LONGEST:.0f} s"
    if failed is not None and failed["when"] == "call":
        return Verdict.KILLED, str(failed["test"]).rpartition("/")[2]
    if status == 0 and any(test["outcome"] == "passed" for test in tests):
        return Verdict.SURVIVED, ""
    return Verdict.BROKEN, _reason(output)


def _reason(output: str) -> str:
    """The line that says best why the tests did not run."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E ")]
    return (errors or lines or ["nothing was printed"])[-1].removeprefix("E ").strip()[:200]
