"""icodeeasy and xhuoapi, waiting for their pictures, at the latency `instant`."""

from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.candidates import ICODEEASY, XHUOAPI, answer_of, bare_submission, loops, ours, reset
from benchmarks.figures import Figure
from benchmarks.load import harness
from benchmarks.rounds import cpu_ratios, measure_in_turns, start
from benchmarks.scale import Scale

NAMES = {"icodeeasy": ICODEEASY, "xhuoapi": XHUOAPI}
BOUNDS = {
    ("icodeeasy", "asyncio"): (0.58, 0.65),
    ("icodeeasy", "uvloop"): (0.65, 0.75),
    ("xhuoapi", "asyncio"): (0.54, 0.62),
    ("xhuoapi", "uvloop"): (0.58, 0.70),
}
"""The least and the goal."""


def measure(scale: Scale) -> Sequence[Figure]:
    pairs = [(name, loop) for name in NAMES for loop in loops()]
    with ExitStack() as stack:
        field = [
            start(stack, ours(f"{name}, {loop}", NAMES[name], latency="instant", loop=loop, before=reset))
            for name, loop in pairs
        ]
        field.append(start(stack, bare_submission(answer_of(field[0]))))
        turns = measure_in_turns(field, scale)
    return [
        Figure(
            f"{name} sync",
            f"{loop}: CPU, ceiling ÷ ours",
            "×",
            cpu_ratios(turns, f"{name}, {loop}"),
            harness(),
            *BOUNDS[name, loop],
        )
        for name, loop in pairs
    ]
