"""Records as they lie on the server."""

from collections import deque
from dataclasses import replace
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from engine.world import T0, job
from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.journal import Exchange
from mockserver.engine.ledger import AccountRow, RateLimit, Usage
from mockserver.engine.store.redis import layout
from mockserver.engine.tasks import Idempotency, Task

texts = st.text(st.characters(exclude_categories=())) | st.just("\udc80\n\0")
amounts = st.integers(-(2**53), 2**53)
instants = st.floats(allow_nan=False)


@given(texts, instants, st.binary())
def test_a_task_is_read_as_it_was_written(prompt: str, due: float, request: bytes) -> None:
    task = Task("t", job(prompt=prompt, trace_id=prompt, request=request), T0, due, due, None)
    value = b"7\n" + layout.task_value(task, layout.names_of(task))
    assert layout.task_of(value) == task


@given(texts, instants | st.none(), st.binary())
def test_a_callback_is_read_as_it_was_written(target: str, due: float | None, data: bytes) -> None:
    delivery = Delivery("cb", "t", "studio", "acct_1", target, target, data, T0, next_attempt=due)
    value = b"7\n" + layout.delivery_value(delivery)
    assert (layout.delivery_of(value), layout.body(value)) == (delivery, layout.delivery_value(delivery))


@given(texts, st.binary())
def test_an_entry_is_read_as_it_was_written(path: str, body: bytes) -> None:
    entry = Exchange("r", T0, "studio", "acct_1", "GET", path, {"Accept": "*/*"}, body=body)
    assert layout.entry_of(layout.entry_value("token", entry)) == entry


rows = st.builds(
    AccountRow,
    st.just("studio"),
    st.just("acct_1"),
    opening=amounts,
    balance=amounts,
    held=amounts,
    captured=amounts,
    requests=amounts,
    submissions=amounts,
    quota=st.none() | amounts,
    month=st.sampled_from(["", "2026-01/1"]),
    spent=amounts,
    quotas=amounts,
    rate_limit=st.none() | st.builds(RateLimit, st.integers(0, 9), st.floats(0, 1e9) | st.integers(0, 9)),
    usage_dropped=amounts,
)


@given(rows)
def test_an_account_is_read_as_it_was_written(row: AccountRow) -> None:
    flat = [part.encode() for part in layout.flat(layout.fields_of(row))]
    assert layout.row_of("studio/acct_1", flat) == replace(row, recent=deque(), usage=row.usage)


def test_a_usage_record_is_read_as_it_was_written() -> None:
    usage = Usage(T0 + 0.1, Task("t", job(), T0, inf, T0, None), 25)
    assert layout.usage_of(layout.usage_value(usage)) == usage


@given(st.sampled_from(["real", "virtual"]), instants, instants, texts, st.booleans(), st.booleans())
def test_a_state_is_read_as_it_was_written(
    mode: str, instant: float, speed: float, seed: str, seeded: bool, autojump: bool
) -> None:
    clock = ClockState("virtual" if mode == "virtual" else "real", instant, speed, 5.0)
    state = ServerState(clock, seed, seeded, autojump)
    flat = layout.state_fields(state)
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    names = ("mode", "instant", "speed", "seed", "seeded", "autojump")
    values = [value if isinstance(value, bytes) else value.encode() for value in (fields[name] for name in names)]
    assert layout.state_of([*values[:3], b"5.0", *values[3:]]) == state


@given(texts, texts)
def test_a_name_is_of_its_kind_and_provider_alone_and_does_not_hold_the_key(name: str, other: str) -> None:
    kinds = [layout.trace_name, layout.idempotency_name]
    made = {kind(provider, name) for kind in kinds for provider in ("studio", "lab")}
    assert len(made) == 4
    assert (layout.trace_name("studio", name) == layout.trace_name("studio", other)) == (name == other)
    assert layout.trace_name("studio", f"a {name} sk_secret_key", "sk_secret_key") == layout.trace_name(
        "studio", f"a {name} [redacted]"
    )


def test_months_are_named_as_the_ledger_names_them() -> None:
    for now in (0.0, T0 - 0.001, T0, T0 + 31 * 86_400.0, 253_402_300_799.0):
        row = AccountRow("studio", "acct_1", 0, 0, quota=1)
        assert row.hold(0, now) == f"{layout.month_of(now)}/0"


def test_names_are_kept_for_what_has_them() -> None:
    task = Task("t", job(idempotency=Idempotency("", "body")), T0, T0, T0, None)
    assert [bool(name) for name in layout.names_of(task)] == [False, True]
