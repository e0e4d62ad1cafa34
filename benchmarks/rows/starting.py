"""The time from a process's start to its first answer, and its memory then, compared with bare aiohttp."""

import compileall
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.candidates import EVOLINK, answer_of, bare_submission, loops, ours
from benchmarks.figures import Figure, ratios
from benchmarks.processes import ROOT, Process, free_port
from benchmarks.rounds import Candidate, Running
from benchmarks.scale import Scale

ROW = "process start to first answer"
BARE = "bare aiohttp"
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


_SERVE = """
import sys
if sys.argv.pop(1) == "asyncio":
    sys.modules["uvloop"] = None  # as it is where the extra [fast] is not installed
from mockserver.cli import main
sys.exit(main())
"""


def _candidate(loop: str) -> Candidate:
    def serve(port: int) -> Sequence[str]:
        return [sys.executable, "-c", _SERVE, loop, "serve", "--quiet", "--port", str(port)]

    return replace(ours(loop, EVOLINK), command=serve)


def measure(scale: Scale) -> Sequence[Figure]:
    _compile()
    field = {**{loop: _candidate(loop) for loop in loops()}, BARE: bare_submission({"id": "x" * 300})}
    found: dict[str, list[Start]] = {name: [] for name in field}
    for _ in range(scale.starts + 1):
        for name, candidate in field.items():
            found[name].append(_start(candidate))
    starts = {name: seen[1:] for name, seen in found.items()}
    figures = []
    for loop in loops():
        wall = ratios([other.wall for other in starts[BARE]], [own.wall for own in starts[loop]])
        cpu = ratios([other.cpu for other in starts[BARE]], [own.cpu for own in starts[loop]])
        own = starts[loop]
        figures += [
            Figure(ROW, f"{loop}: wall clock, ours ÷ bare aiohttp", "×", wall, WITH, 1.35, 1.25, "lower"),
            Figure(ROW, f"{loop}: CPU, ours ÷ bare aiohttp", "×", cpu, WITH, better="lower"),
            Figure(ROW, f"{loop}: ours", "ms", [1e3 * one.wall for one in own], WITH, better="lower"),
            Figure(ROW, f"{loop}: memory", "MB", [one.rss for one in own], "RSS", 52, 48, "lower"),
        ]
    memory = [one.rss for one in starts[BARE]]
    return [*figures, Figure(ROW, "memory of bare aiohttp", "MB", memory, "RSS", better="lower")]
