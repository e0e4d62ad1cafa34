"""Operations on callbacks: reading them, and waiting until one is delivered."""

from mockserver.client import operations as ops
from mockserver.client.models import Callback, CallbackState, Clock, Task
from mockserver.client.operations import pages
from mockserver.client.protocol import PATIENCE, ControlCall, MockError, Operation, hide_misuse, segment
from mockserver.client.scope import Scope
from mockserver.engine.clock import monotonic

__tracebackhide__ = hide_misuse
LONGEST_WAIT = 5.0
"""Real seconds that one call waits at most for a callback to end, before everything is read again."""


class NotDelivered(MockError):
    """A callback was not delivered; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "not_delivered", message)


def callbacks(
    scope: Scope,
    task_id: str | None = None,
    provider: str | None = None,
    state: CallbackState | None = None,
    everyone: bool = False,
) -> Operation[list[Callback]]:
    rows = yield from pages("callbacks", task_id=task_id, provider=provider, state=state, **scope.filter(everyone))
    return [Callback.read(row) for row in rows]


def callback(callback_id: str) -> Operation[Callback]:
    return Callback.read((yield ControlCall("GET", f"callbacks/{segment(callback_id)}")))


def redeliver(callback_id: str) -> Operation[Callback]:
    return Callback.read((yield ControlCall("POST", f"callbacks/{segment(callback_id)}/redeliver")))


def wait_delivered(task_id: str, timeout: float) -> Operation[Callback]:
    """Wait, at most `timeout` real seconds, until a task's callback is delivered. A clock with autojump is advanced to
    each attempt.

    Raises:
        NotDelivered: it was lost, captured or given up, was never requested, or the time is over.
    """
    ends = monotonic() + timeout
    while True:
        task = yield from ops.task(task_id)
        found = yield from _callbacks_of(task_id)
        delivered = [callback for callback in found if callback.state == "delivered"]
        if delivered:
            return delivered[0]
        left = ends - monotonic()
        if left <= 0 or _cannot_arrive(task, found):
            clock = yield from ops.clock()
            raise NotDelivered(explain(task, found, clock))
        yield from _wait_or_advance(task, found, left)


def _callbacks_of(task_id: str, wait: float | None = None) -> Operation[list[Callback]]:
    query = {"task_id": task_id, "wait": None if wait is None else f"{wait:.3f}"}
    rows = (yield ControlCall("GET", "callbacks", query, timeout=PATIENCE + (wait or 0)))["callbacks"]
    return [Callback.read(row) for row in reversed(rows)]


def _cannot_arrive(task: Task, found: list[Callback]) -> bool:
    if not found:
        return task.callback_url is None or task.status in ("completed", "failed")
    return all(callback.state != "waiting" for callback in found)


def _wait_or_advance(task: Task, found: list[Callback], left: float) -> Operation[None]:
    """Advance a clock with autojump to the next event of a task; with any other clock, wait for it."""
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
    yield from _callbacks_of(task.id, min(left, LONGEST_WAIT))


def explain(task: Task, found: list[Callback], clock: Clock) -> str:
    """Why a task's callback was not delivered, in words."""
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
