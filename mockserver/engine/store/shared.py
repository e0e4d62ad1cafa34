"""What the shared stores have in common: processes that watch one another, and a log that says an outage once.

Each process writes a number that grows, its beat, every `BEAT_SECONDS`. Another one that has seen the same number for
`DEAD_AFTER` seconds of its own takes it for dead, gives back what it had claimed, and puts on record that an attempt
of it was interrupted. No clock of another process or host counts in this.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from mockserver.engine.callbacks import Attempt, Delivery, Outcome
from mockserver.engine.clock import Entropy, monotonic, pause
from mockserver.engine.ledger import AccountChange, AccountRow
from mockserver.engine.problems import Kind, Problem, StoreUnavailable

BEAT_SECONDS = 0.4
"""Real seconds between two beats of a process."""

DEAD_AFTER = 1.2
"""Real seconds without a beat after which a process counts as dead; seen in the next look, `BEAT_SECONDS` later."""

FOLLOW_SECONDS = 0.01
"""Real seconds after which a process looks for what the others have done."""

LARGEST_AMOUNT = 2**53 - 1
"""Minor units. Lua's numbers, in which a server of Redis calculates, are exact up to here; a file holds as much, so
that a snapshot fits into each."""

TOO_LARGE = f"a shared store holds amounts of up to {LARGEST_AMOUNT} minor units"

INTERRUPTED = "its process ended before the outcome was recorded"
"""The error of an attempt that was under way when its process died. Its receiver may have got the callback."""

log = logging.getLogger("mockserver")


def new_process_id() -> str:
    """A name for this process that no other one has, not even an earlier one of the same number."""
    return Entropy().seed


def new_row(
    opening: Mapping[str, int], terms: Mapping[tuple[str, str], AccountChange], provider: str, account: str
) -> AccountRow:
    """An account that is opened: with its provider's opening balance, and then by the terms for all and for itself."""
    row = AccountRow(provider, account, opening[provider], opening[provider])
    for owner in ("", account) if terms else ():
        if (own := terms.get((provider, owner))) is not None:
            row.change(own, 0.0)
    return row


def need_amounts(*amounts: int | None) -> None:
    """Make sure that a store can hold amounts. Raises Problem(INVALID_PARAMETER)."""
    if max(amount or 0 for amount in amounts) > LARGEST_AMOUNT:
        raise Problem(Kind.INVALID_PARAMETER, TOO_LARGE)


class Watch:
    """Which other processes are dead, from their beats as this process sees them.

    `now` reads real seconds. The time between two looks counts for two beats at most: a machine that slept would
    otherwise find everybody dead when it wakes.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._seen: dict[str, tuple[int, float]] = {}
        self._looked: float | None = None

    def dead(self, beats: Mapping[str, int]) -> list[str]:
        """Look at the beats of all other processes; those that have died, whom the caller then removes."""
        now = self._now()
        passed = min(now - self._looked, 2 * BEAT_SECONDS) if self._looked is not None else 0.0
        self._looked = now
        seen: dict[str, tuple[int, float]] = {}
        for name, beat in beats.items():
            before, silent = self._seen.get(name, (None, 0.0))
            seen[name] = beat, silent + passed if beat == before else 0.0
        self._seen = seen
        return [name for name, (_, silent) in seen.items() if silent >= DEAD_AFTER]


def interrupted(delivery: Delivery, began: float) -> Delivery:
    """A callback whose attempt of `began` (Unix seconds) nobody will conclude: it is made again at once.

    That it may have reached its receiver is on record, and does not count as a failure. The answer of a sink that was
    waited for is waited for again.
    """
    if delivery.ended or delivery.under_way is not None:
        return delivery
    lost = Attempt(began, Outcome(None, 0.0, INTERRUPTED))
    return replace(delivery, attempts=(*delivery.attempts, lost))


class Outage:
    """Logs when a store can't be used, once, and once when it can be again."""

    def __init__(self) -> None:
        self._lasts = False

    def begin(self, problem: StoreUnavailable) -> None:
        if not self._lasts:
            self._lasts = True
            log.warning("calls are refused (503): %s", problem.detail)

    def end(self) -> None:
        if self._lasts:
            self._lasts = False
            log.warning("the store can be used again")


class Rounds:
    """Does a few things again and again in the running event loop, whether or not the store can be used meanwhile."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, step: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Call `step`, and again `seconds` (of real time) after it has ended, until `stop`."""
        self._tasks.append(asyncio.get_running_loop().create_task(_again_and_again(step, seconds)))

    async def stop(self) -> None:
        """Break off whatever is under way, and wait until it has ended."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _again_and_again(step: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        try:
            await step()
        except StoreUnavailable:
            pass  # the store's `Outage` has logged it
        except Exception:
            log.exception("a round of the store failed")
        await pause(seconds)
