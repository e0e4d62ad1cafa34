"""The rows of the table, in its order: one file each, whose `measure(scale)` returns the row's figures."""

from collections.abc import Callable, Sequence

from benchmarks.figures import Figure
from benchmarks.rows import (
    callbacks,
    embedded,
    flat,
    intercepted,
    peers,
    pending,
    pictures,
    polling,
    stalls,
    starting,
    submission,
    sync,
    unwatched,
)
from benchmarks.scale import Scale

Measure = Callable[[Scale], Sequence[Figure]]

ROWS: dict[str, Measure] = {
    "submission": submission.measure,
    "unwatched": unwatched.measure,
    "intercepted": intercepted.measure,
    "sync": sync.measure,
    "polling": polling.measure,
    "pictures": pictures.measure,
    "stalls": stalls.measure,
    "callbacks": callbacks.measure,
    "pending": pending.measure,
    "flat": flat.measure,
    "starting": starting.measure,
    "embedded": embedded.measure,
    "peers": peers.measure,
}
