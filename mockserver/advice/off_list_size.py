"""Rule `off-list-size`: a size that costs more than the listed one beside it."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records


def find(records: Records) -> Iterator[Finding]:
    for call in records.submissions:
        if call.task is None or call.task.failure:
            continue
        surcharge = records.provider_of(call).client_facts.surcharge(call.task)
        if surcharge is not None:
            yield Finding(
                call.exchange.provider,
                call.exchange.account,
                f"{surcharge.reason}.",
                surcharge.claim,
                [call.exchange.id],
                [call.task.id],
            )


RULE = Rule(
    "off-list-size",
    "Asks for a size that costs more",
    "Every such call costs half as much again, often for a few pixels. Ask for a listed size, and crop or scale the "
    "picture.",
    find,
)
