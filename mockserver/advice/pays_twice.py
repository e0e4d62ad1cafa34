"""Rule `pays-twice`: a submission without a clear answer is sent again, and both are charged."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Call, Records

SECONDS = 600.0
"""A submission that comes later than this is one of its own."""


def find(records: Records) -> Iterator[Finding]:
    for earlier, later in records.retries():
        if not later.submits or not _charged(later) or records.pause(earlier, later) > SECONDS:
            continue
        outcome = _unclear(earlier)
        if not outcome or (earlier.task is not None and later.task is not None and earlier.task.id == later.task.id):
            continue
        if _charged(earlier):
            said = "Both were accepted, and are charged"
        elif earlier.task is None and not records.provider_of(earlier).client_facts.free_5xx and _keyless(later):
            said = "Whether the first one is charged as well can't be known, and no Idempotency-Key was sent"
        else:
            continue
        one = earlier.exchange
        yield Finding(
            one.provider,
            one.account,
            f"A submission {outcome}, and the same one followed {records.pause(earlier, later):.1f} s later. {said}.",
            requests=[one.id, later.exchange.id],
            tasks=[call.task.id for call in (earlier, later) if call.task is not None],
        )


def _charged(call: Call) -> bool:
    return call.task is not None and call.task.failure is None


def _keyless(call: Call) -> bool:
    return "Idempotency-Key" not in call.exchange.headers


def _unclear(call: Call) -> str:
    """How a call ended, if its client could not see from the answer what has become of it; else ""."""
    exchange = call.exchange
    if exchange.hung_up is not None:
        return f"was given up after {exchange.hung_up:.1f} s"
    if exchange.broken:
        return "lost its connection"
    return f"was answered {exchange.status}" if exchange.status is not None and exchange.status >= 500 else ""


RULE = Rule(
    "pays-twice",
    "Submits again what may have been accepted",
    "A time-out, a lost connection or a 5xx does not say that nothing happened: the first generation goes on and is "
    "charged, and so is the second. Wait for long enough; look for the task before submitting again; send an "
    "Idempotency-Key where there is one; and turn off the automatic retries of an SDK (max_retries=0).",
    find,
)
