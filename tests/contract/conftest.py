"""Runs the contract suite as its users do: pytest in a process of its own, all traffic on loopback."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.scene import KEY, ROOT, GreedyHandler, GreedyServer, Provider, Ran, RunSuite
from support.forked_pytest import PytestForks

sys.path.insert(0, str(ROOT))  # contract_tests is no installed package


@pytest.fixture
def run_suite(forks: PytestForks, tmp_path: Path) -> RunSuite:
    """Runs pytest on the suite (or `folder`) with arguments; the keys are in the environment unless `keys` says no."""

    def run(*arguments: str, folder: str = "contract_tests", keys: bool = True, timeout: int = 120) -> Ran:
        page = tmp_path / "report.json"
        names = ("EVOLINK_API_KEY", "ICODEEASY_API_KEY", "XHUOAPI_API_KEY")
        environ = {name: value for name, value in os.environ.items() if name not in names}
        environ.update(dict.fromkeys(names, KEY) if keys else {})
        options = ["-p", "no:cacheprovider", "-q", *arguments, "--contract-json", str(page)]
        done = forks.run(*options, *folder.split(), cwd=ROOT, environ=environ, timeout=timeout)
        report = json.loads(page.read_text("utf-8")) if page.exists() else {}
        return Ran(done.returncode, done.stdout, report)

    return run


@pytest.fixture
def greedy() -> Iterator[tuple[str, Provider]]:
    """A provider that charges for every call: its URL, and what it counted."""
    provider = Provider()
    handler = type("Handler", (GreedyHandler,), {"provider": provider})
    server = GreedyServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", provider
    provider.released.set()
    server.shutdown()
    thread.join()
    server.server_close()
