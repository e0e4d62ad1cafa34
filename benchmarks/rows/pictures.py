"""Placeholder pictures: the CPU time to make a different one each time, compared with Pillow's `save` of the same."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.figures import Figure, ratios
from benchmarks.processes import run_json
from benchmarks.scale import Scale

SIZES = {(1024, 1024): 0.6, (3840, 2160): 1.2}
WITH = "benchmarks/servers/render.py"


def _samples(width: int, height: int, scale: Scale) -> list[Mapping[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.servers.render", str(width), str(height), str(scale.pictures)]
    return [run_json(command, timeout=60) for _ in range(scale.rounds)]


def measure(scale: Scale) -> Sequence[Figure]:
    figures = []
    for (width, height), goal in SIZES.items():
        found, row = _samples(width, height, scale), f"PNG {width}x{height}"
        warm, pillow = ([sample[name] for sample in found] for name in ("warm", "pillow"))
        cold, largest = ([sample[name] for sample in found] for name in ("cold", "largest"))
        figures += [
            Figure(row, "first of a process: CPU", "ms", cold, WITH, 5, 5, "lower"),
            Figure(row, "each after that: CPU", "ms", warm, WITH, 2, goal, "lower"),
            Figure(row, "largest", "kB", largest, WITH, 64, 40, "lower"),
            Figure(row, "Pillow's save ÷ ours", "×", ratios(warm, pillow), WITH, None, 100 if width == 3840 else None),
        ]
    return figures
