"""A submission to evolink: on asyncio and uvloop, with and without --quiet, with few and with many tasks held."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from benchmarks.candidates import EVOLINK, answer_of, bare_submission, loops, ours, reset
from benchmarks.figures import Figure
from benchmarks.load import harness, load
from benchmarks.processes import ask
from benchmarks.rounds import Candidate, Running, Turn, cpu_ratios, measure_in_turns, start
from benchmarks.scale import Scale

ROW = "evolink submission"
LEASTS = {"asyncio": 0.68, "uvloop": 0.75}
GOALS = {"asyncio": 0.75, "uvloop": 0.85}
DEFAULT_LEASTS = {"asyncio": 0.55, "uvloop": 0.62}
DEFAULT_GOALS = {"asyncio": 0.66, "uvloop": 0.75}
"""With a line for each request, written to a file."""

ROOM = ("--keep-tasks", "1000000")
"""More than the default: a turn of the load comes on top of the tasks that are held."""


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

    few: list[Candidate] = []
    for loop in loops():
        few += [
            ours(loop, EVOLINK, loop=loop, before=reset),
            ours(f"{loop}, default", EVOLINK, loop=loop, before=reset, quiet=False),
        ]
    many = [ours(f"{loop}, {held}", EVOLINK, loop=loop, before=refill, options=ROOM) for loop in loops()]
    with ExitStack() as stack:
        first = start(stack, few[0])
        bare = start(stack, bare_submission(answer_of(first)))
        turns = measure_in_turns([first, *(start(stack, candidate) for candidate in few[1:]), bare], scale)
        full = measure_in_turns([*(start(stack, candidate) for candidate in many), bare], scale)
    figures = []
    for loop in loops():
        name, least, goal = f"{loop}, {held}", LEASTS[loop], GOALS[loop]
        figures.append(_ratio(loop, turns, least, goal))
        figures.append(_ratio(name, full, least, goal))
        figures.append(_ratio(f"{loop}, default", turns, DEFAULT_LEASTS[loop], DEFAULT_GOALS[loop]))
        figures.append(_p99(f"{name}: p99", full[name], 3 if loop == "asyncio" else None))
    figures.append(_p99("bare aiohttp: p99", turns["bare aiohttp"]))
    for name in (*loops(), "bare aiohttp"):
        figures.append(
            Figure(ROW, f"{name}: CPU per request", "µs", [turn.cpu for turn in turns[name]], harness(), better="lower")
        )
    return figures


def _ratio(name: str, turns: Mapping[str, Sequence[Turn]], least: float, goal: float) -> Figure:
    return Figure(ROW, f"{name}: CPU, ceiling ÷ ours", "×", cpu_ratios(turns, name), harness(), least, goal)


def _p99(what: str, turns: Sequence[Turn], bound: float | None = None) -> Figure:
    return Figure(ROW, what, "ms", [turn.load.p99 for turn in turns], harness(), bound, bound, "lower")
