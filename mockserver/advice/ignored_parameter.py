"""Rule `ignored-parameter`: a submission has a parameter that the provider ignores."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records


def find(records: Records) -> Iterator[Finding]:
    for call in records.submissions:
        if call.task is None:  # it was refused
            continue
        for ignored in records.provider_of(call).client_facts.ignored(call.fields):
            shown = f"{call.fields[ignored.parameter]!r:.40}"
            yield Finding(
                call.exchange.provider,
                call.exchange.account,
                f"{ignored.parameter} = {shown} was sent and is ignored: {ignored.effect}.",
                ignored.claim,
                [call.exchange.id],
                [call.task.id],
            )


RULE = Rule(
    "ignored-parameter",
    "Sends a parameter that is ignored",
    "The answer is not what the code expects, and no error says so. Leave the parameter out and do what it was meant "
    "for in another way: one call for each picture, for example, or fetch the link.",
    find,
)
