"""Rule `redirected-callback`: a receiver answers a callback with a redirect."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records


def find(records: Records) -> Iterator[Finding]:
    for one in records.deliveries:
        statuses = [made.outcome.status for made in one.attempts if 300 <= (made.outcome.status or 0) < 400]
        if statuses:
            yield Finding(
                one.provider,
                one.account,
                f"The callback of task {one.task_id} to {one.target[:100]} was answered {statuses[0]}.",
                tasks=[one.task_id],
                callbacks=[one.id],
            )


RULE = Rule(
    "redirected-callback",
    "Answers a callback with a redirect",
    "Redirects are not followed: each counts as a failure, and the callback is given up. Give the final address as "
    "callback_url, with https and the slash at the end that the framework wants.",
    find,
)
