"""When the command collects garbage: so that no request waits for long, and none is left for long.

Thousands of tasks may be kept, and none has reference cycles: a collection that goes through them would delay requests
by tens of milliseconds. So what has survived a turn of `BUSY_SECONDS` is left out of all collections (`gc.freeze`)
until there are no requests and few tasks.
"""

import gc
from collections.abc import Awaitable, Callable

from mockserver.engine.clock import pause

BUSY_SECONDS, QUIET_SECONDS = 0.05, 1.0
"""Seconds between two looks at what there is to collect: while there are requests, and while there are none."""

FEW_TASKS = 5_000
"""With fewer tasks than this, a full garbage collection takes a few milliseconds."""

SAMPLED = 8
"""One turn in so many is collected while there is no garbage: a request on a kept connection makes none."""

WARY_TURNS = 200
"""Every turn is collected until so many, one after the other, had no garbage."""

MOST_YOUNG = 10_000
"""New objects, less those that are gone, that are collected at once, should no turn end."""


class YoungObjects:
    """Collects the objects that are new in a turn, or leaves them out of all collections unlooked at.

    To go through them takes a fortieth of a request's time, mostly for what its task and its headers refer to.
    """

    def __init__(self) -> None:
        self._turns = 0
        self._wary = 0

    def end_turn(self) -> None:
        """Collect the objects of this turn if it is a sample, or if there was garbage lately.

        Not while collection is off: whoever has switched it off makes many records, and sees to them.
        """
        if not gc.isenabled():
            return
        self._turns += 1
        if self._wary or self._turns % SAMPLED == 0:
            self._wary = WARY_TURNS if gc.collect(0) else max(0, self._wary - 1)
        gc.freeze()


async def limit_collection(requests: Callable[[], int], tasks: Callable[[], Awaitable[int]]) -> None:
    """Collect garbage as this module says, until this is cancelled.

    Args:
        requests: how many requests there were.
        tasks: how many tasks are kept.
    """
    young = YoungObjects()
    gc.set_threshold(MOST_YOUNG, 1_000_000, 1_000_000)
    last, clean, seconds = requests(), False, QUIET_SECONDS
    while True:
        await pause(seconds)
        busy, last = requests() != last, requests()
        if busy:
            young.end_turn()
            clean = False
        elif not clean and await tasks() < FEW_TASKS:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            clean = True
        seconds = BUSY_SECONDS if busy else QUIET_SECONDS
