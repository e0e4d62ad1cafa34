"""Records as they lie on the server: a head of lines that the scripts read, then the record as `codec` writes it.

A script puts one more line before the head of a task and of a callback, its place in the order, and before a request
that a sink got.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.journal import Exchange, redact
from mockserver.engine.ledger import AccountRow, RateLimit, Usage
from mockserver.engine.store import codec
from mockserver.engine.tasks import Task


def text(data: bytes) -> str:
    """An id or a name as it was given to the server."""
    return data.decode("utf-8", "surrogatepass")


def record(value: bytes) -> bytes:
    """The record without its head."""
    return value[value.rindex(b"\n") + 1 :]


def body(value: bytes) -> bytes:
    """What a script was given to keep, without the number that it has put before it."""
    return value[value.index(b"\n") + 1 :]


# names that clients give


def trace_name(provider: str, trace_id: str, key: str = "") -> str:
    """The field under which a trace id is kept; `key` is the account's API key."""
    return _name("t", provider, redact(trace_id, key))


def idempotency_name(provider: str, idempotency_key: str, key: str = "") -> str:
    return _name("k", provider, redact(idempotency_key, key))


def _name(kind: str, provider: str, name: str) -> str:
    return f"{kind}:{provider}:{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def names_of(task: Task, key: str = "") -> tuple[str, str]:
    """The fields of a task's trace id and idempotency key; "" for one that it has not."""
    job = task.job
    return (
        trace_name(job.provider, job.trace_id, key) if job.trace_id else "",
        idempotency_name(job.provider, job.idempotency.key, key) if job.idempotency else "",
    )


# tasks and callbacks


def task_value(task: Task, names: tuple[str, str], key: str = "") -> bytes:
    job = task.job
    head = f"{job.provider}\n{job.account}\n{names[0]}\n{names[1]}\n"
    return head.encode() + codec.dump_task(task, key)


def task_of(value: bytes | None) -> Task | None:
    return codec.load_task(record(value)) if value is not None else None


def delivery_value(delivery: Delivery, key: str = "") -> bytes:
    head = f"{delivery.provider}\n{delivery.account}\n{delivery.task_id}\n\n"
    return head.encode("utf-8", "surrogatepass") + codec.dump_delivery(delivery, key)


def delivery_of(value: bytes | None) -> Delivery | None:
    return codec.load_delivery(record(value)) if value is not None else None


# the journal


def entry_value(token: str, exchange: Exchange) -> bytes:
    """An entry, opened under a token that no other one has."""
    head = f"{token}\n{exchange.provider}\n{exchange.account}\n\n\n"
    return head.encode("utf-8", "surrogatepass") + codec.dump_exchange(exchange, exchange.secret)


def entry_of(value: bytes | None) -> Exchange | None:
    return codec.load_exchange(record(value)) if value is not None else None


# accounts

_NUMBERS = ("opening", "balance", "held", "captured", "requests", "submissions", "spent", "quotas", "usage_dropped")


def fields_of(row: AccountRow) -> dict[str, str]:
    """An account's row but its lists; what is 0 or not set is left out."""
    fields = {name: str(value) for name in _NUMBERS if (value := getattr(row, name)) or name in ("opening", "balance")}
    if row.month:
        fields["month"] = row.month
    if row.quota is not None:
        fields["quota"] = str(row.quota)
    if row.rate_limit is not None:
        fields |= {"rate_requests": str(row.rate_limit.requests), "rate_seconds": repr(row.rate_limit.seconds)}
    return fields


def row_of(owner: str, flat: Sequence[bytes]) -> AccountRow:
    """The row of an owner ("provider/account") from its fields and values in turn."""
    provider, _, account = owner.partition("/")
    fields = {flat[at].decode(): flat[at + 1] for at in range(0, len(flat), 2)}
    row = AccountRow(provider, account, 0, 0)
    for name in _NUMBERS:
        setattr(row, name, int(fields.get(name, 0)))
    row.month = fields.get("month", b"").decode()
    row.quota = int(fields["quota"]) if "quota" in fields else None
    if "rate_requests" in fields:
        row.rate_limit = RateLimit(int(fields["rate_requests"]), number(fields["rate_seconds"]))
    return row


def number(data: bytes) -> int | float:
    """A number as Python wrote it: an integer stays one."""
    try:
        return int(data)
    except ValueError:
        return float(data)


def usage_value(usage: Usage) -> bytes:
    return f"{usage.time!r}\n{usage.amount}\n".encode() + codec.dump_task(usage.task)


def usage_of(value: bytes) -> Usage:
    time, amount, task = value.split(b"\n", 2)
    return Usage(number(time), codec.load_task(task), int(amount))


@lru_cache(maxsize=256)
def _month(hour: int) -> str:
    return f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m}"


def month_of(now: float) -> str:
    """The UTC calendar month of an instant, as `AccountRow` names it."""
    return _month(int(now // 3600))


# what is in force


def clock_fields(clock: ClockState) -> tuple[str, ...]:
    return "mode", clock.mode, "instant", repr(clock.instant), "speed", repr(clock.speed)


def state_fields(state: ServerState) -> tuple[str | bytes, ...]:
    """Fields and values in turn; the server adds its own time as the clock's `at`."""
    seed = state.seed.encode("utf-8", "surrogatepass")
    return (*clock_fields(state.clock), "seed", seed, "seeded", str(int(state.seeded)), *jump_fields(state))


def jump_fields(state: ServerState) -> tuple[str, str]:
    return "autojump", str(int(state.autojump))


def state_of(values: Sequence[bytes]) -> ServerState:
    """A state from the values of mode, instant, speed, at, seed, seeded and autojump."""
    mode, instant, speed, at, seed, seeded, autojump = values[:7]
    clock = ClockState("virtual" if mode == b"virtual" else "real", float(instant), float(speed), float(at))
    return ServerState(clock, text(seed), seeded == b"1", autojump == b"1")


def flat(fields: Mapping[str, str]) -> list[str]:
    """Fields and values in turn."""
    return [part for pair in fields.items() for part in pair]
