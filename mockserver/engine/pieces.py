"""Walks over many records with pauses, in which the loop does what else is due: nobody waits for all of them."""

from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from mockserver.engine.clock import pause

T = TypeVar("T")


async def in_pieces(records: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    """The records, `size` of them at a time. They are those of one instant if nobody changes the sequence meanwhile."""
    for start in range(0, len(records), size):
        if start:
            await pause(0)
        yield records[start : start + size]
