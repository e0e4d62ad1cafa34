"""evolink's submission over the full path: on asyncio and uvloop, with few tasks held and with many."""

from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.contest import Contestant, Running, Turn, contest, cpu_ratios, start
from benchmarks.contestants import EVOLINK, answer_of, bare_submission, loops, ours, reset
from benchmarks.figures import Figure
from benchmarks.load import harness, load
from benchmarks.processes import ask
from benchmarks.scale import Scale

ROW = "evolink submission"
GOALS = {"asyncio": 0.70, "uvloop": 0.80}


def hold(port: int, tasks: int, scale: Scale) -> int:
    """Submit until so many tasks are held; how many they are."""
    while (held := int(ask(port, "GET", "/_mock/health")["pending"]["tasks"])) < tasks:
        load(port, EVOLINK, scale.connections, scale.seconds)
    return held


def measure(scale: Scale) -> Sequence[Figure]:
    held = f"{scale.held:,} held"

    def refill(running: Running) -> None:
        reset(running)
        hold(running.port, scale.held, scale)

    field: list[Contestant] = []
    for loop in loops():
        field += [
            ours(loop, EVOLINK, loop=loop, before=reset),
            ours(f"{loop}, {held}", EVOLINK, loop=loop, before=refill),
        ]
    with ExitStack() as stack:
        running = [start(stack, contestant) for contestant in field]
        running.append(start(stack, bare_submission(answer_of(running[0]))))
        turns = contest(running, scale)
    figures = []
    for loop in loops():
        for name in (loop, f"{loop}, {held}"):
            figures.append(
                Figure(ROW, f"{name}: CPU, ceiling ÷ ours", "×", cpu_ratios(turns, name), harness(), 0.55, GOALS[loop])
            )
        many = f"{loop}, {held}"
        figures.append(_p99(f"{many}: p99", turns[many], 3 if loop == "asyncio" else None))
    figures.append(_p99("bare aiohttp: p99", turns["bare aiohttp"]))
    for name in (*loops(), "bare aiohttp"):
        figures.append(
            Figure(ROW, f"{name}: CPU per request", "µs", [turn.cpu for turn in turns[name]], harness(), better="lower")
        )
    return figures


def _p99(what: str, turns: Sequence[Turn], bound: float | None = None) -> Figure:
    return Figure(ROW, what, "ms", [turn.load.p99 for turn in turns], harness(), bound, bound, "lower")
