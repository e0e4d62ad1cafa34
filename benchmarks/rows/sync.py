"""icodeeasy and xhuoapi, waiting for their pictures, at the latency `instant`."""

from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.contest import contest, cpu_ratios, start
from benchmarks.contestants import ICODEEASY, XHUOAPI, answer_of, bare_submission, ours
from benchmarks.figures import Figure
from benchmarks.load import harness
from benchmarks.scale import Scale

NAMES = {"icodeeasy": ICODEEASY, "xhuoapi": XHUOAPI}


def measure(scale: Scale) -> Sequence[Figure]:
    with ExitStack() as stack:
        field = [start(stack, ours(name, request, latency="instant")) for name, request in NAMES.items()]
        field.append(start(stack, bare_submission(answer_of(field[0]))))
        turns = contest(field, scale)
    return [
        Figure(f"{name} sync", "CPU, ceiling ÷ ours", "×", cpu_ratios(turns, name), harness(), 0.45, 0.60)
        for name in NAMES
    ]
