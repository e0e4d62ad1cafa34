"""The project's own tools, against a server of two processes that share a store."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.conftest import Process, serving
from support.forked_pytest import PytestForks
from support.serving import CLEAN, COMMAND

ROOT = Path(__file__).parents[2]
ATTACHED = ROOT / "tests" / "pytest_plugin" / "embeddings" / "attached"


PROGRAM = """
import urllib.error, urllib.request
try:
    urllib.request.urlopen("https://api.evolink.ai/v1/tasks/none")
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture
def server(url: str) -> Iterator[Process]:
    with serving(url, "--workers", "2", "--clock", "virtual", "--latency", "instant", "--proxy-port", "0") as found:
        yield found


ENVIRONMENT = {name: value for name, value in CLEAN.items() if not name.startswith("PYTEST_")}


def said(*command: str, url: str = "") -> str:
    """What a command prints, which must succeed; `url` is the server that the commands by hand mean."""
    env = {**ENVIRONMENT, "PYTHONPATH": str(ROOT), "MOCKSERVER_URL": url}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_pytest_plugin_works_with_it(server: Process, forks: PytestForks, tmp_path: Path) -> None:
    server.ask("PUT", "clock", {"autojump": True})
    project = shutil.copytree(ATTACHED, tmp_path / "attached")
    options = ("--color=no", "-p", "no:cacheprovider", "--mock-providers-url", server.running.root)
    done = forks.run(*options, cwd=project, environ=ENVIRONMENT, path=[ROOT], timeout=90)
    assert "6 passed" in done.stdout, done.stdout


def test_the_commands_by_hand_work_with_it(server: Process) -> None:
    root = server.running.root
    assert said(*COMMAND, "health", url=root).startswith("ok: mockserver ")
    server.submit()
    assert '"ran_total": 1' in said(*COMMAND, "advance", "1", url=root) or server.money()["held"] == 0
    assert f"{root}/evolink/v1" in said(*COMMAND, "env", "--root-url", root)


def test_an_unmodified_program_is_led_to_it(server: Process) -> None:
    printed = said(*COMMAND, "exec", "--url", server.running.root, "--", sys.executable, "-c", PROGRAM)
    assert printed.splitlines()[0] == "401"
