"""evolink: what its documents ask of clients (002)."""

from mockserver.engine.tasks import Task
from mockserver.providers.client_facts import ClientFacts, Link, Wait
from mockserver.providers.evolink.pricing import ESTIMATED_SECONDS

LINK_SECONDS = 24 * 3600
"""How long a result's link lives (EV-FILE-1)."""


def _wait(_: Task) -> Wait:
    return Wait(ESTIMATED_SECONDS, "EV-LAT-1")


def _link(_: Task) -> Link:
    return Link(LINK_SECONDS, "EV-FILE-1")


CLIENT_FACTS = ClientFacts(
    wait=_wait,
    link=_link,
    claims={
        "fast-polling": "EV-LAT-1",
        "polls-ended-task": "EV-TASK-2",
        "ignores-retry-after": "EV-ERR-1",
        "retries-4xx": "EV-ERR-1",
        "pays-twice": "EV-BILL-1",
        "slow-callback": "EV-CB-4",
        "redirected-callback": "EV-CB-4",
        "unacknowledged-callback": "EV-CB-4",
        "inconsistent-callback": "EV-CB-4",
        "acts-on-duplicate": "EV-CB-4",
    },
)
