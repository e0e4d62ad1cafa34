"""What a process of a shared store keeps a copy of: clock, seed and autojump, the fault rules, and the callback routes.

This is all that is cached from one request to the next. In the store it has a version number, which grows with each
change of it. The first verb of every request (`count_request`, `refresh`) and the follower learn the version; if it is
not the copy's, they read everything anew before they return. Nobody reads a copy without such a verb before.

Within the store in a file, a transaction also goes on with the counters and accounts that the one before it has read,
if the file says, under its lock, that nobody else has changed anything since (`Known` in `sqlite/transaction.py`).
"""

from collections.abc import Callable
from dataclasses import replace

from mockserver.engine.clock import ServerState
from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.outbound import Route
from mockserver.engine.store import Change, Listener
from mockserver.engine.store.steering import StoredRule


@fast_dataclass
class InForce:
    """What is in force as of a version. The clock of `state` is as it was set: at the store's real time `clock.at`.

    `state` is None while the store is empty: no process has begun yet.
    """

    version: int = 0
    state: ServerState | None = None
    rules: tuple[StoredRule, ...] = ()
    routes: tuple[Route, ...] = ()


class Copy:
    """This process's copy. `real_time` is the store's own time (Unix seconds), one for all processes."""

    def __init__(self, real_time: Callable[[], float]) -> None:
        self.current = InForce()
        self.listener: Listener | None = None
        self._real_time = real_time

    def put(self, own: InForce) -> None:
        """Keep what this process has put in force itself, or begins with: nobody is told."""
        self.current = own

    def take(self, read: InForce) -> None:
        """Keep what other processes have put in force; the listener is told if the state is another one."""
        before, self.current = self.current.state, read
        if read.state is not None and read.state != before:
            self.tell(Change("state", state=self.shown(read.state)))

    def tell(self, change: Change) -> None:
        """Tell the listener of what another process has done."""
        if self.listener is not None:
            self.listener(change)

    def stored(self, state: ServerState) -> ServerState:
        """A state of this moment as the store keeps it."""
        return replace(state, clock=replace(state.clock, at=self._real_time()))

    def shown(self, state: ServerState) -> ServerState:
        """A state that the store keeps, with its clock as it shows now."""
        return replace(state, clock=state.clock.shown_at(self._real_time()))
