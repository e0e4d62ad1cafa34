"""evolink: callback addresses, when a callback comes, what it says, and how it is repeated."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from ..client import Client
from ..hooks import Hook
from ..library import latencies
from ..marks import CORE, VARIANT, claim, mock_only, paid
from ..mock import Control
from ..pricing import price_of
from ..strategies import ODD_INTERNAL_URLS, internal_urls
from ..suite import Suite
from . import api

PRICE = price_of("evolink", {})

RETRIES = latencies()["evolink"]["callback"]["retries"]
TIMEOUT = latencies()["evolink"]["callback"]["timeout"]

Pass = Callable[[float], Any]


@pytest.fixture
def elapse(suite: Suite, client: Client) -> Pass:
    """Lets time pass: at once under a mock's clock, really elsewhere."""
    return suite.control(client).advance if client.is_mock else lambda seconds: client.pause(seconds + 1)


@claim("EV-CB-1")
@given(url=internal_urls())
def test_internal_addresses(client: Client, url: str) -> None:
    api.assert_invalid(client, api.submit(client, callback_url=url), "callback_url")


@claim("EV-CB-1")
@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/hook",
        "https://127.0.0.1/h",
        "https://127.0.0.1:8443/h",
        "https://10.0.0.1/h",
        "https://10.255.255.255/h",
        "https://172.16.0.1/h",
        "https://172.31.255.255/h",
        "https://192.168.0.1/h",
        "https://192.168.255.255/h",
    ],
)
def test_refused_addresses(client: Client, url: str) -> None:
    api.assert_invalid(client, api.submit(client, callback_url=url), "callback_url")


@claim("EV-CB-1")
@mock_only
@pytest.mark.parametrize("url", ODD_INTERNAL_URLS)
def test_internal_addresses_in_odd_notations(client: Client, url: str) -> None:
    api.assert_invalid(client, api.submit(client, callback_url=url), "callback_url")


@claim("EV-CB-1")
@mock_only
@pytest.mark.parametrize(
    "host", ["172.15.0.1", "172.32.0.1", "192.167.0.1", "11.0.0.1", "128.0.0.1", "hooks.example.com"]
)
def test_public_neighbours_of_internal_addresses(client: Client, host: str) -> None:
    assert api.submit(client, callback_url=f"https://{host}/hook").status == 200


@claim("EV-CB-1")
@mock_only
def test_an_address_of_2048_characters(client: Client) -> None:
    url = "https://hooks.example.com/"
    assert api.submit(client, callback_url=url.ljust(2048, "a")).status == 200


@claim("EV-CB-1")
def test_an_address_of_2049_characters(client: Client) -> None:
    answer = api.submit(client, callback_url="https://hooks.example.com/".ljust(2049, "a"))
    api.assert_invalid(client, answer, "callback_url")


@claim("EV-CB-2", "EV-CB-3")
@paid(priority=CORE)
def test_a_completed_task_calls_back_with_its_query(client: Client, hook: Hook) -> None:
    task_id = api.submitted(client, callback_url=hook.url)
    found = hook.wait()[0]
    assert found["headers"]["content-type"].startswith("application/json")
    body = json.loads(found["body"])
    assert body["status"] == "completed"
    assert body == api.task(client, task_id).json()


@claim("EV-CB-2", "EV-CB-3")
@mock_only
@pytest.mark.parametrize(
    ("directive", "code"), [("[mock:fail]", "service_error"), ("[mock:moderated]", "content_policy_violation")]
)
def test_a_failed_task_calls_back(client: Client, hook: Hook, directive: str, code: str) -> None:
    task_id = api.submitted(client, prompt=directive, callback_url=hook.url)
    body = json.loads(hook.wait()[0]["body"])
    assert (body["status"], body["error"]["code"]) == ("failed", code)
    assert body == api.task(client, task_id).json()


@claim("EV-CB-2", "EV-CB-3")
@mock_only
def test_a_cancelled_task_calls_back(client: Client, hook: Hook) -> None:
    task_id = api.submitted(client, prompt="[mock:delay=100]", callback_url=hook.url)
    assert hook.received() == []
    client.post(f"/v1/tasks/{task_id}/cancel", {})
    body = json.loads(hook.wait()[0]["body"])
    assert (body["id"], body["error"]["code"]) == (task_id, "request_cancelled")


@claim("EV-CB-2")
@mock_only
def test_the_charge_is_confirmed_before_the_callback(client: Client, control: Control, hook: Hook) -> None:
    api.submitted(client, prompt="[mock:delay=100]", callback_url=hook.url)
    control.advance(99)
    assert hook.received() == []
    assert control.captured() == 0
    control.advance(1)
    hook.wait()
    assert control.held() == 0
    assert control.captured() == PRICE
    assert len(control.callbacks()) == 1


@claim("EV-CB-4")
@paid()
def test_three_retries_after_1_2_and_4_seconds(client: Client, hook: Hook, elapse: Pass) -> None:
    hook.script(500, 404, 302, 500, 200)
    api.submitted(client, callback_url=hook.url)
    hook.wait(1)
    for count, seconds in enumerate(RETRIES, 2):
        elapse(seconds)
        hook.wait(count)
    elapse(60 if client.is_mock else 12)
    received = hook.received()
    assert len(received) == 4
    if not client.is_mock:
        gaps = [later["time"] - one["time"] for one, later in itertools.pairwise(received)]
        assert gaps == [pytest.approx(seconds, abs=1.5) for seconds in RETRIES]


@claim("EV-CB-4")
@mock_only
def test_retries_to_the_millisecond(client: Client, control: Control, hook: Hook) -> None:
    hook.script(500, 500, 500, 500)
    api.submitted(client, callback_url=hook.url)
    control.wait_for_attempts(1)
    for count, seconds in enumerate(RETRIES, 2):
        control.advance(seconds - 0.001)
        assert len(control.callbacks()[0]["attempts"]) == count - 1
        control.advance(0.001)
        assert len(control.callbacks()[0]["attempts"]) == count
    times = [attempt["time"] for attempt in control.callbacks()[0]["attempts"]]
    assert [round(time - times[0], 3) for time in times] == [0, 1, 3, 7]
    assert control.callbacks()[0]["state"] == "gave_up"


@claim("EV-CB-4")
@paid(priority=VARIANT)
@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_is_success(client: Client, hook: Hook, elapse: Pass, status: int) -> None:
    hook.script(status)
    api.submitted(client, callback_url=hook.url)
    hook.wait(1)
    elapse(10)
    assert len(hook.received()) == 1


@claim("EV-CB-4")
@mock_only
@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 400, 404, 410, 429, 500, 503])
def test_all_else_is_a_failure(client: Client, control: Control, hook: Hook, status: int) -> None:
    hook.script({"status": status, "headers": {"Location": hook.read_url}})
    api.submitted(client, callback_url=hook.url)
    control.wait_for_attempts(1)
    control.advance(1)
    attempts = control.callbacks()[0]["attempts"]
    assert [attempt["status"] for attempt in attempts] == [status, 200]
    assert len(hook.received()) == 2


@claim("EV-CB-4")
@mock_only
@pytest.mark.parametrize(("delay", "status"), [(TIMEOUT - 0.1, 200), (TIMEOUT, None), (TIMEOUT + 0.1, None)])
def test_the_time_out_to_a_tenth_of_a_second(
    client: Client, control: Control, delay: float, status: int | None
) -> None:
    """On the virtual clock, with one of the mock's own receivers."""
    origin, name = f"https://{control.key.lower().replace('_', '-')}.example.com", f"timeout-{control.key[-12:]}"
    control.ask("PUT", f"sink/{name}", {"responses": [{"status": 200, "delay": delay}]})
    control.ask("POST", "routes", {"from": origin, "to": f"{control.root}/_mock/sink/{name}"})
    api.submitted(client, callback_url=f"{origin}/hook")
    control.advance(60)
    attempts = control.callbacks()[0]["attempts"]
    assert (attempts[0]["status"], attempts[0]["duration"]) == (status, pytest.approx(min(delay, TIMEOUT)))
    assert len(attempts) == (1 if status else 2)
    assert len(control.ask("GET", f"sink/{name}")["received"]) == len(attempts)
    control.ask("DELETE", "routes", **{"from": origin})


@claim("EV-CB-4")
@mock_only
def test_an_attempt_times_out_after_10_seconds(client: Client, control: Control, hook: Hook) -> None:
    """In real time: a receiver that answers after 9 s is in time, one that answers after 12 s is not."""
    late, early = hook.named("late"), hook.named("early")
    late.script({"status": 200, "delay": TIMEOUT + 2})
    early.script({"status": 200, "delay": TIMEOUT - 1})
    tasks = [api.submitted(client, callback_url=one.url) for one in (late, early)]
    found = {delivery["task_id"]: delivery for delivery in control.wait_for_deliveries(2, TIMEOUT + 5)}
    missed, hit = (found[task_id]["attempts"][0] for task_id in tasks)
    assert (missed["status"], missed["duration"]) == (None, pytest.approx(TIMEOUT, abs=0.7))
    assert hit["status"] == 200
