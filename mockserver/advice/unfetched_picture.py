"""Rule `unfetched-picture`: nobody fetches a picture that was paid for."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records

SECONDS = 3600.0
"""Seconds of the clock after completion: a client that has not fetched its picture by then does not fetch it."""


def find(records: Records) -> Iterator[Finding]:
    fetched = {call.task.id for call in records.calls if call.fetches and call.task is not None}
    seen: set[str] = set()
    for call in records.submissions:
        task = call.task
        if task is None or task.failure or task.id in fetched or task.id in seen or records.now < task.due + SECONDS:
            continue
        link = records.provider_of(call).client_facts.link(task)
        if link is None:
            continue
        seen.add(task.id)
        ends = (
            "its link lives for ever" if link.seconds is None else f"its link ends {link.seconds / 3600:g} h after it"
        )
        yield Finding(
            call.exchange.provider,
            call.exchange.account,
            f"The picture of task {task.id} was not fetched in {(records.now - task.due) / 3600:.1f} h since it was "
            f"completed; {ends}.",
            link.claim,
            [call.exchange.id],
            [task.id],
        )


RULE = Rule(
    "unfetched-picture",
    "Never fetches a picture that it paid for",
    "The money is spent and nobody has the picture; where links end, it is lost. Fetch and store pictures when the "
    "task completes, or do not ask for them.",
    find,
)
