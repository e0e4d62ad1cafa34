"""Rule `acts-on-duplicate`: a client submits again when the same callback comes again."""

from collections.abc import Iterator

from mockserver.advice.base import Finding, Rule
from mockserver.advice.inconsistent_callback import by_task
from mockserver.advice.records import Call, Records

SECONDS = 5.0
"""Seconds of the clock after an attempt within which a submission is taken for its consequence."""


def find(records: Records) -> Iterator[Finding]:
    accepted: dict[tuple[str, str, tuple[bytes, int]], list[Call]] = {}
    by_id: dict[str, Call] = {}
    for call in records.submissions:
        if call.task is not None:
            accepted.setdefault((call.exchange.account, call.exchange.path, call.content), []).append(call)
            by_id[call.task.id] = call
    for task_id, copies in by_task(records).items():
        origin = by_id.get(task_id)
        times = sorted(made.time for one in copies for made in one.attempts if made.outcome.success)
        # without time between the submission and its callback, what came of which can't be told
        if len(times) < 2 or origin is None or times[0] <= origin.exchange.time:
            continue
        for again in accepted.values():
            after = [call for call in again if times[0] <= call.exchange.time <= times[-1] + SECONDS]
            expected = 0 if origin in again else 1
            own = [call for call in after if call.exchange.account == origin.exchange.account]
            if len(own) > expected and own[-1].exchange.time >= times[1]:
                yield Finding(
                    copies[0].provider,
                    copies[0].account,
                    f"The callback of task {task_id} arrived {len(times)} times, and the client submitted the same "
                    f"generation {len(own) + 1 - expected} times.",
                    requests=[call.exchange.id for call in ([origin, *own] if not expected else own)],
                    tasks=[task_id],
                    callbacks=[one.id for one in copies],
                )


RULE = Rule(
    "acts-on-duplicate",
    "Acts on a callback that it has had before",
    "Callbacks come at least once: a receiver that acts on each of them submits, and pays, twice. Remember the task "
    "ids that were processed, and answer 2xx to the others without doing anything.",
    find,
)
