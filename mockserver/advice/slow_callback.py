"""Rule `slow-callback`: a receiver does not acknowledge a callback in time."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records
from mockserver.engine.callbacks import DOCUMENTED

SECONDS = DOCUMENTED.timeout


def find(records: Records) -> Iterator[Finding]:
    for one in records.deliveries:
        late = [made for made in one.attempts if made.outcome.status is None and made.outcome.duration >= SECONDS]
        if late:
            yield Finding(
                one.provider,
                one.account,
                f"The receiver of the callback of task {one.task_id} had not answered after {SECONDS:g} s, in "
                f"{len(late)} of {len(one.attempts)} attempts.",
                tasks=[one.task_id],
                callbacks=[one.id],
            )


RULE = Rule(
    "slow-callback",
    "Acknowledges a callback too late",
    "The attempt counts as failed and the callback comes again, although the work has been done: it is done twice, or "
    "the callback is given up. Answer 2xx at once, and do the work afterwards.",
    find,
)
