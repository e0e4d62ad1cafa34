"""Rule `expired-link`: a picture's link is used after its end."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records


def find(records: Records) -> Iterator[Finding]:
    for call in records.calls:
        one, task = call.exchange, call.task
        if not call.fetches or task is None or (one.status or 0) < 400:
            continue
        link = records.provider_of(call).client_facts.link(task)
        if link is not None and link.seconds is not None and one.time >= int(task.due) + link.seconds:
            yield Finding(
                one.provider,
                task.job.account,
                f"A link to the picture of task {task.id} was used {(one.time - task.due) / 3600:.1f} h after its "
                f"completion and answered {one.status}: links live for {link.seconds / 3600:g} h.",
                link.claim,
                [one.id],
                [task.id],
            )


RULE = Rule(
    "expired-link",
    "Uses a link after its end",
    "What was stored is a link and not the picture: it breaks in every page that shows it. Fetch the picture when the "
    "task completes, and store the bytes.",
    find,
)
