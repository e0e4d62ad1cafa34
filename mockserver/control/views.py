"""The engine's records as JSON of the control surface: times in Unix seconds, money as decimal text."""

from collections.abc import Iterable, Mapping
from math import isinf
from typing import Any

from mockserver.engine.callbacks import Attempt, Delivery
from mockserver.engine.engine import Engine
from mockserver.engine.journal import Exchange, parsed, readable, redact, safe_headers
from mockserver.engine.ledger import Account, Currency, Usage
from mockserver.engine.pieces import in_pieces
from mockserver.engine.sinks import Sink
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.engine.store.steering import RuleCounts
from mockserver.engine.tasks import Status, Task
from mockserver.faults.rules import Rule
from mockserver.http.context import Mount
from mockserver.http.refusals import failure_refusal

SHOWN = 300
"""Characters of a path or a prompt in a list's row."""

_PIECE = 1_000
"""Accounts that are added up at once."""


async def clock_view(engine: Engine) -> dict[str, Any]:
    """The clock; `next_due` is the time of the next event, null if none is planned."""
    clock = engine.clock
    return {
        "now": clock.now(),
        "mode": clock.mode,
        "speed": clock.speed,
        "autojump": engine.waiters.autojump,
        "next_due": await engine.event_runner.next_due(),
    }


def defects_view(engine: Engine) -> dict[str, Any]:
    """The internal errors of this server since its start, resets included: their count, and the last ones in full."""
    last = [
        {"number": found.number, "where": found.where, "account": found.account or None, "traceback": found.text}
        for found in engine.defects.kept
    ]
    return {"count": engine.defects.count, "last": last}


def rule_view(rule: Rule, counts: RuleCounts) -> dict[str, Any]:
    """A fault rule, and how often it matched and fired."""
    return {
        "id": rule.id,
        "match": rule.match.model_dump(exclude_none=True),
        **rule.when.model_dump(),
        "fault": rule.fault.model_dump(exclude_none=True),
        "matched": counts.matched,
        "fired": counts.fired,
    }


def sink_view(name: str, sink: Sink) -> dict[str, Any]:
    """A built-in receiver: the rest of its script, and the callbacks it received, oldest first."""
    return {
        "name": name,
        "received_dropped": sink.dropped,
        "responses": [{"status": reply.status, "delay": reply.delay} for reply in sink.script],
        "received": [
            {"time": got.time, "headers": dict(got.headers), "body": parsed(got.body)} for got in sink.received
        ],
    }


def task_view(task: Task, mount: Mount, now: float, delivery: Delivery | None) -> dict[str, Any]:
    """A task with its status at `now`."""
    job, currency = task.job, mount.provider.currency
    status = task.status_at(now)
    failure = _failure(task, mount) if task.failure else None
    ended = task.ended_at(now)
    held, captured = (job.cost, 0) if status in (Status.PENDING, Status.PROCESSING) else (0, job.cost)
    return {
        "id": task.id,
        "provider": job.provider,
        "account": job.account,
        "model": job.model,
        "prompt": job.prompt,
        "size": job.size,
        "width": job.width,
        "height": job.height,
        "count": job.count,
        "status": status,
        "progress": task.progress_at(now),
        "created": task.created,
        "starts": task.starts,
        "due": None if isinf(task.due) else task.due,
        "price": currency.text(job.cost),
        "held": currency.text(held),
        "captured": currency.text(0 if task.failure else captured),
        "currency": currency.code,
        "failure": failure if ended else None,
        "will_fail": failure["code"] if failure and not ended else None,
        "callback_url": job.callback_url,
        "callback": delivery.id if delivery else None,
    }


def _failure(task: Task, mount: Mount) -> dict[str, Any]:
    assert task.failure is not None
    refusal = failure_refusal(mount.provider.failures, task.failure)
    return {"kind": task.failure.kind, "code": refusal.code, "detail": task.failure.detail}


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """A callback with every attempt."""
    return {
        "id": delivery.id,
        "task_id": delivery.task_id,
        "provider": delivery.provider,
        "account": delivery.account,
        "target": delivery.target,
        "routed": delivery.routed,
        "state": delivery.state,
        "created": delivery.created,
        "next_attempt": delivery.next_attempt,
        "attempts": [attempt_view(attempt) for attempt in delivery.attempts],
        "body": readable(delivery.body),
    }


def attempt_event(delivery: Delivery, attempt: Attempt) -> dict[str, Any]:
    """An attempt as it is told to those who follow the events: `number` counts from 1."""
    outcome = attempt.outcome
    return {
        "id": delivery.id,
        "task_id": delivery.task_id,
        "provider": delivery.provider,
        "account": delivery.account,
        "url": delivery.routed or delivery.target,
        "state": delivery.state,
        "number": len(delivery.attempts),
        "time": attempt.time,
        "status": outcome.status,
        "duration": round(outcome.duration, 6),
        "error": outcome.error,
        "next_attempt": delivery.next_attempt,
    }


def attempt_view(attempt: Attempt) -> dict[str, Any]:
    outcome = attempt.outcome
    return {
        "time": attempt.time,
        "status": outcome.status,
        "duration": round(outcome.duration, 6),
        "error": outcome.error,
        "response": outcome.response,
    }


def exchange_view(exchange: Exchange) -> dict[str, Any]:
    """A request and its answer, without the API key."""
    secret, headers = exchange.secret, safe_headers(exchange.headers)
    return {
        "id": exchange.id,
        "time": exchange.time,
        "provider": exchange.provider,
        "account": exchange.account or None,
        "method": exchange.method,
        "path": redact(exchange.path, secret),
        "headers": {redact(name, secret): redact(value, secret) for name, value in headers.items()},
        "body": readable(exchange.body, secret),
        "body_size": exchange.body_size,
        "pictures": exchange.pictures,
        "status": exchange.status,
        "response": readable(exchange.response, secret),
        "response_type": exchange.response_type,
        "duration": exchange.duration,
        "task_id": exchange.task_id,
        "cost": exchange.cost,
        "error": exchange.error,
        "note": exchange.note or None,
    }


def exchange_summary(exchange: Exchange, task: Task | None, currency: Currency | None) -> dict[str, Any]:
    """A request as a list's row; `task` is the task that it submitted or asked for, if known."""
    secret = exchange.secret
    model, prompt = (task.job.model, task.job.prompt) if task else _model_and_prompt(exchange)
    shown = {
        "id": exchange.id,
        "time": exchange.time,
        "provider": exchange.provider,
        "account": exchange.account or None,
        "method": exchange.method,
        "path": exchange.path[:SHOWN],
        "status": exchange.status,
        "duration": exchange.duration,
        "task_id": exchange.task_id,
        "cost": exchange.cost,
        "currency": currency.code if currency else None,
        "error": exchange.error,
        "note": exchange.note or None,
        "model": model[:SHOWN],
        "prompt": prompt[:SHOWN],
    }
    return {name: redact(value, secret) if isinstance(value, str) else value for name, value in shown.items()}


def _model_and_prompt(exchange: Exchange) -> tuple[str, str]:
    """The model and the prompt in a request's body, "" where it has none."""
    body = readable(exchange.body) if exchange.body else None
    fields = body if isinstance(body, dict) else {}
    model, prompt = fields.get("model"), fields.get("prompt")
    return model if isinstance(model, str) else "", prompt if isinstance(prompt, str) else ""


def money_view(account: Account, currency: Currency) -> dict[str, Any]:
    """An account's amounts as decimal text: opening == balance + held + captured."""
    limit = account.rate_limit
    return {
        "account": account.id,
        "provider": account.provider,
        "currency": currency.code,
        "opening": currency.text(account.opening),
        "balance": currency.text(account.balance),
        "held": currency.text(account.held),
        "captured": currency.text(account.captured),
        "quota": None if account.quota is None else currency.text(account.quota),
        "rate_limit": {"requests": limit.requests, "seconds": limit.seconds} if limit else None,
        "generations": account.submissions,
    }


async def usage_view(engine: Engine, mounts: Mapping[str, Mount], account: str | None) -> dict[str, Any]:
    """The number of callbacks, and the charges at each provider: of one account, or of all if it is None."""
    accounts = None if account is None else frozenset((account,))
    callbacks = len((await engine.store.deliveries(Wanted(accounts=accounts), EVERYTHING))[0])
    totals: dict[str, list[int]] = {}
    async for some in in_pieces((await engine.store.accounts(Wanted(accounts=accounts), EVERYTHING))[0], _PIECE):
        for found in some:
            if found.submissions:
                total = totals.setdefault(found.provider, [0, 0, 0])
                for place, amount in enumerate((found.submissions, found.captured, found.held)):
                    total[place] += amount
    charges = [
        {
            "provider": name,
            "currency": mounts[name].provider.currency.code,
            "generations": generations,
            "captured": mounts[name].provider.currency.text(captured),
            "held": mounts[name].provider.currency.text(held),
        }
        for name, (generations, captured, held) in sorted(totals.items())
    ]
    return {"callbacks": callbacks, "charges": charges}


def account_view(account: Account, records: Iterable[Usage], mount: Mount) -> dict[str, Any]:
    """An account with its usage records in the provider's documented form; `records` are newest first."""
    provider = mount.provider
    usage = [
        {
            "time": record.time,
            "task_id": record.task.id,
            "model": record.task.job.model,
            "amount": provider.currency.text(record.amount),
            "cost_breakdown": provider.cost_breakdown(record.task),
        }
        for record in records
    ]
    return {**money_view(account, provider.currency), "usage": usage, "usage_dropped": account.usage_dropped}
