"""Guesses of the number of an account's next generation, so that a submission costs one round trip.

A task is planned for the number that its account's next generation is believed to have, and the store accepts it if the
number is right. Several of one account in flight are given numbers in turn. When another process has submitted in
between, all of them miss: the first that learns of it begins a new count, which the others follow.
"""

from dataclasses import dataclass

_KEPT = 20_000


@dataclass(slots=True)
class Count:
    """An account's next number, how many submissions are in flight, and how often a miss has set it anew."""

    following: int = 0
    in_flight: int = 0
    misses: int = 0

    def take(self) -> tuple[int, int]:
        """A number, and the misses that it knows of."""
        self.following += 1
        return self.following - 1, self.misses

    def missed(self, true: int, misses: int) -> tuple[int, int]:
        """Another number, after the one that was taken when there had been `misses` was not the `true` one."""
        if misses == self.misses or true > self.following:
            self.misses += 1
            self.following = true
        return self.take()


class Numbers:
    """Counts by account; those of accounts that are long idle go."""

    def __init__(self) -> None:
        self._counts: dict[str, Count] = {}

    def count(self, owner: str) -> Count:
        """The count of an account ("provider/account")."""
        count = self._counts.get(owner)
        if count is None:
            if len(self._counts) >= _KEPT:
                self._drop_idle()
            count = self._counts[owner] = Count()
        return count

    def learn(self, owner: str, following: int) -> None:
        """Learn an account's next number, unless submissions of it are in flight."""
        count = self.count(owner)
        if not count.in_flight:
            count.following = following

    def clear(self) -> None:
        self._counts.clear()

    def _drop_idle(self) -> None:
        self._counts = {owner: count for owner, count in self._counts.items() if count.in_flight}
