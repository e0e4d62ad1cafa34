"""Rule `retries-4xx`: a call that was refused for what it says is made again, unchanged, and refused again."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.records import Records

PASSING = frozenset({408, 409, 425, 429})
"""Statuses of 4xx after which the same call may succeed."""

SECONDS = 60.0
"""A call that is made later than this is no retry."""


def find(records: Records) -> Iterator[Finding]:
    for earlier, later in records.retries():
        one, again = earlier.exchange, later.exchange
        refused = one.status is not None and 400 <= one.status < 500 and one.status not in PASSING
        if refused and again.status == one.status and not later.fetches and records.pause(earlier, later) <= SECONDS:
            yield Finding(
                one.provider,
                one.account,
                f"{one.method} {one.path[:100]} was answered {one.status} ({one.error}) and sent again, unchanged, "
                f"{records.pause(earlier, later):.2f} s later: {again.status} again.",
                requests=[one.id, again.id],
            )


RULE = Rule(
    "retries-4xx",
    "Retries a 4xx",
    "The same call gets the same refusal: retries delay the error that somebody has to see, and use up the rate limit. "
    "Retry 408, 429 and 5xx alone, and report every other 4xx at once.",
    find,
)
