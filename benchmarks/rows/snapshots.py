"""A snapshot of many tasks, taken and put back: how long the loop stalls meanwhile."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.candidates import EVOLINK, ours
from benchmarks.figures import Figure
from benchmarks.processes import Broken
from benchmarks.rounds import Running, start
from benchmarks.rows.submission import hold
from benchmarks.scale import Scale

WITH = "a heartbeat of 5 ms in the loop, the loop's own CPU"
LEAST = 50
TIMES = 3


def measure(scale: Scale) -> Sequence[Figure]:
    row = f"snapshot of {scale.pending:,} tasks"
    found = [_measured(scale) for _ in range(min(TIMES, scale.rounds))]
    return [
        *(
            Figure(
                row,
                f"longest stall while it is {name}",
                "ms",
                [one[name] for one in found],
                WITH,
                LEAST,
                LEAST,
                "lower",
            )
            for name in ("taken", "put back")
        ),
        Figure(row, "size", "MB", [one["size"] for one in found], "its bytes", better="lower"),
    ]


def _measured(scale: Scale) -> dict[str, float]:
    """The longest stalls, in milliseconds, and the size in megabytes, of one snapshot."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mockserver-bench-")))
        beats = {name: folder / name for name in ("taken", "put back")}
        options = ("--keep-tasks", str(2 * scale.pending + 100_000))
        servers = {
            name: start(stack, ours(name, EVOLINK, heartbeat=path, options=options)) for name, path in beats.items()
        }
        hold(servers["taken"].port, scale.pending, scale)
        data = _call(servers["taken"], "GET")
        _call(servers["put back"], "PUT", data)
        stalls: dict[str, float] = {name: json.loads(path.read_text())["cpu"] for name, path in beats.items()}
    return {**stalls, "size": len(data) / 1e6}


def _call(server: Running, method: str, body: bytes | None = None) -> bytes:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=300)
    try:
        connection.request(method, "/_mock/snapshot", body)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise Broken(f"{method} /_mock/snapshot answered {answer.status}: {data[:300]!r}")
    return data
