"""Rule `polls-ended-task`: a task is queried again and again although an answer has shown that it had ended."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records

MOST = 2
"""Queries after that answer that are nothing unusual."""


def find(records: Records) -> Iterator[Finding]:
    for task_id, polls in records.polls.items():
        task = polls[0].task
        ended = [call for call in polls if task is not None and call.exchange.time >= task.due]
        later = ended[1:]
        if len(later) > MOST:
            one = polls[0].exchange
            yield Finding(
                one.provider,
                one.account,
                f"Task {task_id} was queried {len(later)} more times after an answer had shown that it had ended.",
                requests=[call.exchange.id for call in later],
                tasks=[task_id],
            )


RULE = Rule(
    "polls-ended-task",
    "Polls a task that has ended",
    "A task that has completed or failed never changes again: a loop that does not stop there runs for ever, and uses "
    "up the rate limit of the tasks that go on. Stop at completed and at failed.",
    find,
)
