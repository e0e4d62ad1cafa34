"""A poll of an evolink task that is in progress."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from benchmarks.candidates import EVOLINK, answer_of, bare, bare_submission, get, ours
from benchmarks.figures import Figure
from benchmarks.load import harness
from benchmarks.rounds import cpu_ratios, measure_in_turns, start
from benchmarks.scale import Scale

ROW, GET, POST = "task poll", "bare aiohttp", "bare POST"


def measure(scale: Scale) -> Sequence[Figure]:
    with ExitStack() as stack:
        server = start(stack, ours("poll", EVOLINK))
        poll = get(f"/evolink/v1/tasks/{answer_of(server)['id']}")
        polled = replace(server, candidate=ours("poll", poll))
        answer = answer_of(polled)
        field = [polled]
        field.append(start(stack, bare(get("/v1/tasks/task-unified-1"), answer, GET)))
        field.append(start(stack, replace(bare_submission(answer), name=POST)))
        turns = measure_in_turns(field, scale)
    return [
        Figure(ROW, "CPU, a bare GET ÷ ours", "×", cpu_ratios(turns, "poll", GET), harness(), 0.88, 0.95),
        Figure(ROW, "CPU, a bare POST ÷ ours", "×", cpu_ratios(turns, "poll", POST), harness()),
    ]
