"""Rule `ignores-retry-after`: a refused call is made again sooner than its Retry-After said."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records

TOLERANCE = 0.95
"""The part of the time after which a call is on time: clients measure it from another instant than the server."""


def find(records: Records) -> Iterator[Finding]:
    for earlier, later in records.retries():
        asked = earlier.exchange.retry_after
        if asked is None or records.pause(earlier, later) >= asked * TOLERANCE:
            continue
        one = earlier.exchange
        yield Finding(
            one.provider,
            one.account,
            f"A {one.status} with Retry-After: {asked} was followed by the same call after "
            f"{records.pause(earlier, later):.2f} s.",
            requests=[one.id, later.exchange.id],
        )


RULE = Rule(
    "ignores-retry-after",
    "Ignores Retry-After",
    "A call that comes too early is refused again and counts towards the limit, so that the client is locked out for "
    "longer. Wait for as many seconds as Retry-After says.",
    find,
)
