"""Rule `hangs-up-early`: a client leaves a call that waits for its picture before the documented time."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records

TOLERANCE = 0.98
"""The part of the time after which a client has waited for long enough: its time-out began before the server's."""


def find(records: Records) -> Iterator[Finding]:
    for call in records.submissions:
        one, task = call.exchange, call.task
        if one.hung_up is None or task is None:
            continue
        wait = records.provider_of(call).client_facts.wait(task)
        if wait is not None and one.hung_up < wait.seconds * TOLERANCE:
            yield Finding(
                one.provider,
                one.account,
                f"The client hung up after {one.hung_up:.1f} real seconds without an answer; a generation like this "
                f"may take {wait.seconds:g} s.",
                wait.claim,
                [one.id],
                [task.id],
            )


RULE = Rule(
    "hangs-up-early",
    "Hangs up before the documented time",
    "The generation goes on and is charged, and nobody gets the picture. Set the client's time-out above the "
    "documented time, or submit a task instead of waiting.",
    find,
)
