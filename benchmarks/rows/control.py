"""Control calls: the list of requests at its default limit, and what takes long when many tasks are held."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from benchmarks.candidates import EVOLINK, answer_of, get, ours
from benchmarks.figures import Figure
from benchmarks.load import harness, load
from benchmarks.processes import ask
from benchmarks.rounds import Running, measure_in_turns, start
from benchmarks.rows.submission import hold
from benchmarks.scale import Scale

LEAST, GOAL = 20, 2
"""Milliseconds of a control call, whatever is held."""

TIMES = 11
RESET_TASKS = 10_000
OTHER = {"Authorization": "Bearer sk_other"}


def measure(scale: Scale) -> Sequence[Figure]:
    bounds = "--keep-tasks", str(2 * scale.kept + 100_000)
    with ExitStack() as stack:
        server = start(stack, ours("list", EVOLINK, options=bounds))
        oldest = [answer_of(server)["id"] for _ in range(3)]
        load(server.port, EVOLINK, scale.connections, scale.seconds)
        listing = replace(server, candidate=ours("list", get("/_mock/requests")))
        turns = measure_in_turns([listing], replace(scale, connections=1))
        hold(server.port, scale.kept, scale)
        last = f"/_mock/tasks?cursor={oldest[2]}"
        calls: dict[str, Callable[[], object]] = {
            "first page of tasks": lambda: ask(server.port, "GET", "/_mock/tasks"),
            "last page of tasks": lambda: ask(server.port, "GET", last),
            "first page of a key's tasks": lambda: ask(server.port, "GET", "/_mock/tasks?api_key=sk_unknown"),
            "health": lambda: ask(server.port, "GET", "/_mock/health"),
            "reset of an unknown key": lambda: _reset(server, "sk_unknown"),
        }
        row, with_ = f"control calls with {scale.kept:,} tasks held", "http.client, wall clock"
        found = {what: [_milliseconds(call) for _ in range(TIMES)] for what, call in calls.items()}
        found[f"reset of a key with {RESET_TASKS:,} tasks"] = [_reset_of_many(server, scale) for _ in range(3)]
    return [
        Figure(
            "GET /_mock/requests at its default limit",
            "CPU",
            "ms",
            [turn.cpu / 1e3 for turn in turns["list"]],
            harness(),
            0.8,
            0.4,
            "lower",
        ),
        *(Figure(row, what, "ms", values, with_, LEAST, GOAL, "lower") for what, values in found.items()),
    ]


def _milliseconds(call: Callable[[], object]) -> float:
    before = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - before)


def _held(server: Running) -> int:
    return int(ask(server.port, "GET", "/_mock/health")["pending"]["tasks"])


def _reset(server: Running, key: str) -> None:
    ask(server.port, "POST", "/_mock/reset", b'{"api_key": "%s"}' % key.encode())


def _reset_of_many(server: Running, scale: Scale) -> float:
    """The milliseconds of a reset of a key that has submitted 10,000 tasks; of fewer in a smaller run."""
    before = _held(server)
    wanted = min(RESET_TASKS, scale.kept)
    asked = replace(EVOLINK, headers=OTHER)
    while (seen := _held(server) - before) < wanted:
        load(server.port, asked, scale.connections, max(0.1, min(scale.seconds, (wanted - seen) / 12_000)))
    return _milliseconds(lambda: _reset(server, "sk_other")) * wanted / seen
