"""A picture fetched: a different one each time, and the same one again, against a bare GET of as many bytes."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import urlsplit

from benchmarks.candidates import EVOLINK, answer_of, bare, get, ours
from benchmarks.figures import Figure
from benchmarks.load import harness, load
from benchmarks.processes import ask
from benchmarks.rounds import TURN, Running, cpu_ratios, measure_in_turns, start
from benchmarks.scale import Scale

ROW, SAME, DISTINCT, CEILING = "picture GET, 1024x1024", "the same", "distinct", "bare GET"
KILOBYTES = 12
DISTINCT_PICTURES = 20_000
"""More than the cache of pictures has room for, a half too: each is drawn anew."""


def measure(scale: Scale) -> Sequence[Figure]:
    with ExitStack() as stack:
        server = start(stack, ours(SAME, EVOLINK, latency="instant"))
        tasks = [answer_of(server)["id"] for _ in range(min(DISTINCT_PICTURES, 100 * scale.pictures))]
        urls = ask(server.port, "GET", f"/evolink/v1/tasks/{tasks[0]}", headers=EVOLINK.headers)["results"]
        path = urlsplit(urls[0]).path
        paths = [path.replace(tasks[0], task) for task in tasks]
        half = len(paths) // 2

        def fill_cache(running: Running) -> None:
            """Fetch others: each turn begins with the same pictures, which are in the cache after the one before."""
            load(running.port, get(*paths[half:]), scale.connections, 2 * min(scale.seconds, TURN))

        same = replace(server, candidate=ours(SAME, get(path)))
        each = replace(server, candidate=ours(DISTINCT, get(*paths[:half]), before=fill_cache))
        ceiling = start(stack, bare(get("/v1/tasks/task-unified-1"), "x" * 1024 * KILOBYTES, CEILING))
        turns = measure_in_turns([same, each, ceiling], scale)
    return [
        Figure(
            ROW, f"{DISTINCT}: CPU, a bare GET ÷ ours", "×", cpu_ratios(turns, DISTINCT, CEILING), harness(), 0.12, 0.2
        ),
        Figure(ROW, f"{SAME}: CPU, a bare GET ÷ ours", "×", cpu_ratios(turns, SAME, CEILING), harness(), 0.5, 0.8),
    ]
