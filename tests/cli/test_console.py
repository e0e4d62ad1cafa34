"""Lines of requests and attempts, and the writer that never waits."""

import json
import os
import re
from datetime import datetime
from time import monotonic
from typing import Any

import pytest

from mockserver.cli.console import MOST_WAITING, JsonLines, TextLines, Writer, duration_text, wants_colour
from mockserver.engine.accounts import account_id
from mockserver.engine.callbacks import Attempt, Delivery, Outcome, State
from mockserver.engine.journal import Exchange

TIME = datetime(2026, 3, 1, 14, 5, 9).timestamp()
CURRENCIES = {"icodeeasy": "CNY", "xhuoapi": "credits"}
KEY = "sk_a.secret:key"


def exchange(**facts: Any) -> Exchange:
    headers = {"Authorization": f"Bearer {KEY}"}
    made = Exchange("id-1", TIME, "xhuoapi", account_id(KEY), "POST", "/xhuoapi/v1/pictures", headers)
    made.status, made.duration = 200, 0.25
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def delivery(*outcomes: Outcome, state: State = State.WAITING, **facts: Any) -> tuple[Delivery, Attempt]:
    target = facts.pop("target", "http://127.0.0.1:9000/hook")
    attempts = tuple(Attempt(TIME, outcome) for outcome in outcomes)
    made = Delivery("cb_1", "task-1", "icodeeasy", account_id(KEY), target, target, b"{}", TIME, state, attempts)
    return made, made.attempts[-1]


def test_a_request_in_columns() -> None:
    line = TextLines(CURRENCIES).request(exchange(cost="0.2"))
    assert line == "14:05:09  xhuoapi    POST /v1/pictures                         200    250 ms  0.2 credits"


def test_a_refusal_shows_its_code_in_place_of_the_cost() -> None:
    line = TextLines(CURRENCIES).request(exchange(status=401, error="invalid_token", duration=0.0004))
    assert line == "14:05:09  xhuoapi    POST /v1/pictures                         401    0.4 ms  invalid_token"


def test_an_attempt_that_arrived() -> None:
    line = TextLines(CURRENCIES).attempt(*delivery(Outcome(204, 0.012), state=State.DELIVERED))
    assert line == "14:05:09  icodeeasy  callback → http://127.0.0.1:9000/hook     204     12 ms"


def test_the_last_attempt_that_failed() -> None:
    outcomes = [Outcome(500, 0.01)] * 3 + [Outcome(None, 10.0, "no answer within 10 s")]
    line = TextLines(CURRENCIES).attempt(*delivery(*outcomes, state=State.GAVE_UP))
    assert line[59:] == "      —      10 s  attempt 4: no answer within 10 s, gave up"


@pytest.mark.parametrize(("status", "code"), [(200, "32"), (304, "36"), (404, "33"), (500, "31")])
def test_the_status_is_coloured_on_a_terminal(status: int, code: str) -> None:
    assert f"\x1b[{code}m{status}\x1b[0m" in TextLines(CURRENCIES, colour=True).request(exchange(status=status))


def test_no_key_is_in_a_line() -> None:
    """A request's key is known; of an account's, its hash alone."""
    request = exchange(path=f"/xhuoapi/v1/{KEY}?key={KEY}")
    callback = delivery(Outcome(None, 1.0, f"no route to {KEY}"), target=f"http://h/{KEY}/x?key={KEY}")
    for lines in (TextLines(CURRENCIES), JsonLines(CURRENCIES)):
        written = lines.request(request) + lines.attempt(*callback)
        assert (KEY in written, written.count("[redacted]") >= 5) == (False, True)


def test_what_would_steer_a_terminal_is_left_out() -> None:
    line = TextLines(CURRENCIES).request(exchange(path="/xhuoapi/\x1b[2J\n\u202e" + "x" * 500))
    assert line.isprintable()
    assert "…  200" in line


def test_a_request_as_json() -> None:
    line = JsonLines(CURRENCIES).request(exchange(cost="0.2", task_id="task-1"))
    assert json.loads(line) == {
        "event": "request",
        "time": TIME,
        "id": "id-1",
        "provider": "xhuoapi",
        "account": account_id(KEY),
        "method": "POST",
        "path": "/xhuoapi/v1/pictures",
        "status": 200,
        "duration": 0.25,
        "cost": "0.2",
        "currency": "credits",
        "task_id": "task-1",
        "error": None,
    }


def test_an_attempt_as_json() -> None:
    line = JsonLines(CURRENCIES).attempt(*delivery(Outcome(500, 0.01), Outcome(200, 0.02), state=State.DELIVERED))
    assert json.loads(line) == {
        "event": "callback",
        "time": TIME,
        "id": "cb_1",
        "provider": "icodeeasy",
        "account": account_id(KEY),
        "task_id": "task-1",
        "target": "http://127.0.0.1:9000/hook",
        "routed": "http://127.0.0.1:9000/hook",
        "attempt": 2,
        "status": 200,
        "duration": 0.02,
        "error": None,
        "state": "delivered",
        "next_attempt": None,
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0 ms"), (0.00042, "0.4 ms"), (0.0123, "12 ms"), (0.9996, "1.00 s"), (1.234, "1.23 s"), (75.4, "75 s")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


class Terminal:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(environ: dict[str, str], coloured: bool) -> None:
    assert wants_colour(Terminal(), environ) is coloured
    assert wants_colour(None, environ) is False


def test_the_writer_writes_in_order() -> None:
    reader, end = os.pipe()
    writer = Writer(end)
    for number in range(100):
        writer.line(f"line {number} \udcff")
    writer.close()
    os.close(end)
    with open(reader, encoding="utf-8") as file:
        assert re.findall(r"^line (\d+) \\udcff$", file.read(), re.MULTILINE) == [str(number) for number in range(100)]


def test_the_writer_waits_for_no_reader_that_stalls() -> None:
    reader, end = os.pipe()
    writer = Writer(end)
    began = monotonic()
    for _ in range(MOST_WAITING + 3_000):
        writer.line("x" * 100)
    writer.close(0.01)
    assert monotonic() - began < 2
    os.close(reader)  # the thread, which still stands in its write, ends with the pipe
    writer._thread.join(5)
    os.close(end)


def test_the_writer_minds_no_reader_that_left_nor_a_missing_one() -> None:
    reader, end = os.pipe()
    os.close(reader)
    for writer in (Writer(end), Writer(None)):
        writer.line("nobody hears it")
        writer.line("nor this")
        writer.close()
    os.close(end)
