"""Checks the callbacks and the sinks of a snapshot. Errors name the field."""

import re
from collections.abc import Mapping

from mockserver.engine.accounts import is_account_id
from mockserver.engine.callbacks import Attempt, Delivery
from mockserver.engine.callbacks import State as DeliveryState
from mockserver.engine.latency import LONGEST
from mockserver.engine.sinks import RECEIVED_KEPT, Sink
from mockserver.engine.snapshot_rules import (
    TASK_ID,
    SnapshotProvider,
    need,
    need_count,
    need_text,
    need_time,
    need_url,
    provider_named,
)
from mockserver.engine.tasks import Task


def check_delivery(
    delivery: Delivery,
    place: str,
    tasks: Mapping[str, Task],
    providers: Mapping[str, SnapshotProvider],
    now: float,
) -> None:
    provider = provider_named(delivery.provider, f"{place}.provider", providers)
    need(provider.callback_body is not None, f"{place}.provider", "sends no callbacks")
    need(re.fullmatch("cb_[a-z0-9]{1,16}", delivery.id) is not None, f"{place}.id", "is no id of a callback")
    need(TASK_ID.fullmatch(delivery.task_id) is not None, f"{place}.task_id", "is no task id")
    need(is_account_id(delivery.account), f"{place}.account", "is no hash of a key")
    task = tasks.get(delivery.task_id)
    if task is not None:
        own = (delivery.provider, delivery.account) == (task.job.provider, task.job.account)
        need(own, f"{place}.account", "is not its task's")
    need_url(delivery.target, f"{place}.target")
    if delivery.routed is not None:
        need_url(delivery.routed, f"{place}.routed")
    need_time(delivery.created, f"{place}.created", now)
    waiting = delivery.state is DeliveryState.WAITING
    need(waiting == (delivery.next_attempt is not None), f"{place}.next_attempt", "does not fit its state")
    need(not waiting or delivery.routed is not None, f"{place}.routed", "is missing, and it is waiting")
    if delivery.next_attempt is not None:
        need_time(delivery.next_attempt, f"{place}.next_attempt")
    need_count(delivery.failures, f"{place}.failures", 0, len(delivery.attempts))
    need(waiting or delivery.under_way is None, f"{place}.under_way", "does not fit its state")
    need(waiting or not delivery.held_back, f"{place}.held_back", "does not fit its state")
    for number, attempt in enumerate(delivery.attempts):
        _check_attempt(attempt, f"{place}.attempts[{number}]", now)
    if delivery.under_way is not None:
        _check_attempt(delivery.under_way, f"{place}.under_way", now)


def _check_attempt(attempt: Attempt, place: str, now: float) -> None:
    outcome = attempt.outcome
    need_time(attempt.time, f"{place}.time", now)
    if outcome.status is not None:
        need_count(outcome.status, f"{place}.outcome.status", 100, 999)
    need((outcome.status is None) == bool(outcome.error), f"{place}.outcome.error", "does not fit the status")
    need(0 <= outcome.duration <= LONGEST, f"{place}.outcome.duration", "is no number of seconds")
    need_text(outcome.error or "", f"{place}.outcome.error")
    need_text(outcome.response, f"{place}.outcome.response")


def check_sink(sink: Sink, place: str, now: float) -> None:
    need_count(sink.dropped, f"{place}.dropped")
    need(len(sink.script) <= 1_000, f"{place}.script", "has more than 1000 answers")
    for number, reply in enumerate(sink.script):
        need_count(reply.status, f"{place}.script[{number}].status", 100, 599)
        need(0 <= reply.delay <= LONGEST, f"{place}.script[{number}].delay", "is no number of seconds")
    need(len(sink.received) <= RECEIVED_KEPT, f"{place}.received", f"has more than {RECEIVED_KEPT}")
    for number, received in enumerate(sink.received):
        need_time(received.time, f"{place}.received[{number}].time", now)
