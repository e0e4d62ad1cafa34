"""Starts a mock as a process, and calls its control surface."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 30.0
CALLBACK_ORIGIN = "https://callbacks.example.com"
"""A public https origin that the mock delivers to the suite's own receiver."""

COMMAND_VARIABLE = "CONTRACT_MOCK_COMMAND"
"""The environment variable with the command to start instead of `python -m mockserver`; `serve …` follows it."""

_ROOT = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\]):\d+")


@contextmanager
def started(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """A mock on a free port; its root URL. Raises RuntimeError, with the mock's output, if it does not start."""
    command = [*_command(), "serve", "--port", "0", *arguments]
    env = {**os.environ, "PYTHONUNBUFFERED": "1", **(environ or {})}
    with tempfile.TemporaryFile("w+b") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=env, cwd=_checkout())
        try:
            yield _root(process, output)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command() -> list[str]:
    return shlex.split(os.environ.get(COMMAND_VARIABLE, "")) or [sys.executable, "-m", "mockserver"]


def _checkout() -> Path | None:
    """Where `-m mockserver` is found if it is not installed: beside this package."""
    parent = Path(__file__).resolve().parent.parent
    return parent if (parent / "mockserver").is_dir() else None


def _root(process: subprocess.Popen[bytes], output: Any) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        text = os.pread(output.fileno(), 65_536, 0).decode("utf-8", "replace")
        found = _ROOT.search(text)
        if found and text.endswith("\n"):
            return found.group()
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the mock did not start: {text[-2000:] or process.poll()}")
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Control:
    """The control surface of a mock at `root`, for one provider and one key."""

    root: str
    http: httpx.Client
    provider: str
    key: str

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """A control call's JSON answer. Raises AssertionError if it is refused."""
        answer = self.http.request(method, f"{self.root}/_mock/{path}", params=query, json=body, timeout=60)
        assert answer.status_code < 300, f"{method} /_mock/{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def account(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"accounts/{self.key}", provider=self.provider)
        return found

    def set_account(self, **amounts: str) -> None:
        """Set this key's `balance` or monthly `quota`."""
        self.ask("PUT", f"accounts/{self.key}", amounts, provider=self.provider)

    def spent(self) -> Decimal:
        """What this test's key was charged, with what is held."""
        account = self.account()
        return Decimal(account["captured"]) + Decimal(account["held"])

    def held(self) -> Decimal:
        return Decimal(self.account()["held"])

    def captured(self) -> Decimal:
        return Decimal(self.account()["captured"])

    def task(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"tasks/{task_id}")
        return found

    def tasks(self) -> list[dict[str, Any]]:
        """This key's tasks, newest first."""
        found: list[dict[str, Any]] = self.ask("GET", "tasks", provider=self.provider, api_key=self.key)["tasks"]
        return found

    def callbacks(self) -> list[dict[str, Any]]:
        """This key's deliveries, newest first."""
        listing = self.ask("GET", "callbacks", provider=self.provider, api_key=self.key)
        found: list[dict[str, Any]] = listing["callbacks"]
        return found

    def advance(self, seconds: float) -> Any:
        """Advance the clock, and run everything that falls due, callbacks included."""
        return self.ask("POST", "clock/advance", {"seconds": seconds})

    def forget(self) -> None:
        """Reset this key: its next calls draw the same random values as its first ones did."""
        self.ask("POST", "reset", {"api_key": self.key})

    def wait_for_attempts(self, count: int, patience: float = 20.0) -> list[dict[str, Any]]:
        """The attempts of this key's one delivery, once there are `count`."""
        deadline = time.monotonic() + patience
        while True:
            deliveries = self.callbacks()
            attempts: list[dict[str, Any]] = deliveries[0]["attempts"] if deliveries else []
            if len(attempts) >= count:
                return attempts
            assert time.monotonic() < deadline, f"{len(attempts)} of {count} attempts: {deliveries}"
            time.sleep(0.02)

    def wait_for_deliveries(self, count: int, patience: float) -> list[dict[str, Any]]:
        """This key's deliveries, once `count` of them have been attempted."""
        deadline = time.monotonic() + patience
        while True:
            tried = [delivery for delivery in self.callbacks() if delivery["attempts"]]
            if len(tried) >= count:
                return tried
            assert time.monotonic() < deadline, f"{len(tried)} of {count} deliveries tried: {self.callbacks()}"
            time.sleep(0.05)
