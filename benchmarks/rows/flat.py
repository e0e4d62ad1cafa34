"""Growth of memory over many requests, after the bounds of the store are reached."""

from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.candidates import EVOLINK, ours
from benchmarks.figures import Figure
from benchmarks.load import harness, load
from benchmarks.rounds import start
from benchmarks.scale import Scale
from mockserver.engine.store import Bounds

PIECES = 5
TASKS_KEPT = Bounds().tasks
SETTLED = 2 * TASKS_KEPT
"""Requests after which memory may not grow: when as many have been dropped as are kept, the dictionary of tasks has
found its size (it is rebuilt once, for 9 MB)."""


def measure(scale: Scale) -> Sequence[Figure]:
    if not scale.flat_requests:
        return []
    sizes = []
    with ExitStack() as stack:
        server = start(stack, ours("ours", EVOLINK, latency="instant"))
        done, bound = 0, SETTLED if scale.flat_requests >= TASKS_KEPT else 0
        for piece in range(PIECES + 1):
            while done < bound + piece * scale.flat_requests / PIECES or not done:
                done += load(server.port, EVOLINK, scale.connections, scale.seconds).requests
            sizes.append(server.process.rss() / 1e6)
    growth = [100 * (size / sizes[0] - 1) for size in sizes[1:]]
    row = f"{scale.flat_requests:,} requests"
    return [
        Figure(row, f"RSS, against after the first {bound:,}", "%", growth[-1:], harness(), 3, 3, "lower"),
        Figure(row, "RSS", "MB", sizes, harness(), better="lower"),
    ]
