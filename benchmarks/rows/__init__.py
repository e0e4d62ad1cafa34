"""The rows of the table, in its order: one file each, whose `measure(scale)` returns the row's figures."""

from collections.abc import Callable, Sequence

from benchmarks.figures import Figure
from benchmarks.rows import (
    advancing,
    callbacks,
    control,
    embedded,
    fetching,
    fixture,
    flat,
    intercepted,
    peers,
    pending,
    pictures,
    polling,
    snapshots,
    stalls,
    starting,
    stores,
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
    "fetching": fetching.measure,
    "stalls": stalls.measure,
    "callbacks": callbacks.measure,
    "advancing": advancing.measure,
    "pending": pending.measure,
    "snapshots": snapshots.measure,
    "control": control.measure,
    "flat": flat.measure,
    "starting": starting.measure,
    "stores": stores.measure,
    "embedded": embedded.measure,
    "fixture": fixture.measure,
    "peers": peers.measure,
}
