"""Rule `inconsistent-callback`: a receiver answers a callback 2xx, and 5xx when the same one comes again."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records
from mockserver.engine.callbacks import Delivery


def find(records: Records) -> Iterator[Finding]:
    for task_id, copies in by_task(records).items():
        attempts = sorted((made for one in copies for made in one.attempts), key=lambda made: made.time)
        statuses = [made.outcome.status or 0 for made in attempts]
        first = next((index for index, status in enumerate(statuses) if 200 <= status < 300), len(statuses))
        failed = [status for status in statuses[first:] if status >= 500]
        if failed:
            yield Finding(
                copies[0].provider,
                copies[0].account,
                f"The callback of task {task_id} was answered {statuses[first]}, and {failed[0]} when it came again.",
                tasks=[task_id],
                callbacks=[one.id for one in copies],
            )


def by_task(records: Records) -> dict[str, list[Delivery]]:
    """The callbacks of each task: more than one where it was sent in copies."""
    found: dict[str, list[Delivery]] = {}
    for delivery in records.deliveries:
        found.setdefault(delivery.task_id, []).append(delivery)
    return found


RULE = Rule(
    "inconsistent-callback",
    "Fails when a callback comes a second time",
    "A callback comes again whenever an acknowledgement is lost. A receiver that fails at a task it knows already, "
    "often by a unique key of its database, gets it again and again. Answer 2xx to a callback that was processed "
    "before.",
    find,
)
