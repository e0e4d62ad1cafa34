"""No client gets past the mock: without its hook it fails, with it no documented host is ever looked up.

Everything runs in a network of its own, where a name server notes what is asked for and knows nothing.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.clients import CLIENTS, LONG, ROOT, Client, assert_served

FEW = ("urllib", "aiohttp", "Node fetch", "curl")
SERVER = Path(__file__).parent / "name_server.py"
NAMESPACE = ("unshare", "-n", "-m")
Work = list[tuple[str, list[str], dict[str, str]]]


def permitted() -> bool:
    test = [*NAMESPACE, "mount", "--bind", "/etc/hosts", "/etc/hosts"]
    try:
        return subprocess.run(test, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not permitted(), reason="needs namespaces of network and mounts: Linux, as root")


def beside_a_name_server(work: Work, where: Path) -> dict[str, tuple[int, str, str, list[str]]]:
    """What each command gave: exit status, both streams, and the names that it asked for."""
    file = where / "work.json"
    file.write_text(json.dumps(work))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*NAMESPACE, sys.executable, str(SERVER), str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (status, out, said, asked) for name, status, out, said, asked in rows}


def installed(names: tuple[str, ...]) -> dict[str, Client]:
    found = {}
    for name in names:
        client = CLIENTS[name]
        if client.interpreter and (client.package is None or client.package.is_dir()):
            found[name] = client
    return found


@pytest.mark.parametrize("names", [FEW, pytest.param(tuple(CLIENTS), marks=LONG)], ids=["few", "all"])
def test_no_client_gets_past_the_mock(names: tuple[str, ...], tmp_path: Path) -> None:
    clients = installed(names)
    execute = [sys.executable, "-m", "mockserver", "exec", "--latency", "instant", "--"]
    work: Work = []
    for name, client in clients.items():
        work.append((f"{name}, alone", client.arguments(), client.environment({})))
        work.append((f"{name}, led", [*execute, *client.arguments()], client.environment({})))
    found = beside_a_name_server(work, tmp_path)
    for name, client in clients.items():
        status, out, _, asked = found[f"{name}, alone"]
        assert status != 0, name
        assert "api.xhuoapi.ai" in asked, name
        status, out, said, asked = found[f"{name}, led"]
        assert asked == [], name
        done = subprocess.CompletedProcess(client.arguments(), status, out, said)
        assert_served(client, done)
