"""Records as bytes: what is read is what was written, and no API key is in it."""

from collections import deque
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.world import PLAIN, T0, task
from mockserver.engine.callbacks import Attempt, Delivery, Outcome, State
from mockserver.engine.clock import ClockState, ServerState
from mockserver.engine.journal import REDACTED, Exchange, safe_headers
from mockserver.engine.ledger import AccountRow, RateLimit
from mockserver.engine.problems import Kind
from mockserver.engine.sinks import Received, Reply, Sink
from mockserver.engine.store import codec
from mockserver.engine.tasks import Failure, Idempotency, Job, Task

TEXTS = st.text(st.characters(), max_size=20)  # lone surrogates too
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TIMES = st.floats(allow_nan=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TIMES | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
KEY = "sk_0123456789abcdef"


PLAIN_FIELDS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: NUMBERS,
    float: TIMES,
    bool: st.booleans(),
    bytes: st.binary(max_size=30),
}


def records(made: type[Any], /, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any record of a dataclass; fields of plain types are as wild as they can be."""
    hints = get_type_hints(made)
    drawn = {
        field.name: given[field.name] if field.name in given else strategy(hints[field.name]) for field in fields(made)
    }
    return st.builds(made, **drawn)


def strategy(hint: Any) -> st.SearchStrategy[Any]:
    for kind in (str, int, float):
        if hint == kind | None:
            return st.none() | PLAIN_FIELDS[kind]
    if is_dataclass(hint) and isinstance(hint, type):
        return records(hint)
    return PLAIN_FIELDS[hint] if hint in PLAIN_FIELDS else st.from_type(hint)


FAILURES = st.none() | records(Failure, kind=st.sampled_from(Kind))
JOBS = records(
    Job,
    documented=st.tuples(TIMES, TIMES),
    failure=FAILURES,
    idempotency=st.none() | records(Idempotency),
    wire=st.dictionaries(TEXTS, JSON, max_size=3),
)
TASKS = records(Task, job=JOBS, failure=FAILURES)
ATTEMPTS = records(Attempt, outcome=records(Outcome))
DELIVERIES = records(
    Delivery,
    state=st.sampled_from(State),
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
    under_way=st.none() | ATTEMPTS,
)
ROWS = records(
    AccountRow,
    rate_limit=st.none() | records(RateLimit),
    recent=st.lists(TIMES, max_size=3).map(deque),
    usage=st.just(deque[Any](maxlen=AccountRow("", "", 0, 0).usage.maxlen)),
)
EXCHANGES = records(
    Exchange,
    headers=st.dictionaries(TEXTS, TEXTS, max_size=3),
    pictures=st.lists(st.dictionaries(TEXTS, JSON, max_size=2), max_size=2).map(tuple),
)


@given(TASKS)
def test_a_task_is_read_as_it_was_written(written: Task) -> None:
    assert codec.load_task(codec.dump_task(written)) == written


@given(DELIVERIES)
def test_a_callback_is_read_as_it_was_written_and_always_written_alike(written: Delivery) -> None:
    data = codec.dump_delivery(written)
    read = codec.load_delivery(data)
    assert (read, codec.dump_delivery(read)) == (written, data)


@given(ROWS)
def test_an_account_is_read_as_it_was_written(written: AccountRow) -> None:
    assert codec.load_account(codec.dump_account(written)) == written


@given(EXCHANGES)
def test_a_request_is_read_as_it_was_written_but_for_secret_headers(written: Exchange) -> None:
    shown = codec.load_exchange(codec.dump_exchange(written))
    assert safe_headers(shown.headers) == safe_headers(written.headers)
    assert replace(shown, headers=written.headers) == written
    arrival, answer = codec.dump_arrival(written), codec.dump_answer(written)
    assert codec.load_arrival(arrival, answer) == shown
    assert codec.load_arrival(arrival, None) == Exchange(*(getattr(shown, part.name) for part in fields(Exchange)[:7]))


@given(records(Received, headers=st.dictionaries(TEXTS, TEXTS, max_size=3)), st.lists(records(Reply), max_size=3))
def test_a_sink_is_read_as_it_was_written(received: Received, script: list[Reply]) -> None:
    sink = Sink(tuple(script), (received,))
    assert codec.load_received(codec.dump_received(received)) == received
    assert codec.load_script(codec.dump_script(sink.script)) == sink.script


@given(records(ServerState, clock=records(ClockState, mode=st.sampled_from(["real", "virtual"]))))
def test_a_state_is_read_as_it_was_written(written: ServerState) -> None:
    assert codec.load_state(codec.dump_state(written)) == written


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple))
def test_routes_are_read_as_they_were_written(written: tuple[tuple[str, str], ...]) -> None:
    assert codec.load_routes(codec.dump(written)) == written


def test_the_fields_of_this_form_are_these() -> None:
    """Whoever changes one gives the form another number: a store of this one could not be read."""
    kinds = (Task, Job, Failure, Idempotency, Delivery, Attempt, Outcome, AccountRow, Exchange, Received, Reply)
    named = {kind.__name__: len(fields(kind)) for kind in (*kinds, ClockState, ServerState)}
    assert (codec.FORM, named) == (
        2,
        {
            "Task": 6,
            "Job": 21,
            "Failure": 3,
            "Idempotency": 2,
            "Delivery": 14,
            "Attempt": 2,
            "Outcome": 4,
            "AccountRow": 16,
            "Exchange": 22,
            "Received": 3,
            "Reply": 2,
            "ClockState": 4,
            "ServerState": 4,
        },
    )


def test_different_callers_stay_different() -> None:
    def read(value: str) -> Exchange:
        headers = {"authorization": value, "Accept": value}
        return codec.load_exchange(codec.dump_exchange(Exchange("1", T0, "studio", "", "GET", "/", headers)))

    callers = {read(value).headers["authorization"] for value in ("", "Bearer", "Basic eA==", "Bearer other")}
    assert len(callers) == 4
    assert all(caller.startswith(REDACTED) for caller in callers)
    assert read("a").headers == read("a").headers


@pytest.mark.parametrize(
    "body",
    [
        KEY,
        f'{{"prompt": "my key is {KEY}"}}',
        f'{{"{KEY}": 1}}',
        '{"prompt": "' + "".join(f"\\u00{ord(sign):02x}" for sign in KEY) + '"}',
        f"\xff{KEY}",
    ],
)
def test_no_api_key_is_written(body: str) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "X-Api-Key": KEY, "Referer": f"http://x/{KEY}"}
    data = body.encode("latin-1")
    exchange = Exchange("1", T0, "studio", "acct_1", "POST", f"/{KEY}", headers, body=data, response=data, error=KEY)
    written = codec.dump_exchange(exchange, KEY)
    shown = codec.load_exchange(written)
    assert KEY.encode() not in written
    assert REDACTED in shown.path
    assert REDACTED in shown.body.decode("latin-1")
    assert "\\u0073\\u006b" not in shown.response.decode("latin-1")
    asked = task(job=replace(PLAIN, prompt=f"use {KEY}", request=f'{{"prompt": "{KEY}"}}'.encode()))
    hidden = codec.load_task(codec.dump_task(asked, KEY))
    assert (hidden.job.prompt, hidden.job.request) == (f"use {REDACTED}", f'{{"prompt": "{REDACTED}"}}'.encode())


def test_the_address_of_a_callback_stays_as_it_is_and_so_its_receiver_gets_it() -> None:
    url = f"https://app.example.com/hook?key={KEY}"
    asked = codec.load_task(codec.dump_task(task(job=replace(PLAIN, prompt=f"use {KEY}", callback_url=url)), KEY))
    assert (asked.job.callback_url, asked.job.prompt) == (url, f"use {REDACTED}")
    planned = Delivery("cb", "t", "studio", "acct_1", url, f"http://127.0.0.1/?k={KEY}", f'["{KEY}"]'.encode(), T0)
    found = codec.load_delivery(codec.dump_delivery(planned, KEY))
    assert (found.target, found.routed, found.body) == (planned.target, planned.routed, f'["{REDACTED}"]'.encode())
