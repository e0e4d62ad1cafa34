"""evolink: the task query, credits, links, and calls that are repeated."""

import pytest
from dirty_equals import IsInt

from ..client import Client
from ..marks import CORE, claim, mock_only, paid
from ..mock import Control
from ..pricing import price_of
from ..shapes import IsUrl
from . import api

PRICE = price_of("evolink", {})


@claim("EV-TASK-2", "EV-FILE-1")
@paid(priority=CORE)
def test_completed(client: Client) -> None:
    task_id = api.submitted(client)
    found = api.ended(client, task_id)
    assert found == api.state(task_id, "completed", 100, results=[IsUrl(r".*\.png" if client.is_mock else ".*")])
    assert client.picture(found["results"][0]).width > 0


@claim("EV-TASK-2")
@mock_only
def test_progress_rises_to_the_end(client: Client, control: Control) -> None:
    task_id = api.submitted(client, prompt="[mock:delay=100]")
    assert api.task(client, task_id).json() == api.state(task_id, "pending", 0)
    seen = []
    for _ in range(9):
        control.advance(10)
        found = api.task(client, task_id).json()
        assert found == api.state(task_id, "processing", IsInt(ge=1, le=99))
        seen.append(found["progress"])
    assert seen == sorted(seen)
    control.advance(10)
    assert api.task(client, task_id).json() == api.state(task_id, "completed", 100, results=[IsUrl()])


@claim("EV-TASK-2", "EV-ERR-2", "EV-ERR-3")
@mock_only
@pytest.mark.parametrize(
    ("directive", "code"),
    [
        ("[mock:fail]", "service_error"),
        ("[mock:moderated]", "content_policy_violation"),
        ("[mock:fail=invalid_parameters]", "invalid_parameters"),
        ("[mock:fail=image_processing_error]", "image_processing_error"),
        ("[mock:fail=image_dimension_mismatch]", "image_dimension_mismatch"),
        ("[mock:fail=generation_timeout]", "generation_timeout"),
        ("[mock:fail=resource_exhausted]", "resource_exhausted"),
    ],
)
def test_failed(client: Client, directive: str, code: str) -> None:
    answer = api.submit(client, prompt=f"a cat {directive}")
    assert (answer.status, answer.json()["status"]) == (200, "pending")
    found = api.ended(client, answer.json()["id"])
    assert found == api.state(answer.json()["id"], "failed", IsInt(ge=0, le=99), error=api.task_error(code))


@claim("EV-ERR-2", "EV-CB-2")
@mock_only
def test_cancelled(client: Client, control: Control) -> None:
    task_id = api.submitted(client, prompt="[mock:delay=100]")
    answer = client.post(f"/v1/tasks/{task_id}/cancel", {})
    expected = api.state(task_id, "failed", IsInt(ge=0, le=99), error=api.task_error("request_cancelled"))
    assert (answer.status, answer.json()) == (200, expected)
    assert control.spent() == 0


@claim("EV-TASK-3")
@pytest.mark.parametrize(
    "task_id", ["1757156493-imcg5zqt", "task-1757156493-imcg5zqt", "00000000-0000-4000-8000-000000000000"]
)
def test_another_form_of_id(client: Client, task_id: str) -> None:
    answer = api.task(client, task_id)
    message = "Invalid task ID format, must start with 'task-unified-'"
    expected = api.error(client, "invalid_task_id", "invalid_request_error", message, "task_id")
    assert (answer.status, api.refusal(client, answer)) == (400, expected)


@claim("EV-TASK-3", "EV-ERR-3")
def test_an_unknown_task(client: Client) -> None:
    answer = api.task(client, api.UNKNOWN_TASK)
    found = answer.json()["error"]
    assert (answer.status, found["code"], found["type"]) == (404, "task_not_found", "invalid_request_error")


@claim("EV-TASK-3", "EV-ERR-3")
@mock_only
def test_a_task_of_another_key(client: Client) -> None:
    answer = api.task(client.with_key("sk-somebody-else"), api.submitted(client))
    found = answer.json()["error"]
    assert (answer.status, found["code"], found["type"]) == (403, "permission_denied", "invalid_request_error")


@claim("EV-ERR-3", "EV-AUTH-1")
def test_a_query_without_a_key(client: Client) -> None:
    answer = api.task(client.with_key(None), api.UNKNOWN_TASK)
    expected = api.error(client, "unauthorized", "authentication_error", "Authentication required")
    assert (answer.status, api.refusal(client, answer)) == (401, expected)


@claim("EV-ERR-3")
@mock_only
@pytest.mark.parametrize(
    ("status", "code", "kind"), [(402, "quota_exceeded", None), (429, "rate_limit_exceeded", "evo_api_error")]
)
def test_a_query_refused_for_quota_or_rate(
    client: Client, control: Control, status: int, code: str, kind: str | None
) -> None:
    task_id = api.submitted(client)
    match = {"provider": "evolink", "path": f"/v1/tasks/{task_id}"}
    control.ask("POST", "faults", {"match": match, "times": 1, "fault": {"type": "status", "status": status}})
    answer = api.task(client, task_id)
    found = answer.json()["error"]
    assert (answer.status, found["code"]) == (status, code)
    assert kind is None or found["type"] == kind


@claim("EV-CRED-1")
def test_credits(client: Client) -> None:
    answer = client.get("/v1/credits")
    found = answer.json()
    assert (answer.status, found["success"], found["message"]) == (200, True, "")
    assert found.keys() == {"data", "message", "success"}
    assert found["data"]["token"].keys() == {"remaining_credits", "unlimited_credits", "used_credits"}
    assert found["data"]["user"].keys() == {"remaining_credits", "used_credits"}


@claim("EV-CRED-1", "EV-BILL-1")
@mock_only
def test_credits_show_what_was_used(client: Client) -> None:
    api.completed(client)
    token = {"remaining_credits": 997.5, "unlimited_credits": False, "used_credits": 2.5}
    user = {"remaining_credits": 997.5, "used_credits": 2.5}
    expected = {"data": {"token": token, "user": user}, "message": "", "success": True}
    assert client.get("/v1/credits").json() == expected


@claim("EV-IDEM-1")
@paid()
def test_the_same_idempotency_key(client: Client) -> None:
    first = api.with_header(client, "Idempotency-Key", client.unique(), size="1:1")
    again = api.with_header(client, "Idempotency-Key", client.unique(), size="1:1")
    assert (again.status, again.json()["id"]) == (200, first.json()["id"])
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


@claim("EV-IDEM-1")
@mock_only
def test_an_idempotency_key_is_charged_once(client: Client, control: Control) -> None:
    answers = [api.with_header(client, "Idempotency-Key", "once") for _ in range(3)]
    api.ended(client, answers[0].json()["id"])
    assert control.captured() == PRICE


@claim("EV-IDEM-1")
@paid(calls=2)
def test_an_idempotency_key_with_another_body(client: Client) -> None:
    name = client.unique()
    api.with_header(client, "Idempotency-Key", name, size="1:1")
    answer = api.with_header(client, "Idempotency-Key", name, size="3:2")
    assert answer.json()["error"]["code"] == "idempotency_conflict"
    assert answer.status == 409 if client.is_mock else answer.status >= 400


@claim("EV-FILE-1")
@mock_only
def test_links_live_for_a_day(client: Client, control: Control) -> None:
    url = api.completed(client)["results"][0]
    control.advance(24 * 3600 - 1)
    assert client.fetch(url).status == 200
    control.advance(1)
    assert client.fetch(url).status == 404


@claim("EV-LAT-1")
@mock_only
def test_documented_duration(slow_client: Client, slow_control: Control) -> None:
    answer = api.submit(slow_client)
    task = slow_control.task(answer.json()["id"])
    assert answer.json()["task_info"]["estimated_time"] == 100
    assert 60 <= task["due"] - task["created"] <= 120


@claim("EV-LAT-1")
@mock_only
def test_a_task_is_pending_for_a_twentieth_of_its_time(client: Client, control: Control) -> None:
    task_id = api.submitted(client, prompt="[mock:delay=100]")
    control.advance(4.5)
    assert api.task(client, task_id).json()["status"] == "pending"
    control.advance(1)
    assert api.task(client, task_id).json()["status"] == "processing"
