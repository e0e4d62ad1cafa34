"""Rule `fast-polling`: a task is queried faster than once a second."""

from collections.abc import Iterator
from itertools import pairwise

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records

SECONDS = 1.0
MOST = 3
"""Intervals that may be too short: a client may look once more after its callback, say."""


def find(records: Records) -> Iterator[Finding]:
    for task_id, polls in records.polls.items():
        pauses = [(records.pause(earlier, later), later) for earlier, later in pairwise(polls)]
        hasty = [later for pause, later in pauses if pause < SECONDS]
        if len(hasty) > MOST:
            one = polls[0].exchange
            yield Finding(
                one.provider,
                one.account,
                f"Of {len(polls)} queries of task {task_id}, {len(hasty)} came within {SECONDS:g} s of the answer "
                f"before, the closest after {max(0.0, min(pauses, key=lambda pair: pair[0])[0]):.2f} s.",
                requests=[call.exchange.id for call in hasty],
                tasks=[task_id],
            )


RULE = Rule(
    "fast-polling",
    "Polls faster than once a second",
    "A generation takes a minute or more in production: fast polling finds nothing sooner and runs into the rate "
    "limit. Wait 5 s or longer between queries, or use a callback where there is one.",
    find,
)
