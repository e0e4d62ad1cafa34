"""The order in which the records of a table came, in blocks."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from operator import indexOf

from mockserver.engine.pieces import Container

_BLOCK = 1_024
"""Ids in a block."""


class Arrivals:
    """Ids in the order in which they came, each with its provider.

    They are in numbered blocks, so that what begins at one in the middle, or at one of a provider that has few, does
    not go through all the others. Who adds an id keeps the number of its block, to find it again.
    """

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, str]] = {0: {}}
        self._newest = 0
        self._counts = defaultdict[str, dict[int, int]](dict)
        """How many ids of a provider each block has, by the block's number; blocks without any are left out."""

    def add(self, key: str, provider: str) -> int:
        """Add a new id behind all others; the number of its block."""
        number = self._newest
        block = self._blocks[number]
        if len(block) == _BLOCK:
            number = self._newest = number + 1
            block = self._blocks[number] = {}
        block[key] = provider
        counts = self._counts[provider]
        counts[number] = counts.get(number, 0) + 1
        return number

    def remove(self, key: str, number: int) -> None:
        """Remove an id from the block of its number."""
        block = self._blocks[number]
        counts = self._counts[block.pop(key)]
        counts[number] -= 1
        if not counts[number]:
            del counts[number]
            if not block and number != self._newest:
                del self._blocks[number]

    def remove_all(self, numbers: Mapping[str, int]) -> None:
        """Remove ids, each from the block of its number; a block that has no others goes at once."""
        whole = {number for number, count in Counter(numbers.values()).items() if count == len(self._blocks[number])}
        for key, number in numbers.items():
            if number not in whole:
                self.remove(key, number)
        for number in whole:
            for counts in self._counts.values():
                counts.pop(number, None)
            del self._blocks[number]
        self._blocks.setdefault(self._newest, {})

    def contents(self) -> list[Container]:
        """What holds the ids, for arrivals that nobody reads any more."""
        return [*self._blocks.values()]

    def newest_first(
        self,
        before: tuple[str, int] | None = None,
        provider: str | None = None,
        within: Collection[int] | None = None,
    ) -> Iterator[str]:
        """The ids of a provider, or all, newest first.

        Args:
            before: an id that is there, and the number of its block: those that came before it.
            within: the numbers of the blocks to look into; all if it is None.
        """
        own: Iterator[str] = iter(())
        end = self._newest + 1
        if before is not None:
            key, end = before
            own = self._of(end, provider)
            indexOf(own, key)
        numbers = self._blocks if provider is None else self._counts.get(provider, {})
        older = (
            self._of(number, provider)
            for number in sorted(numbers if within is None else numbers.keys() & within, reverse=True)
            if number < end
        )
        return chain(own, chain.from_iterable(older))

    def _of(self, number: int, provider: str | None) -> Iterator[str]:
        """The ids in a block, newest first."""
        block = self._blocks[number]
        if provider is None:
            return reversed(block)
        return (key for key, owner in reversed(block.items()) if owner == provider)
