"""Rule `stops-polling`: a client gives up on a task before the time that generations are documented to take."""

from collections.abc import Iterator
from itertools import pairwise

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Call, Records

LEAST_POLLS = 3
"""Queries that make a polling client; a task that is looked at once or twice is looked at by hand."""

QUIET_SECONDS = 30.0
"""Real seconds without a query after which a client has stopped, if it never waited a third as long."""


def find(records: Records) -> Iterator[Finding]:
    for task_id, polls in records.polls.items():
        first, last, task = polls[0], polls[-1], polls[-1].task
        if len(polls) < LEAST_POLLS or task is None or task.job.callback_url or last.exchange.time >= task.due:
            continue
        wait = records.provider_of(first).client_facts.wait(task)
        watched = _watched(records, task.created, first, last)
        if wait is None or watched >= wait.seconds:
            continue
        longest = max(later.exchange.started - earlier.answered for earlier, later in pairwise(polls))
        if records.real_now - last.answered >= max(QUIET_SECONDS, 3 * longest):
            yield Finding(
                last.exchange.provider,
                last.exchange.account,
                f"Task {task_id} was queried {len(polls)} times and not again after {watched:.0f} s, when it had not "
                f"ended; {wait.seconds:g} s are documented.",
                wait.claim,
                [call.exchange.id for call in polls[-3:]],
                [task_id],
            )


def _watched(records: Records, created: float, first: Call, last: Call) -> float:
    """For how many seconds of the clock a client watched a task; real ones, where a virtual clock stood still."""
    by_clock = last.exchange.time - created
    return by_clock if records.speed else max(by_clock, last.exchange.started - first.exchange.started)


RULE = Rule(
    "stops-polling",
    "Stops polling before the documented time",
    "The generation goes on and is charged, and nobody collects the picture. Poll for at least the documented time "
    "before giving up, and keep the task's id to look again later.",
    find,
)
