"""What is due when: heaps of small records, ordered by time and then by the order in which they were planned."""

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush, merge
from itertools import count
from typing import Generic, Literal, Protocol, Self, TypeVar

from mockserver.engine.clock import ClockState
from mockserver.engine.pieces import Container

K = TypeVar("K", bound=Hashable)

_RUN = 2_000
"""Entries that are sorted at once."""

_UNPLANNED = -1
"""In place of the order of planning, for what does not fall due."""

EventKind = Literal["finish", "attempt", "alarm"]
Event = tuple[float, EventKind, str]
"""A due event: its time (Unix seconds), its kind and an id.

Kinds: "finish" (a task ends), "attempt" (a callback is tried), "alarm" (a call that another process answers is delayed
until then; it rings by itself when it sees the clock move).
"""


class DueEvents(Protocol):
    """Where the events come from; a store has them.

    The verbs after `may_be_due` are for a store that several processes share. In memory they do nothing, and say that
    there is no other process.
    """

    @property
    def shared(self) -> bool:
        """Whether it is such a store. Then verbs are waited for; several that are asked for in one turn of the loop
        happen in their order, and cost hardly more than one."""

    async def next_due(self) -> float | None:
        """When an end or an attempt falls due next, in Unix seconds; None if nothing is planned."""

    async def claim_due(self, now: float) -> Event | None:
        """Take out the first event that is due at or before `now`.

        In a shared store the event is this process's until it is settled, concluded or planned anew; if the process
        dies before, another one gets it. While a process advances the clock, it alone runs what is due, so that all of
        it runs in order: others get nothing. The one that advances gets the alarms of the others too.
        """

    async def claim_ends(self, now: float) -> Sequence[Event]:
        """Take out the first ends of tasks that are due at or before `now`, in order: as many as may be settled side by
        side, so that a shared store has them in one transaction; none if none is due."""

    async def claim_more(self, kind: EventKind, until: float, most: int) -> Sequence[Event]:
        """Take out what comes next, in order, as long as it is of one kind: up to `most` events that are due at or
        before `until`."""

    def may_be_due(self, now: float) -> bool:
        """Whether the end of a task may be due at `now` (Unix seconds), as far as this process knows."""

    async def begin_advance(self) -> bool:
        """Let this process alone advance the clock; False while another living process does.

        When it is True, this process has been told of the clock as it is in force.
        """

    async def end_advance(self) -> None:
        """Let others advance the clock again, if this process held them up. Never raises: a store that is away does it
        when it is back."""

    async def claimed_elsewhere(self) -> Sequence[str]:
        """The ids of the tasks and callbacks whose ends and attempts other living processes have claimed."""

    async def put_clock(self, state: ClockState) -> None:
        """Say what this process has set the clock to, for all processes."""

    async def plan_alarm(self, due: float, name: str) -> None:
        """Say until when (Unix seconds) a call is delayed that this process answers; `name` is this process's own."""

    async def drop_alarm(self, name: str) -> None:
        """Say that an alarm has rung, or is not waited for any longer."""


@dataclass(slots=True)
class Queue(Generic[K]):
    """Things of one kind that fall due, each by its key. A key planned again is planned for the new time alone."""

    _heap: list[tuple[float, int, K]] = field(default_factory=list)
    _live: dict[K, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._live)

    def __contains__(self, key: K) -> bool:
        return key in self._live

    def push(self, due: float, order: int, key: K) -> None:
        self._live[key] = order
        heappush(self._heap, (due, order, key))

    def discard(self, key: K) -> bool:
        """Let a thing not fall due after all. Whether it was in here."""
        return self._live.pop(key, None) is not None

    def discard_all(self, keys: Collection[K]) -> int:
        """Let things not fall due after all. How many of them were in here."""
        live = self._live
        return len(keys) - [live.pop(key, None) for key in keys].count(None)

    def contents(self) -> list[Container]:
        """What holds its things, for one that nobody reads any more."""
        return [self._heap, self._live]

    def head(self) -> tuple[float, int] | None:
        """When the first falls due, and its place in the order of planning."""
        heap, live = self._heap, self._live
        while heap and live.get(heap[0][2]) != heap[0][1]:
            heappop(heap)
        return heap[0][:2] if heap else None

    def is_due(self, now: float) -> bool:
        """Whether there is one that is due at or before `now`."""
        heap, live = self._heap, self._live
        while heap and heap[0][0] <= now:
            if live.get(heap[0][2]) == heap[0][1]:
                return True
            heappop(heap)
        return False

    def pop_due(self, now: float) -> tuple[float, K] | None:
        """The first that is due at or before `now`, taken out; None if there is none."""
        heap, live = self._heap, self._live
        while heap and heap[0][0] <= now:
            due, order, key = heappop(heap)
            if live.get(key) == order:
                del live[key]
                return due, key
        return None

    def copy(self) -> Self:
        return type(self)(self._heap.copy(), self._live.copy())

    def entries(self) -> Iterator[tuple[float, int, K]]:
        """All of them, in the order in which they fall due.

        Sorted in runs: one sort of all would hold the interpreter's lock for as long as it takes.
        """
        live = [entry for entry in self._heap if self._live.get(entry[2]) == entry[1]]
        return merge(*[sorted(live[start : start + _RUN]) for start in range(0, len(live), _RUN)])


class OpenTasks(Queue[str]):
    """The ends of tasks. A task is in here until it is discarded, when its end is settled: also after its end was taken
    out to be run, and also if none is planned, by `keep`."""

    __slots__ = ()

    def keep(self, task_id: str) -> None:
        self._live[task_id] = _UNPLANNED

    def names(self) -> list[str]:
        """The ids of the tasks, in the order in which they were added."""
        return list(self._live)

    def pop_due(self, now: float) -> tuple[float, str] | None:
        heap, live = self._heap, self._live
        while heap and heap[0][0] <= now:
            due, order, key = heappop(heap)
            if live.get(key) == order:
                return due, key
        return None


class Schedule:
    """Two queues under one order: `ends` of tasks, and `attempts` of callbacks.

    They are apart because ends are brought up to date before each request and attempts never are: a client that
    polls from the thread that also receives its callbacks would wait for itself.
    """

    def __init__(self) -> None:
        self.ends = OpenTasks()
        self.attempts = Queue[str]()
        self._order = count()

    def plan_end(self, due: float, task_id: str) -> None:
        self.ends.push(due, next(self._order), task_id)

    def plan_attempt(self, due: float, delivery_id: str) -> None:
        self.attempts.push(due, next(self._order), delivery_id)

    def next_due(self) -> float | None:
        """When something falls due next, in Unix seconds; None if nothing is planned."""
        return min((head[0] for queue in (self.ends, self.attempts) if (head := queue.head())), default=None)

    def claim_due(self, now: float) -> Event | None:
        """Take out the first event that is due at or before `now`."""
        attempt = self.attempts.head()
        if attempt is not None and ((end := self.ends.head()) is None or attempt < end):
            due = self.attempts.pop_due(now)
            return (due[0], "attempt", due[1]) if due else None
        return self.claim_end(now)

    def claim_end(self, now: float) -> Event | None:
        """Take out the first end of a task that is due at or before `now`."""
        due = self.ends.pop_due(now)
        return (due[0], "finish", due[1]) if due else None

    def claim_more(self, kind: EventKind, until: float, most: int) -> list[Event]:
        """Take out what comes next, as long as it is of one kind: up to `most` events due at or before `until`."""
        own, other = (self.ends, self.attempts) if kind == "finish" else (self.attempts, self.ends)
        barrier = other.head()
        taken: list[Event] = []
        while len(taken) < most and (head := own.head()) and (barrier is None or head < barrier):
            due = own.pop_due(until)
            if due is None:
                break
            taken.append((due[0], kind, due[1]))
        return taken

    def contents(self) -> list[Container]:
        """As `Queue.contents`."""
        return [*self.ends.contents(), *self.attempts.contents()]

    def copy(self) -> "Schedule":
        """The schedule as it is now, for reading."""
        taken = Schedule()
        taken.ends, taken.attempts = self.ends.copy(), self.attempts.copy()
        return taken

    def planned(self) -> Iterator[Event]:
        """Every event to come, in order."""
        ends = ((due, order, "finish", key) for due, order, key in self.ends.entries())
        attempts = ((due, order, "attempt", key) for due, order, key in self.attempts.entries())
        for due, _, kind, key in merge(ends, attempts):
            yield due, "finish" if kind == "finish" else "attempt", key
