"""Lines of requests, task ends and callback attempts."""

import json
from datetime import datetime
from typing import Any

import pytest

from mockserver.cli.console import JsonLines, TextLines, duration_text
from mockserver.cli.output import wants_colour
from mockserver.engine.accounts import account_id
from mockserver.engine.callbacks import Attempt, Delivery, Outcome, State
from mockserver.engine.journal import Exchange
from mockserver.engine.problems import Kind
from mockserver.engine.tasks import Failure, Job, Task
from mockserver.providers.base import discover

TIME = datetime(2026, 3, 1, 14, 5, 9).timestamp()
PROVIDERS = {provider.name: provider for provider in discover() if provider.name in ("icodeeasy", "xhuoapi")}
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
    made = Delivery(
        "cb_1", "task-1", "icodeeasy", account_id(KEY), target, target, b"{}", TIME, state, attempts, **facts
    )
    return made, made.attempts[-1]


def task(failure: Failure | None = None, **facts: Any) -> Task:
    job = Job(
        provider="icodeeasy",
        account=account_id(KEY),
        model="gpt-image-2",
        prompt="a cat",
        size="16:9",
        width=1536,
        height=864,
        cost=20,
        documented=(1, 2),
        origin="http://127.0.0.1:8080/icodeeasy",
        **facts,
    )
    return Task("task-1", job, TIME - 1.5, TIME, TIME, failure)


FAILS = Failure(Kind.FAILED)


def text_lines(colour: bool = False) -> TextLines:
    return TextLines(PROVIDERS, colour)


def json_lines() -> JsonLines:
    return JsonLines(PROVIDERS)


def test_a_request_in_columns() -> None:
    line = text_lines().request(exchange(cost="0.2"), None)
    assert line == "14:05:09  xhuoapi    POST /v1/pictures                         200    250 ms  0.2 credits"


def test_a_refusal_shows_its_code_in_place_of_the_cost() -> None:
    line = text_lines().request(exchange(status=401, error="invalid_token", duration=0.0004), None)
    assert line == "14:05:09  xhuoapi    POST /v1/pictures                         401    0.4 ms  invalid_token"


def submission(**facts: Any) -> Exchange:
    path = "/icodeeasy/v1/images/generations"
    return exchange(**{"provider": "icodeeasy", "path": path, "task_id": "task-1", "cost": "0.2", **facts})


def test_a_submission_shows_model_size_and_task() -> None:
    line = text_lines().request(submission(), task())
    assert line.endswith("200    250 ms  0.2 CNY  gpt-image-2 16:9  task-1")
    assert text_lines().request(submission(), task(count=3)).endswith("  gpt-image-2 16:9 ×3  task-1")


def test_a_submission_that_will_fail_says_so() -> None:
    line = text_lines().request(submission(cost=None), task(FAILS))
    assert line.endswith("200    250 ms  gpt-image-2 16:9  task-1  will fail: server_error")


def test_a_call_that_waited_for_a_failure_shows_its_code_once() -> None:
    line = text_lines().request(submission(status=500, error="server_error", cost=None), task(FAILS))
    assert line.endswith("500    250 ms  server_error  gpt-image-2 16:9  task-1")


@pytest.mark.parametrize("facts", [{"method": "GET"}, {"path": "/icodeeasy/v1/tasks/task-1/cancel"}])
def test_a_call_about_a_task_has_its_id_in_the_path_alone(facts: dict[str, str]) -> None:
    line = text_lines().request(submission(cost=None, **facts), task())
    assert "gpt-image-2" not in line


def test_ignored_fields_are_named() -> None:
    request = submission(note=f"ignored: image[0], {KEY}")
    assert text_lines().request(request, task()).endswith("task-1  ignored: image[0], [redacted]")
    assert json.loads(json_lines().request(request, task()))["note"] == "ignored: image[0], [redacted]"


def test_a_task_that_completed() -> None:
    line = text_lines().task_end(task(), None)
    assert line == "14:05:09  icodeeasy  task task-1                                 ✓    1.50 s  completed  0.2 CNY"


def test_a_task_that_failed() -> None:
    line = text_lines().task_end(task(FAILS), None)
    assert line[63:] == "  ✗    1.50 s  failed: server_error  0.2 CNY released"
    named = Failure(Kind.FAILED, "no_such_code")
    assert "failed: no_such_code  0.2" in text_lines().task_end(task(named), None)


@pytest.mark.parametrize(
    ("state", "said"), [(State.CAPTURED, "callback captured, not sent"), (State.LOST, "callback lost")]
)
def test_a_callback_that_is_never_sent_is_named_where_its_task_ends(state: State, said: str) -> None:
    opened = delivery(Outcome(204, 0.012), state=state)[0]
    assert text_lines().task_end(task(), opened).endswith(f"completed  0.2 CNY  {said}")
    assert json.loads(json_lines().task_end(task(), opened))["callback"] == state


def test_an_attempt_that_arrived() -> None:
    line = text_lines().attempt(*delivery(Outcome(204, 0.012), state=State.DELIVERED))
    assert line == "14:05:09  icodeeasy  callback → http://127.0.0.1:9000/hook     204     12 ms  task-1  delivered"


def test_an_attempt_that_is_repeated_says_when() -> None:
    line = text_lines().attempt(*delivery(Outcome(500, 0.5), Outcome(500, 0.5), next_attempt=TIME + 2.5))
    assert line.endswith("500    500 ms  task-1  attempt 2  next in 2 s")


def test_the_last_attempt_that_failed() -> None:
    outcomes = [Outcome(500, 0.01)] * 3 + [Outcome(None, 10.0, "no answer within 10 s")]
    line = text_lines().attempt(*delivery(*outcomes, state=State.GAVE_UP))
    assert line[63:] == "  —      10 s  task-1  attempt 4: no answer within 10 s  gave up"


@pytest.mark.parametrize(("status", "code"), [(200, "32"), (304, "36"), (404, "33"), (500, "31")])
def test_the_status_is_coloured_on_a_terminal(status: int, code: str) -> None:
    assert f"\x1b[{code}m{status}\x1b[0m" in text_lines(colour=True).request(exchange(status=status), None)


def test_no_key_is_in_a_line() -> None:
    """A request's key is known; of an account's, its hash alone."""
    request = exchange(path=f"/xhuoapi/v1/{KEY}?key={KEY}")
    callback = delivery(Outcome(None, 1.0, f"no route to {KEY}"), target=f"http://h/{KEY}/x?key={KEY}")
    for lines in (text_lines(), json_lines()):
        written = lines.request(request, None) + lines.attempt(*callback)
        assert (KEY in written, written.count("[redacted]") >= 5) == (False, True)


def test_what_would_steer_a_terminal_is_left_out() -> None:
    line = text_lines().request(exchange(path="/xhuoapi/\x1b[2J\n\u202e" + "x" * 500), None)
    assert line.isprintable()
    assert "…  200" in line


def test_a_request_as_json() -> None:
    line = json_lines().request(exchange(cost="0.2", task_id="task-1"), task(FAILS, count=2))
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
        "model": "gpt-image-2",
        "size": "16:9",
        "count": 2,
        "failure": "server_error",
        "error": None,
        "note": None,
    }


@pytest.mark.parametrize(
    ("failure", "facts"),
    [
        (None, {"status": "completed", "error": None, "cost": "0.2", "released": "0"}),
        (FAILS, {"status": "failed", "error": "server_error", "cost": "0", "released": "0.2"}),
    ],
)
def test_a_task_end_as_json(failure: Failure | None, facts: dict[str, Any]) -> None:
    assert json.loads(json_lines().task_end(task(failure), None)) == {
        "event": "task",
        "time": TIME,
        "id": "task-1",
        "provider": "icodeeasy",
        "account": account_id(KEY),
        "model": "gpt-image-2",
        "size": "16:9",
        "count": 1,
        "duration": 1.5,
        "currency": "CNY",
        "callback": None,
        **facts,
    }


def test_an_attempt_as_json() -> None:
    line = json_lines().attempt(*delivery(Outcome(500, 0.01), Outcome(200, 0.02), state=State.DELIVERED))
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
