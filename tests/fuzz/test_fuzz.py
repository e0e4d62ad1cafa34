"""N random requests: no 5xx that was not asked for, no defect, no wrong envelope, and memory within its bounds.

`scripts/test --fuzz N` says how many; 3,000 otherwise.
"""

import json
import os
import resource
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from test_bad_wire import parsed

from fuzz.generator import Generator, Sent
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.scene import Scene

SETTLED = 1_000
"""Requests between two looks at the server's state."""

ENDLESS = "/_mock/events"
"""A stream of events, whose answer does not end."""

GROWTH = 64 * 1024 * 1024
"""Bytes by which memory may grow after a third of the requests: pages that an allocator keeps, not records."""

SHAPES = {
    "xhuoapi": {"success", "error", "trace_id"},
    "icodeeasy": {"error"},
    "evolink": {"error"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Scene]:
    settings = Settings(
        port=0,
        clock="virtual",
        latency="instant",
        seed="fuzz",
        autojump=True,
        keep_tasks=500,
        keep_requests=500,
        keep_callbacks=500,
        keep_accounts=500,
    )
    with MockServer(settings) as mock, web.Client(base_url=mock.root_url, timeout=20.0) as http:
        yield Scene(mock, http)


def exchange(root: str, data: bytes) -> bytes:
    """Send a request and end one's side; all that comes back."""
    split = urlsplit(root)
    received = b""
    with closing(socket.create_connection((split.hostname, split.port), timeout=10)) as client:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while part := client.recv(1 << 20):
                received += part
        except ConnectionError:
            pass
    return received


def check(sent: Sent, received: bytes) -> int:
    """Hold an answer against what was sent; its status, 0 for none."""
    if not received:
        assert not sent.whole, ("no answer", sent)
        return 0
    received = received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    answer = parsed(received if sent.method != "HEAD" else received.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    status = answer.status_code
    assert status < 500 or b"mock:" in sent.data, (sent, received[:2_000])
    if status >= 400 and sent.whole and sent.method != "HEAD":
        assert answer.headers["content-type"] == "application/json", (sent, received)
        body: Any = answer.json()
        if sent.provider in SHAPES:
            assert body.keys() == SHAPES[sent.provider], (sent, received)
        else:
            assert body.keys() <= {"error", "mounts", "control"}, (sent, received)
            assert body["error"].keys() == {"code", "message"}, (sent, received)
    return status


def settle(server: Scene, generator: Generator) -> None:
    """Undo what a random control call has changed of time and faults; every list and the snapshot can be read."""
    for method, path, body in (
        ("DELETE", "faults", None),
        ("PUT", "clock", {"mode": "virtual", "autojump": True}),
        ("POST", "clock/advance", {"seconds": 20}),
    ):
        assert server.http.request(method, f"/_mock/{path}", json=body).status_code == 200, path
    ids = []
    for noun in ("tasks", "callbacks", "requests", "accounts", "faults", "routes", "snapshot", "sink/x"):
        answer = server.http.get(f"/_mock/{noun}")
        assert answer.status_code == 200, (noun, answer.text)
        found = answer.json()
        ids += [row["id"] for row in found.get(noun, ()) if isinstance(row, dict) and "id" in row][:10]
    generator.ids = ids or ["x"]
    health = server.mock("health")
    assert health["defects"] == {"count": 0, "last": []}, json.dumps(health["defects"])[-3_000:]


def resident() -> int:
    """Bytes of memory that this process has at present; its most so far where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def test_random_requests(server: Scene, pytestconfig: pytest.Config) -> None:
    count = int(pytestconfig.getoption("fuzz"))
    app = server.server.app
    control = [(method, path) for method, path, _ in app.control.routes if path != ENDLESS]
    generator = Generator("fuzz", app.providers, control)
    statuses: Counter[int] = Counter()
    early = 0
    for number in range(count):
        sent = generator.request()
        statuses[check(sent, exchange(server.root, sent.data))] += 1
        if "/_mock/clock" in sent.path or "/_mock/faults" in sent.path:
            settle(server, generator)
        if number % SETTLED == SETTLED - 1:
            settle(server, generator)
        if number == count // 3:
            early = resident()
    settle(server, generator)
    late = resident()
    print(f"{count} requests: {dict(sorted(statuses.items()))}; {early >> 20} MB, then {late >> 20} MB")
    assert sum(statuses[status] for status in statuses if 200 <= status < 300) > count // 20
    assert late - early < GROWTH
