"""Rule `fast-polling`: a task is queried faster than once a second."""

from collections.abc import Iterator
from itertools import pairwise

from mockserver.advice.base import Advice, Records

SECONDS = 1.0
MOST = 3
"""Intervals that may be too short: a client that looks once more after its callback, say, is none."""


def advise(records: Records) -> Iterator[Advice]:
    for task_id, polls in records.polls.items():
        hasty = [later for earlier, later in pairwise(polls) if later.time - earlier.time < SECONDS]
        if len(hasty) > MOST:
            shortest = min(later.time - earlier.time for earlier, later in pairwise(polls))
            yield Advice(
                rule="fast-polling",
                title="Polls faster than once a second",
                account=polls[0].account,
                seen=f"{len(polls)} queries of task {task_id}, {len(hasty)} of them within {SECONDS:g} s of the one "
                f"before, the closest {shortest:.2f} s apart.",
                why="A generation takes minutes in production: polling this fast finds nothing sooner and runs into "
                "the rate limit. Wait 5 s or longer between queries, or use a callback where there is one.",
                requests=tuple(exchange.id for exchange in hasty[:20]),
                tasks=(task_id,),
            )
