"""Checks that every record of a snapshot is one that this server could have made. Errors name the field."""

import re
from collections.abc import Mapping
from itertools import pairwise
from math import inf

from mockserver.engine.accounts import is_account_id
from mockserver.engine.latency import LONGEST
from mockserver.engine.ledger import USAGE_KEPT, AccountRow
from mockserver.engine.outbound import parse_route
from mockserver.engine.problems import Kind
from mockserver.engine.sinks import SINKS_KEPT
from mockserver.engine.snapshot import FORM, State
from mockserver.engine.snapshot_check_callbacks import check_delivery, check_sink
from mockserver.engine.snapshot_rules import (
    LONGEST_TEXT,
    TASK_ID,
    SnapshotProvider,
    need,
    need_count,
    need_once,
    need_text,
    need_time,
    need_url,
    provider_named,
)
from mockserver.engine.tasks import Job, Task

LONGEST_SIDE, MOST_PIXELS = 8_192, 20_000_000
"""Of a picture: beyond what any model makes, and little enough to draw."""


_MONTH = re.compile(r"([0-9]{4}-(0[1-9]|1[0-2])/[0-9]{1,18})?")


def check(state: State, providers: Mapping[str, SnapshotProvider]) -> None:
    """Check a whole snapshot. Raises ValueError for the first thing that this server can't have written."""
    need(state.form == FORM, "form", f"is {state.form}; this server reads {FORM}")
    clock = state.clock
    need_time(clock.now, "clock.now")
    real = clock.mode == "real"
    need(0 < clock.speed <= 100_000 if real else clock.speed == 0, "clock.speed", "is none of this mode")
    need_text(state.seed, "seed")
    need_count(state.anonymous_requests, "anonymous_requests")
    held = dict(state.held)
    for number, task in enumerate(state.tasks):
        _check_task(task, f"tasks[{number}]", providers, clock.now)
        _check_end(task, f"tasks[{number}].due", task.id in held, clock.now)
    need_once((task.id for task in state.tasks), "tasks")
    _check_held(state)
    for number, account in enumerate(state.accounts):
        _check_account(account, f"accounts[{number}]", providers, clock.now)
    _check_sums(state)
    tasks = {task.id: task for task in state.tasks}
    for number, delivery in enumerate(state.deliveries):
        check_delivery(delivery, f"deliveries[{number}]", tasks, providers, clock.now)
    need_once((delivery.id for delivery in state.deliveries), "deliveries")
    _check_planned(state, held)
    need(len(state.routes) <= 10_000, "routes", "has more than 10000 lines")
    for number, (source, destination) in enumerate(state.routes):
        need_text(source + destination, f"routes[{number}]", 4_000)
        parse_route(f"{source}={destination}")
    need(len(state.sinks) <= SINKS_KEPT, "sinks", f"has more than {SINKS_KEPT}")
    for name, sink in state.sinks.items():
        need_text(name, "sinks")
        check_sink(sink, f"sinks.{name}", clock.now)


def _check_task(task: Task, place: str, providers: Mapping[str, SnapshotProvider], now: float) -> None:
    job = task.job
    provider = provider_named(job.provider, f"{place}.job.provider", providers)
    need(TASK_ID.fullmatch(task.id) is not None, f"{place}.id", "is no task id")
    need(job.model in provider.models, f"{place}.job.model", f"is none of {', '.join(provider.models)}")
    _check_job(job, f"{place}.job")
    need_time(task.created, f"{place}.created", now)
    need_time(task.planned, f"{place}.planned")
    need(task.created <= task.planned, f"{place}.planned", "is before the task was created")
    early = _ended_early(task)
    need(early or task.failure == job.failure, f"{place}.failure", "is not the job's own")
    for name, failure in (("failure", task.failure), ("job.failure", job.failure)):
        if failure is not None:
            kind = Kind.FAILED if failure.code else failure.kind
            need(kind in provider.failures, f"{place}.{name}.kind", "is no failure of this provider")
            need_text(failure.code or "", f"{place}.{name}.code")
            need_text(failure.detail, f"{place}.{name}.detail")
    if early:
        kinds = (None, Kind.CANCELLED, Kind.FAILED)
        need((task.failure and task.failure.kind) in kinds, f"{place}.failure.kind", "is no end before the planned one")
        need(
            task.created <= task.due <= max(now, task.created),
            f"{place}.due",
            "is not as planned, nor before now",
        )
        need(job.stuck or task.due <= task.planned, f"{place}.due", "is after the planned end")
    if provider.check_restored is not None:
        try:
            provider.check_restored(task)
        except ValueError as error:
            raise ValueError(f"{place}.{error}") from None


def _ended_early(task: Task) -> bool:
    """Whether a task was cancelled, or ended by hand, before its planned end (or at it)."""
    planned = inf if task.job.stuck else task.planned
    return task.due != planned or task.failure != task.job.failure


def _check_job(job: Job, place: str) -> None:
    need(is_account_id(job.account), f"{place}.account", "is no hash of a key")
    need(0 < len(job.prompt) <= 100_000, f"{place}.prompt", "is empty or longer than 100000 characters")
    need_text(job.size, f"{place}.size", 100)
    need_count(job.width, f"{place}.width", 1, LONGEST_SIDE)
    need_count(job.height, f"{place}.height", 1, LONGEST_SIDE)
    need(job.width * job.height <= MOST_PIXELS, f"{place}.height", f"makes more than {MOST_PIXELS} pixels")
    need_count(job.count, f"{place}.count", 1, 10)
    need_count(job.cost, f"{place}.cost")
    shortest, longest = job.documented
    need(0 <= shortest <= longest <= LONGEST, f"{place}.documented", "is not (shortest, longest) in seconds")
    need(job.delay is None or 0 <= job.delay <= 10 * 365 * LONGEST, f"{place}.delay", "is no number of seconds")
    need(0 < job.slowness <= 1e9, f"{place}.slowness", "is no factor")
    need(re.match(r"https?://[^/\s]+", job.origin) is not None, f"{place}.origin", "is no address")
    need_text(job.origin, f"{place}.origin")
    if job.callback_url is not None:
        need_url(job.callback_url, f"{place}.callback_url")
    need(job.trace_id != "", f"{place}.trace_id", "is empty")
    need_text(job.trace_id or "", f"{place}.trace_id")
    if job.idempotency is not None:
        need(0 < len(job.idempotency.key) <= LONGEST_TEXT, f"{place}.idempotency.key", "is empty or too long")
        is_hash = re.fullmatch("[0-9a-f]{64}", job.idempotency.fingerprint) is not None
        need(is_hash, f"{place}.idempotency.fingerprint", "is no SHA-256")


def _check_end(task: Task, place: str, held: bool, now: float) -> None:
    """A task that holds money has not been settled; one that does not has ended."""
    if held:
        need(not _ended_early(task), place, "is of a task that was ended early, but holds money")
    else:
        need(task.due <= now, place, "is ahead, and the task is not in held")


def _check_held(state: State) -> None:
    tasks = {task.id for task in state.tasks}
    need_once((task_id for task_id, _ in state.held), "held")
    for number, (task_id, month) in enumerate(state.held):
        need(task_id in tasks, f"held[{number}][0]", "is no task")
        need(_MONTH.fullmatch(month) is not None, f"held[{number}][1]", "is no month")


def _check_account(account: AccountRow, place: str, providers: Mapping[str, SnapshotProvider], now: float) -> None:
    provider_named(account.provider, f"{place}.provider", providers)
    need(is_account_id(account.id), f"{place}.id", "is no hash of a key")
    for name in ("opening", "balance", "held", "captured", "requests", "submissions", "spent", "quotas"):
        need_count(getattr(account, name), f"{place}.{name}")
    need_count(account.usage_dropped, f"{place}.usage_dropped")
    if account.quota is not None:
        need_count(account.quota, f"{place}.quota")
    need(_MONTH.fullmatch(account.month) is not None, f"{place}.month", "is no month")
    limit = account.rate_limit
    if limit is not None:
        need_count(limit.requests, f"{place}.rate_limit.requests")
        need(0 < limit.seconds < inf, f"{place}.rate_limit.seconds", "is no number of seconds")
    need(len(account.recent) <= (limit.requests if limit else 0), f"{place}.recent", "has more than are let in")
    for number, time in enumerate(account.recent):
        need_time(time, f"{place}.recent[{number}]", now)
    need(len(account.usage) <= USAGE_KEPT, f"{place}.usage", f"has more than {USAGE_KEPT} records")
    for number, usage in enumerate(account.usage):
        there, job = f"{place}.usage[{number}]", usage.task.job
        _check_task(usage.task, f"{there}.task", providers, now)
        own = (job.provider, job.account) == (account.provider, account.id)
        need(own, f"{there}.task.job.account", "is another account")
        need(usage.task.failure is None, f"{there}.task.failure", "is of a task that cost nothing")
        need(usage.time == usage.task.due <= now, f"{there}.time", "is not the task's end")
        need(usage.amount == job.cost, f"{there}.amount", "is not the task's cost")


def _check_sums(state: State) -> None:
    """For every account: opening == balance + held + captured, and what is held is what its tasks hold."""
    need_once(((account.provider, account.id) for account in state.accounts), "accounts")
    tasks = {task.id: task for task in state.tasks}
    held = {(account.provider, account.id): 0 for account in state.accounts}
    for number, (task_id, _) in enumerate(state.held):
        job = tasks[task_id].job
        need((job.provider, job.account) in held, f"held[{number}][0]", "is a task of an unknown account")
        held[job.provider, job.account] += job.cost
    for number, account in enumerate(state.accounts):
        place, paid = f"accounts[{number}]", sum(usage.amount for usage in account.usage)
        need(account.held == held[account.provider, account.id], f"{place}.held", "is not what its tasks hold")
        total = account.balance + account.held + account.captured
        need(account.opening == total, f"{place}.opening", "is not balance + held + captured")
        need(paid <= account.captured, f"{place}.captured", "is less than its usage records say")


def _check_planned(state: State, held: Mapping[str, str]) -> None:
    """What is planned is the end of every task under way that is not stuck, and each waiting callback's attempt."""
    due: dict[tuple[str, str], float] = {
        ("finish", task.id): task.due for task in state.tasks if task.id in held and not task.job.stuck
    }
    for delivery in state.deliveries:
        if delivery.next_attempt is not None:
            due["attempt", delivery.id] = delivery.next_attempt
    need_once(((kind, name) for _, kind, name in state.planned), "planned")
    for number, (time, kind, name) in enumerate(state.planned):
        need(due.get((kind, name)) == time, f"planned[{number}]", "is not what its task or callback says")
    need(len(state.planned) == len(due), "planned", "lacks the end of a task, or a callback's attempt")
    need(all(one[0] <= other[0] for one, other in pairwise(state.planned)), "planned", "is not in order")
