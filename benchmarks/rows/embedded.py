"""`MockServer` in a test's process: its start and stop, and a reset."""

import sys
from collections.abc import Sequence

from benchmarks.figures import Figure
from benchmarks.processes import run_json
from benchmarks.scale import Scale

ROW = "MockServer in process"
WITH = "benchmarks/servers/embedded.py"


def measure(scale: Scale) -> Sequence[Figure]:
    found = run_json([sys.executable, "-m", "benchmarks.servers.embedded", str(scale.embedded)], timeout=60)
    return [
        Figure(ROW, "start and stop", "ms", found["start_stop"], WITH, 10, 2, "lower"),
        Figure(ROW, "reset, as a test calls it", "ms", found["reset"], WITH, 1, 0.3, "lower"),
        Figure(ROW, "reset, inside of the server", "ms", found["reset_inside"], WITH, better="lower"),
    ]
