"""Shared stores: what a submission costs in one process, two processes, a restart, and memory with many tasks."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from time import monotonic

from benchmarks.candidates import EVOLINK, answer_of, bare_submission, ours, reset
from benchmarks.figures import Figure
from benchmarks.load import harness, load
from benchmarks.processes import OWN_CORES, WORKER_CPUS
from benchmarks.rounds import Candidate, Running, Turn, cpu_ratios, measure_in_turns, start, turn
from benchmarks.rows.submission import hold
from benchmarks.scale import Scale
from benchmarks.stores import STORES, Store, redis

LEASTS = {"SQLite": 0.35, "Redis": 0.30}
SCALES_LEAST = 1.6
RESTART_LEAST = 3.0
PIECES = 5
FLAT_LEAST = 5.0


def measure(scale: Scale) -> Sequence[Figure]:
    return [*_costs(scale), *_workers(scale), *_restarts(scale), *_flat(scale)]


def _ours(name: str, store: Store, *flags: str, cores: tuple[int, ...] = ()) -> Candidate:
    """A server on a store, on uvloop where that is installed, as it is run."""
    made = ours(name, EVOLINK, loop="uvloop", before=reset, options=("--store", store.url, *flags))
    return replace(made, cores=cores) if cores else made


def _costs(scale: Scale) -> list[Figure]:
    """A submission in one process, by the CPU of that process; the store's own is a figure of its own."""
    figures = []
    with ExitStack() as stack:
        stores = [stack.enter_context(opened()) for opened in STORES.values()]
        field = [start(stack, _ours(store.name, store)) for store in stores]
        field.append(start(stack, bare_submission(answer_of(field[0]))))
        turns = measure_in_turns(field, scale)
        for store in stores:
            row, with_ = f"evolink submission, {store.name}", harness()
            ratios = cpu_ratios(turns, store.name)
            figures.append(Figure(row, "one process: CPU, ceiling ÷ ours", "×", ratios, with_, LEASTS[store.name]))
            own = [one.cpu for one in turns[store.name]]
            figures.append(Figure(row, "CPU per request", "µs", own, with_, better="lower"))
            if store.process is not None:
                figures.append(Figure(row, "the store's CPU per request", "µs", _store_cpu(store, field, scale), with_))
    return figures


def _store_cpu(store: Store, field: Sequence[Running], scale: Scale) -> list[float]:
    """Microseconds of the store's own process for a submission."""
    (running,) = [one for one in field if one.candidate.name == store.name]
    reset(running)
    before = store.cpu()
    done = load(running.port, EVOLINK, scale.connections, scale.seconds).requests
    return [1e6 * (store.cpu() - before) / done]


def _workers(scale: Scale) -> list[Figure]:
    """Two processes against one, by the rate. Where they have no cores of their own, no ratio is asked for."""
    figures = []
    for name, opened in STORES.items():
        with ExitStack() as stack:
            store = stack.enter_context(opened())
            one = start(stack, _ours("one", store))
            turns = [turn(one, scale.connections, scale.seconds) for _ in range(scale.rounds)]
            one.process.end()
            two = start(stack, _ours("two", store, "--workers", "2", cores=WORKER_CPUS))
            others = [turn(two, scale.connections, scale.seconds) for _ in range(scale.rounds)]
        row, with_ = f"two processes, {name}", harness() + ("" if OWN_CORES else ", on the same cores")
        rates = [_rate(other) / _rate(own) for own, other in zip(turns, others, strict=True)]
        least = SCALES_LEAST if OWN_CORES else None
        figures.append(Figure(row, "rate, two ÷ one", "×", rates, with_, least))
        figures.append(Figure(row, "rate", "/s", [_rate(other) for other in others], with_))
        figures.append(Figure(row, "CPU per request", "µs", [other.cpu for other in others], with_, better="lower"))
    return figures


def _rate(one: Turn) -> float:
    return one.load.requests / one.load.seconds


def _restarts(scale: Scale) -> list[Figure]:
    """From a process's start to its first answer, with many tasks under way in the store of one that was killed."""
    figures = []
    for name, opened in STORES.items():
        with ExitStack() as stack:
            store = stack.enter_context(opened())
            room = ("--keep-tasks", str(2 * scale.pending + 1_000))
            first = start(stack, _ours("first", store, *room))
            hold(first.port, scale.pending, scale)
            first.process.kill()
            second = start(stack, _ours("second", store, *room))
            answer_of(second)
            seconds = monotonic() - second.process.started
        row = f"restart with {scale.pending:,} tasks, {name}"
        figures.append(Figure(row, "start to first answer", "s", [seconds], harness(), RESTART_LEAST, better="lower"))
    return figures


def _flat(scale: Scale) -> list[Figure]:
    """Memory of a process while many tasks gather in Redis."""
    sizes = []
    with ExitStack() as stack:
        store = stack.enter_context(redis())
        server = start(stack, _ours("ours", store, "--keep-tasks", str(2 * scale.stored + 100_000)))
        done = 0
        for piece in range(1, PIECES + 1):
            while done < piece * scale.stored / PIECES:
                done += load(server.port, EVOLINK, scale.connections, scale.seconds).requests
            sizes.append(server.process.rss() / 1e6)
    growth = 100 * (sizes[-1] / sizes[0] - 1)
    row = f"{scale.stored:,} tasks in Redis"
    return [
        Figure(
            row,
            f"RSS, against after the first {scale.stored // PIECES:,}",
            "%",
            [growth],
            harness(),
            FLAT_LEAST,
            better="lower",
        ),
        Figure(row, "RSS", "MB", sizes, harness(), better="lower"),
    ]
