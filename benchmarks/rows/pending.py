"""Many pending tasks: bytes of each, the submission's cost against an empty server's, and the loop's longest stall."""

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.candidates import EVOLINK, ours, reset
from benchmarks.figures import Figure
from benchmarks.load import harness
from benchmarks.rounds import cpu_ratios, measure_in_turns, start
from benchmarks.rows.submission import ROOM, hold
from benchmarks.scale import Scale

JOURNAL = 6_000
"""Requests after which the journal is full, so that it does not count as tasks."""

SECONDS = 1
"""Seconds of a round at most, so that there are not several times as many tasks in the end."""


def measure(scale: Scale) -> Sequence[Figure]:
    row = f"{scale.pending:,} pending tasks"
    with ExitStack() as stack:
        beats = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mockserver-bench-"))) / "beats.json"
        full = start(stack, ours("full", EVOLINK, heartbeat=beats, options=ROOM))
        few = hold(full.port, min(JOURNAL, scale.pending // 10), scale)
        before = full.process.rss()
        many = hold(full.port, few + scale.pending, scale)
        size = (full.process.rss() - before) / (many - few) / 1e3
        empty = start(stack, ours("empty", EVOLINK, before=reset, options=ROOM))
        turns = measure_in_turns([full, empty], replace(scale, seconds=min(scale.seconds, SECONDS)))
        stalls = json.loads(beats.read_text())
    inside = "a heartbeat of 5 ms in the loop"
    return [
        Figure(row, "memory of each, all told", "kB", [size], "RSS", 1.5, 0.7, "lower"),
        Figure(row, "CPU, empty server ÷ this", "×", cpu_ratios(turns, "full", "empty"), harness(), None, 0.9),
        Figure(row, "longest stall, the loop's own CPU", "ms", [stalls["cpu"]], inside, 50, 20, "lower"),
        Figure(row, "longest stall, wall clock", "ms", [stalls["wall"]], inside, better="lower"),
    ]
