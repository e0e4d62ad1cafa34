"""From the process's start to its first answer, and its memory then, in turn with bare aiohttp."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.contest import Contestant, Running
from benchmarks.contestants import EVOLINK, answer_of, bare_submission, ours
from benchmarks.figures import Figure, ratios
from benchmarks.processes import Process, free_port
from benchmarks.scale import Scale

ROW = "process start to first answer"
WITH = "benchmarks/rows/starting.py"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds by the wall clock, seconds of CPU, and megabytes."""

    wall: float
    cpu: float
    rss: float


def _start(contestant: Contestant) -> Start:
    port = free_port()
    with Process(contestant.command(port)) as process:
        process.until_open(port, pause=0.002)
        answer_of(Running(contestant, process, port))
        return Start(time.monotonic() - process.started, process.cpu(), process.rss() / 1e6)


def measure(scale: Scale) -> Sequence[Figure]:
    def serve(port: int) -> Sequence[str]:
        return [sys.executable, "-m", "mockserver", "serve", "--quiet", "--port", str(port)]

    mine, ceiling = replace(ours("ours", EVOLINK), command=serve), bare_submission({"id": "x" * 300})
    pairs = [(_start(mine), _start(ceiling)) for _ in range(scale.starts + 1)][1:]
    wall = ratios([other.wall for _, other in pairs], [own.wall for own, _ in pairs])
    cpu = ratios([other.cpu for _, other in pairs], [own.cpu for own, _ in pairs])
    return [
        Figure(ROW, "wall clock, ours ÷ bare aiohttp", "×", wall, WITH, 2.0, 1.4, "lower"),
        Figure(ROW, "CPU, ours ÷ bare aiohttp", "×", cpu, WITH, better="lower"),
        Figure(ROW, "ours", "ms", [1e3 * own.wall for own, _ in pairs], WITH, better="lower"),
        Figure(ROW, "memory", "MB", [own.rss for own, _ in pairs], "RSS", 80, 55, "lower"),
        Figure(ROW, "memory of bare aiohttp", "MB", [other.rss for _, other in pairs], "RSS", better="lower"),
    ]
