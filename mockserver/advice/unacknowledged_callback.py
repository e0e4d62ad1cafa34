"""Rule `unacknowledged-callback`: a receiver acknowledges no attempt of a callback."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records
from mockserver.engine.callbacks import Attempt, State


def find(records: Records) -> Iterator[Finding]:
    for one in records.deliveries:
        if one.state is State.GAVE_UP:
            yield Finding(
                one.provider,
                one.account,
                f"The callback of task {one.task_id} to {one.target[:100]} was given up after {len(one.attempts)} "
                f"attempts: {', '.join(dict.fromkeys(map(_outcome, one.attempts)))}.",
                tasks=[one.task_id],
                callbacks=[one.id],
            )


def _outcome(attempt: Attempt) -> str:
    return str(attempt.outcome.status or attempt.outcome.error)


RULE = Rule(
    "unacknowledged-callback",
    "Never acknowledges a callback",
    "After the last retry nothing comes any more, and a client that relies on callbacks waits for ever. Acknowledge "
    "with 2xx what has been stored, and query the tasks whose callback did not come.",
    find,
)
