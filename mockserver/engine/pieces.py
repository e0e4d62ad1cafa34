"""Work on many records in pieces, between which the loop does what else is due: nobody waits for all of it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

from mockserver.engine.clock import pause

T = TypeVar("T")

Container = dict[Any, Any] | list[Any] | deque[Any]

_FREED_AT_ONCE = 500
"""Records that are freed at once, which takes about a millisecond."""


async def in_pieces(records: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    """The records, `size` of them at a time. They are those of one instant if nobody changes the sequence meanwhile."""
    for start in range(0, len(records), size):
        if start:
            await pause(0)
        yield records[start : start + size]


def free_in_pieces(containers: Sequence[Container]) -> None:
    """Empty containers that nobody reads any more, a piece in each of the loop's next turns.

    To free a million records takes seconds, and Python would do it in one piece. Without a running loop it does.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    left = [container for container in containers if container]

    def free() -> None:
        for _ in range(_FREED_AT_ONCE):
            if isinstance(left[-1], dict):
                left[-1].popitem()
            else:
                left[-1].pop()
            if not left[-1]:
                left.pop()
                if not left:
                    return
        loop.call_soon(free)

    if left:
        loop.call_soon(free)
