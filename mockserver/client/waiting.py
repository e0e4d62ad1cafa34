"""Callbacks: looking at them, and waiting until one has arrived."""

from mockserver.client import operations as ops
from mockserver.client.models import Callback, CallbackState, Clock, Task
from mockserver.client.operations import Owner, pages
from mockserver.client.protocol import PATIENCE, ControlCall, MockError, Operation, segment
from mockserver.engine.clock import monotonic

LOOK = 5.0
"""Real seconds after which one that waits looks again."""


class NotDelivered(MockError):
    """A callback has not arrived; the message says what became of it."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "not_delivered", message)


def callbacks(
    owner: Owner,
    task_id: str | None = None,
    provider: str | None = None,
    state: CallbackState | None = None,
    everyone: bool = False,
) -> Operation[list[Callback]]:
    rows = yield from pages("callbacks", task_id=task_id, provider=provider, state=state, api_key=owner.key(everyone))
    return [Callback.read(row) for row in rows]


def callback(callback_id: str) -> Operation[Callback]:
    return Callback.read((yield ControlCall("GET", f"callbacks/{segment(callback_id)}")))


def redeliver(callback_id: str) -> Operation[Callback]:
    return Callback.read((yield ControlCall("POST", f"callbacks/{segment(callback_id)}/redeliver")))


def wait_delivered(task_id: str, timeout: float) -> Operation[Callback]:
    """Wait, at most `timeout` real seconds, until a task's callback has arrived. A clock with autojump is moved to
    what is waited for; retries need no advance then.

    Raises:
        NotDelivered: it was lost, captured or given up, was never asked for, or the time is over.
    """
    ends = monotonic() + timeout
    while True:
        task = yield from ops.task(task_id)
        found = yield from _of(task_id)
        delivered = [callback for callback in found if callback.state == "delivered"]
        if delivered:
            return delivered[0]
        left = ends - monotonic()
        if left <= 0 or _hopeless(task, found):
            clock = yield from ops.clock()
            raise NotDelivered(explain(task, found, clock))
        yield from _go_on(task, found, left)


def _of(task_id: str, wait: float | None = None) -> Operation[list[Callback]]:
    query = {"task_id": task_id, "wait": None if wait is None else f"{wait:.3f}"}
    rows = (yield ControlCall("GET", "callbacks", query, timeout=PATIENCE + (wait or 0)))["callbacks"]
    return [Callback.read(row) for row in reversed(rows)]


def _hopeless(task: Task, found: list[Callback]) -> bool:
    if not found:
        return task.callback_url is None or task.status in ("completed", "failed")
    return all(callback.state != "waiting" for callback in found)


def _go_on(task: Task, found: list[Callback], left: float) -> Operation[None]:
    """Move a clock with autojump to what comes next; with any other, wait for it."""
    clock = yield from ops.clock()
    planned = [callback.next_attempt for callback in found if callback.next_attempt is not None]
    due = min(planned) if planned else task.due
    if clock.mode == "virtual" and clock.autojump and due is not None:
        try:
            yield from ops.advance(until=max(due, clock.now))
            return
        except MockError as error:
            if error.status not in (400, 409):  # 400: the clock has passed it; 409: a receiver is slow to answer
                raise
    yield from _of(task.id, min(left, LOOK))


def explain(task: Task, found: list[Callback], clock: Clock) -> str:
    """What became of a task's callback, in words."""
    if task.callback_url is None:
        return f"task {task.id} asked for no callback"
    if not found:
        return f"task {task.id} is {task.status} and has sent no callback{_hint(clock, task.due)}"
    lines = [f"the callback of task {task.id} has not arrived:", *map(describe, found)]
    return "\n  ".join(lines) + _hint(clock, found[0].next_attempt)


def _hint(clock: Clock, due: float | None) -> str:
    if clock.mode == "real" or due is None or due <= clock.now:
        return ""
    return f"\n  The clock is virtual: advance it by {due - clock.now:g} s to let that happen."


def describe(callback: Callback) -> str:
    """A callback and its attempts, in one line."""
    start = callback.created
    attempts = "; ".join(f"+{a.time - start:g} s: {a.status or a.error}" for a in callback.attempts) or "no attempt"
    why = " (no route leads there, see callbacks.route)" if callback.state == "captured" else ""
    return f"{callback.state}{why}: {callback.target} — {attempts}"
