"""What is due when: a heap of small records, ordered by time and then by the order in which they were planned."""

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

_Entry = tuple[float, int, str]


@dataclass(slots=True)
class Queue:
    """Things of one kind that fall due, each named by an id. A name planned again is planned for the new time alone."""

    _heap: list[_Entry] = field(default_factory=list)
    _live: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._live)

    def push(self, due: float, order: int, name: str) -> None:
        self._live[name] = order
        heappush(self._heap, (due, order, name))

    def discard(self, name: str) -> None:
        """Let a thing not fall due after all."""
        self._live.pop(name, None)

    def head(self) -> tuple[float, int] | None:
        """When the first falls due, and its place in the order of planning."""
        heap, live = self._heap, self._live
        while heap and live.get(heap[0][2]) != heap[0][1]:
            heappop(heap)
        return heap[0][:2] if heap else None

    def pop_due(self, now: float) -> tuple[float, str] | None:
        """The first that is due at or before `now`, taken out; None if there is none."""
        head = self.head()
        if head is None or head[0] > now:
            return None
        due, _, name = heappop(self._heap)
        del self._live[name]
        return due, name

    def entries(self) -> list[_Entry]:
        """All of them, in the order in which they fall due."""
        return sorted(entry for entry in self._heap if self._live.get(entry[2]) == entry[1])


class Schedule:
    """Two queues under one order: `finishes` (a task ends) and `attempts` (a callback is tried).

    They are apart because ends are brought up to date before each request and attempts never are: a client that
    polls from the thread that also receives its callbacks would wait for itself.
    """

    def __init__(self) -> None:
        self.finishes = Queue()
        self.attempts = Queue()
        self._order = count()

    def finish(self, due: float, task_id: str) -> None:
        self.finishes.push(due, next(self._order), task_id)

    def attempt(self, due: float, delivery_id: str) -> None:
        self.attempts.push(due, next(self._order), delivery_id)

    def first(self) -> Queue | None:
        """The queue whose head falls due first; None if nothing is planned."""
        finish, attempt = self.finishes.head(), self.attempts.head()
        if finish is None or (attempt is not None and attempt < finish):
            return None if attempt is None else self.attempts
        return self.finishes

    def next_due(self) -> float | None:
        """When something falls due next, in Unix seconds."""
        queue = self.first()
        head = queue.head() if queue else None
        return head[0] if head else None

    def clear(self) -> None:
        """Forget everything that is planned."""
        self.finishes, self.attempts = Queue(), Queue()
