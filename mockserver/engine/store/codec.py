"""The records of a shared store as bytes: JSON arrays of their fields, in the order of their declaration.

What is read is exactly what was written: floats to the last bit, any bytes, texts with lone surrogates. `FORM` numbers
the arrangement of the fields: change it with any field of any record in here.

No API key is written: of headers that carry one a short hash is left, and the key of a call is replaced in every
text but the address of its callback.
"""

import json
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from mockserver.engine.accounts import account_id
from mockserver.engine.callbacks import Attempt, Delivery, Outcome, State
from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.journal import REDACTED, SHORTEST_SECRET, Exchange, parsed, safe_headers, without
from mockserver.engine.ledger import AccountRow, RateLimit
from mockserver.engine.outbound import Route
from mockserver.engine.problems import Kind
from mockserver.engine.sinks import Received, Reply
from mockserver.engine.store.steering import RuleForm as RuleForm
from mockserver.engine.store.steering import StoredRule
from mockserver.engine.tasks import Failure, Idempotency, Job, Task

FORM = 2
"""The form of the records, and of the tables and keys that they are in. A store of another form is not opened."""


def dump(value: Any) -> bytes:
    """A value of JSON's types as bytes; infinity is `Infinity`."""
    try:
        return to_json(value, inf_nan_mode="constants")
    except (PydanticSerializationError, UnicodeError):  # a lone surrogate: only escaped can it be written
        return json.dumps(value, separators=(",", ":")).encode()


def load(data: bytes) -> Any:
    """What `dump` has written."""
    try:
        return from_json(data)
    except ValueError:  # it refuses escaped lone surrogates
        return json.loads(data)


_CALLBACK_URL = 17
"""Where a task's record has the address of its callback."""

_TARGET, _ROUTED = 4, 5
"""Where a callback's record has its addresses."""


# tasks


def dump_task(task: Task, secret: str = "") -> bytes:
    """A task without the API key of its account, `secret`, but for the address of its callback."""
    return hide_key(dump(_task(task, secret)), secret, (_CALLBACK_URL,))


def load_task(data: bytes) -> Task:
    return _read_task(load(data))


def _task(task: Task, secret: str) -> tuple[Any, ...]:
    job = task.job
    name = job.idempotency
    return (
        task.id,
        task.created,
        task.due,
        task.planned,
        _failure(task.failure),
        job.provider,
        job.account,
        job.model,
        job.prompt,
        job.size,
        job.width,
        job.height,
        job.cost,
        job.documented,
        job.origin,
        job.count,
        job.format,
        job.callback_url,
        _failure(job.failure),
        job.delay,
        job.slowness,
        job.stuck,
        job.trace_id,
        (name.key, name.fingerprint) if name is not None else None,
        _bytes(_without_key(job.request, secret)),
        dict(job.wire),
    )


def _read_task(row: list[Any]) -> Task:
    name, created, due, planned, failure, *rest = row
    rest[8] = tuple(rest[8])
    rest[13] = _read_failure(rest[13])
    rest[18] = Idempotency(*rest[18]) if rest[18] is not None else None
    rest[19] = _read_bytes(rest[19])
    return Task(name, Job(*rest), created, due, planned, _read_failure(failure))


def _failure(failure: Failure | None) -> tuple[str, str | None, str] | None:
    return (failure.kind.value, failure.code, failure.detail) if failure is not None else None


def _read_failure(row: list[Any] | None) -> Failure | None:
    return Failure(Kind(row[0]), row[1], row[2]) if row is not None else None


def _bytes(data: bytes) -> str | tuple[str]:
    """Bytes as text if they are UTF-8, else in Base64, in an array to tell them apart."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return (b64encode(data).decode(),)


def _read_bytes(value: str | list[str]) -> bytes:
    return value.encode() if isinstance(value, str) else b64decode(value[0])


# callbacks


def dump_delivery(delivery: Delivery, secret: str = "") -> bytes:
    """A callback without the API key of its account, `secret`, but for the addresses that it is posted to.

    The same value always gives the same bytes, so that they can be compared in its place.
    """
    return hide_key(dump(_delivery(delivery)), secret, (_TARGET, _ROUTED))


def _delivery(delivery: Delivery) -> tuple[Any, ...]:
    return (
        delivery.id,
        delivery.task_id,
        delivery.provider,
        delivery.account,
        delivery.target,
        delivery.routed,
        _bytes(delivery.body),
        float(delivery.created),
        delivery.state.value,
        [_attempt(attempt) for attempt in delivery.attempts],
        float(delivery.next_attempt) if delivery.next_attempt is not None else None,
        delivery.failures,
        _attempt(delivery.under_way) if delivery.under_way is not None else None,
        delivery.held_back,
    )


def load_delivery(data: bytes) -> Delivery:
    row = load(data)
    row[6] = _read_bytes(row[6])
    row[8] = State(row[8])
    row[9] = tuple([_read_attempt(attempt) for attempt in row[9]])
    row[12] = _read_attempt(row[12]) if row[12] is not None else None
    return Delivery(*row)


def _attempt(attempt: Attempt) -> tuple[Any, ...]:
    outcome = attempt.outcome
    return float(attempt.time), outcome.status, float(outcome.duration), outcome.error, outcome.response


def _read_attempt(row: list[Any]) -> Attempt:
    return Attempt(row[0], Outcome(*row[1:]))


# accounts


def dump_account(row: AccountRow) -> bytes:
    """An account without its usage records, which are kept apart."""
    limit = row.rate_limit
    return dump(
        (
            row.provider,
            row.id,
            row.opening,
            row.balance,
            row.held,
            row.captured,
            row.requests,
            row.submissions,
            row.quota,
            row.month,
            row.spent,
            row.quotas,
            (limit.requests, limit.seconds) if limit is not None else None,
            list(row.recent),
            row.usage_dropped,
        )
    )


def load_account(data: bytes) -> AccountRow:
    *plain, limit, recent, dropped = load(data)
    row = AccountRow(*plain)
    row.rate_limit = RateLimit(*limit) if limit is not None else None
    row.recent, row.usage_dropped = deque(recent), dropped
    return row


# the journal


def dump_exchange(exchange: Exchange, secret: str = "") -> bytes:
    """A request and its answer as they are shown: without the API key, `secret`."""
    return b"[%s,%s]" % (dump_arrival(exchange, secret), dump_answer(exchange, secret))


def dump_arrival(exchange: Exchange, secret: str = "") -> bytes:
    """What is known of a request when it arrives, for a store that writes its answer apart."""
    arrival = (
        exchange.id,
        exchange.time,
        exchange.provider,
        exchange.account,
        exchange.method,
        exchange.path,
        _kept_headers(exchange.headers),
    )
    return hide_key(dump(arrival), secret)


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with a short hash in place of each secret, so that different callers stay different."""
    return {
        name: f"{REDACTED}:{account_id(headers[name])}" if value == REDACTED else value
        for name, value in safe_headers(headers).items()
    }


def dump_answer(exchange: Exchange, secret: str = "") -> bytes:
    """What is known of a request once it is answered, its body included."""
    answer = (
        _bytes(_without_key(exchange.body, secret)),
        exchange.body_size,
        exchange.status,
        _bytes(_without_key(exchange.response, secret)),
        exchange.response_type,
        exchange.duration,
        exchange.task_id,
        exchange.cost,
        exchange.error,
        exchange.pictures,
        exchange.note,
        exchange.started,
        exchange.hung_up,
        exchange.broken,
        exchange.retry_after,
    )
    return hide_key(dump(answer), secret)


def load_exchange(data: bytes) -> Exchange:
    arrival, answer = load(data)
    return _read_exchange(arrival, answer)


def load_arrival(arrival: bytes, answer: bytes | None) -> Exchange:
    """A request from its two parts; None while it has no answer."""
    return _read_exchange(load(arrival), load(answer) if answer is not None else None)


def _read_exchange(arrival: list[Any], answer: list[Any] | None) -> Exchange:
    if answer is None:
        return Exchange(*arrival)
    answer[0], answer[3] = _read_bytes(answer[0]), _read_bytes(answer[3])
    answer[9] = tuple(answer[9])
    return Exchange(*arrival, *answer)


def hide_key(data: bytes, secret: str, addresses: Sequence[int] = ()) -> bytes:
    """A record that `dump` has written, with the API key replaced in every text.

    The fields at `addresses` stay as they are: a callback is posted there, and would go elsewhere.
    """
    if len(secret) < SHORTEST_SECRET or _as_written(secret) not in data:
        return data
    record = load(data)
    hidden = without(record, secret)
    for place in addresses:
        hidden[place] = record[place]
    return dump(hidden)


@lru_cache(1024)
def _as_written(secret: str) -> bytes:
    """What `dump` writes for an API key inside of a text."""
    return dump(secret)[1:-1]


def _without_key(body: bytes, secret: str) -> bytes:
    """A body without the API key, however its JSON has escaped it."""
    if len(secret) < SHORTEST_SECRET:
        return body
    if b"\\u00" in body or b"\\/" in body:  # the ways in which JSON can escape what a key is made of
        value = parsed(body.decode("utf-8", "replace"))
        if not isinstance(value, str) and (cleaned := without(value, secret)) != value:
            return to_json(cleaned)
    written = _as_written(secret)
    return body.replace(written, REDACTED.encode()) if written in body else body


# what tests steer a server by


def dump_rule(form: RuleForm, rule: StoredRule) -> bytes:
    return dump((rule.id, dict(form.dump(rule))))


def load_rule(form: RuleForm, data: bytes) -> StoredRule:
    name, fields = load(data)
    return form.load(name, fields)


def dump_routes(routes: tuple[Route, ...]) -> bytes:
    return dump(routes)


def load_routes(data: bytes) -> tuple[Route, ...]:
    return tuple([(source, destination) for source, destination in load(data)])


def dump_script(script: tuple[Reply, ...]) -> bytes:
    """What is left of a sink's script."""
    return dump([(reply.status, reply.delay) for reply in script])


def load_script(data: bytes) -> tuple[Reply, ...]:
    return tuple([Reply(status, delay) for status, delay in load(data)])


def dump_received(received: Received) -> bytes:
    """A request that a sink got."""
    return dump((received.time, dict(received.headers), received.body))


def load_received(data: bytes) -> Received:
    return Received(*load(data))


# what all processes share


def dump_state(state: ServerState) -> bytes:
    clock = state.clock
    return dump((clock.mode, clock.instant, clock.speed, clock.at, state.seed, state.seeded, state.autojump))


def load_state(data: bytes) -> ServerState:
    mode, instant, speed, at, seed, seeded, autojump = load(data)
    return ServerState(ClockState(mode, instant, speed, at), seed, seeded, autojump)
