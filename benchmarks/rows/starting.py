"""The time from a process's start to its first answer, and its memory then, compared with bare aiohttp."""

import compileall
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.candidates import EVOLINK, answer_of, bare_submission, ours
from benchmarks.figures import Figure, ratios
from benchmarks.processes import ROOT, Process, free_port
from benchmarks.rounds import Candidate, Running
from benchmarks.scale import Scale

ROW = "process start to first answer"
WITH = "benchmarks/rows/starting.py"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds by the wall clock, seconds of CPU, and megabytes."""

    wall: float
    cpu: float
    rss: float


def _start(candidate: Candidate) -> Start:
    port = free_port()
    with Process(candidate.command(port)) as process:
        process.until_open(port, pause=0.002)
        answer_of(Running(candidate, process, port))
        return Start(time.monotonic() - process.started, process.cpu(), process.rss() / 1e6)


def _compile() -> None:
    """Write the bytecode that an installed package has: an environment may forbid Python to do so by itself."""
    for folder in ("mockserver", "benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)


def measure(scale: Scale) -> Sequence[Figure]:
    def serve(port: int) -> Sequence[str]:
        return [sys.executable, "-m", "mockserver", "serve", "--quiet", "--port", str(port)]

    _compile()
    mine, ceiling = replace(ours("ours", EVOLINK), command=serve), bare_submission({"id": "x" * 300})
    pairs = [(_start(mine), _start(ceiling)) for _ in range(scale.starts + 1)][1:]
    wall = ratios([other.wall for _, other in pairs], [own.wall for own, _ in pairs])
    cpu = ratios([other.cpu for _, other in pairs], [own.cpu for own, _ in pairs])
    return [
        Figure(ROW, "wall clock, ours ÷ bare aiohttp", "×", wall, WITH, 1.35, 1.25, "lower"),
        Figure(ROW, "CPU, ours ÷ bare aiohttp", "×", cpu, WITH, better="lower"),
        Figure(ROW, "ours", "ms", [1e3 * own.wall for own, _ in pairs], WITH, better="lower"),
        Figure(ROW, "memory", "MB", [own.rss for own, _ in pairs], "RSS", 52, 48, "lower"),
        Figure(ROW, "memory of bare aiohttp", "MB", [other.rss for _, other in pairs], "RSS", better="lower"),
    ]
