"""The ends of tasks that this process runs: one by one, or side by side.

During an advance on a shared store, as many are run side by side as come to the same as one by one: those of one time,
and, as long as whatever they plan is done at once, those of several. The store is asked for things in their order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mockserver.engine.attempts import Conclude
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import Event
from mockserver.engine.together import all_of

MOST = 32
"""Ends that are run side by side."""

CRASHED_END = "the end of a task crashed"


@dataclass(slots=True)
class Ending:
    """What ends a task. `attempts_at_once` is how many attempts of its callbacks that plans, if all of them are made at
    its time, wait for nobody and plan no others; else None."""

    settle: Conclude
    attempts_at_once: Callable[[], Awaitable[int | None]]


Prepared = tuple[Event, Ending | None, int | None]
"""An end, what ends the task if it is still to be ended, and its attempts at once."""


End = Callable[[str, float], Awaitable[Ending | None]]
"""Prepares the end of a task, by its id and the time it was planned for; None if there is nothing to end."""


class Ends:
    """Runs the ends of tasks. A crash is a defect of this server, but may not stop the clock for the others.

    Args:
        failed: is told of an event that the store failed at, so that it is run again.
        crashed: is told of the error of an end that crashed.
    """

    def __init__(self, end: End, failed: Callable[[Event], None], crashed: Callable[[Exception], None]) -> None:
        self.running = asyncio.Lock()
        """Is held while ends run: who waits for those that are due waits for one that is claimed, too."""
        self._end = end
        self._failed = failed
        self._crashed = crashed
        self._room = MOST

    async def run(self, event: Event) -> None:
        """End a task."""
        try:
            ending = await self._end(event[2], event[0])
            if ending is not None:
                await ending.settle()
        except (StoreUnavailable, asyncio.CancelledError):
            self._failed(event)
            raise
        except Exception as error:  # noqa: BLE001  # `crashed` is told
            self._crashed(error)

    async def run_all(self, ends: Sequence[Event]) -> None:
        """End tasks side by side, beginning in their order."""
        if len(ends) == 1:
            await self.run(ends[0])
            return
        await all_of(map(self.run, ends))

    # in the order of time

    def room(self) -> int:
        """How many ends are worth preparing at once: one, where the last time others had to wait."""
        return self._room

    async def prepare(self, events: Sequence[Event]) -> list[Prepared]:
        """Prepare ends that follow one another: as many as can be settled together. The others are run later."""
        prepared = await all_of(map(self._prepare, events))
        last = next((event[0] for event, _, attempts in prepared if attempts is None), events[-1][0])
        for event in events:
            if event[0] > last:
                self._failed(event)
        together = [one for one in prepared if one[0][0] <= last]
        self._room = min(2 * self._room, MOST) if len(together) == len(events) else 1
        return together

    async def _prepare(self, event: Event) -> Prepared:
        with self._run_again_if_away(event):
            ending = await self._end(event[2], event[0])
            return event, ending, 0 if ending is None else await ending.attempts_at_once()
        return event, None, 0

    async def settle(self, prepared: Prepared) -> None:
        """End a task that was prepared."""
        event, ending, _ = prepared
        if ending is not None:
            with self._run_again_if_away(event):
                await ending.settle()

    @contextmanager
    def _run_again_if_away(self, event: Event) -> Iterator[None]:
        """As `run` does by itself, since this would cost each end of a synchronous call a microsecond."""
        try:
            yield
        except (StoreUnavailable, asyncio.CancelledError):
            self._failed(event)
            raise
        except Exception as error:  # noqa: BLE001  # `crashed` is told
            self._crashed(error)
