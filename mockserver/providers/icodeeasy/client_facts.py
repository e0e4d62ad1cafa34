"""icodeeasy: what its documents ask of clients (001, "Synchronous processing and time-out", "Response")."""

from collections.abc import Iterator

from mockserver.engine.tasks import Task
from mockserver.providers.client_facts import ClientFacts, Fields, Ignored, Link, Wait

CLIENT_SECONDS = 200.0
"""For how long clients are told to wait, at least (IC-LAT-1)."""


def _wait(task: Task) -> Wait:
    return Wait(max(CLIENT_SECONDS, task.job.documented[1]), "IC-LAT-1")


def _link(_: Task) -> Link:
    return Link(None, "IC-FILE-3")


def _ignored(fields: Fields) -> Iterator[Ignored]:
    if fields.get("response_format") == "b64_json":
        yield Ignored("response_format", "the answer has links, never b64_json", "IC-FMT-1")


CLIENT_FACTS = ClientFacts(
    wait=_wait,
    link=_link,
    ignored=_ignored,
    free_5xx="IC-BILL-2",
    claims={
        "fast-polling": "IC-LAT-1",
        "polls-ended-task": "IC-TASK-1",
        "ignores-retry-after": "IC-ERR-1",
        "retries-4xx": "IC-ERR-1",
        "pays-twice": "IC-BILL-1",
    },
)
