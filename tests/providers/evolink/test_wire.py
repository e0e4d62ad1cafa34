"""evolink: tasks as whole bodies (EV-TASK, EV-EP-1, EV-ERR-2, EV-FILE-1)."""

from typing import Any

import pytest
from conftest import Serve
from dirty_equals import IsInt, IsStr

from support.calls import Caller, read_picture
from support.errors import assert_evolink_error

DAY = 24 * 3600


def submit(caller: Caller, **fields: Any) -> str:
    answer = caller.generate(**fields)
    assert answer.status_code == 200, answer.text
    task_id: str = answer.json()["id"]
    return task_id


def query(caller: Caller, task_id: str) -> Any:
    answer = caller.get(f"/v1/tasks/{task_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.claim("EV-EP-1", "EV-TASK-1", "EV-BILL-1", "EV-LAT-1")
@pytest.mark.parametrize("prompt", ["a fox", "[mock:delay=50]", "[mock:fail]", "[mock:moderated]"])
def test_a_submission_answers_the_task_as_submitted(evolink: Caller, prompt: str) -> None:
    answer = evolink.generate(prompt=prompt)
    now = int(evolink.scene.now())
    assert answer.status_code == 200
    assert answer.json() == {
        "created": now,
        "id": IsStr(regex=rf"task-unified-{now}-[a-z0-9]{{8}}"),
        "model": "gpt-image-2-beta",
        "object": "image.generation.task",
        "progress": 0,
        "status": "pending",
        "task_info": {"can_cancel": True, "estimated_time": 100},
        "type": "image",
        "usage": {"billing_rule": "per_call", "credits_reserved": 2.5, "user_group": "default"},
    }


@pytest.mark.claim("EV-TASK-2")
def test_a_completed_task(evolink: Caller) -> None:
    task_id, created = submit(evolink), int(evolink.scene.now())
    assert query(evolink, task_id) == {
        "created": created,
        "id": task_id,
        "model": "gpt-image-2-beta",
        "object": "image.generation.task",
        "progress": 100,
        "status": "completed",
        "task_info": {"can_cancel": False},
        "type": "image",
        "results": [IsStr(regex=rf"{evolink.scene.root}/evolink/.*\.png")],
    }


@pytest.mark.claim("EV-TASK-2")
def test_a_pending_task(evolink: Caller) -> None:
    task_id, created = submit(evolink, prompt="[mock:delay=100]"), int(evolink.scene.now())
    assert query(evolink, task_id) == {
        "created": created,
        "id": task_id,
        "model": "gpt-image-2-beta",
        "object": "image.generation.task",
        "progress": 0,
        "status": "pending",
        "task_info": {"can_cancel": True},
        "type": "image",
    }


@pytest.mark.claim("EV-TASK-2", "EV-TASK-1")
def test_a_task_is_pending_for_a_twentieth_and_then_processing(evolink: Caller) -> None:
    task_id, states = submit(evolink, prompt="[mock:delay=100]"), []
    for step in (4.999, 0.001, 94.999, 0.001):
        evolink.scene.advance(step)
        task = query(evolink, task_id)
        states.append((task["status"], task["progress"], task["task_info"]["can_cancel"]))
    assert states == [
        ("pending", 0, True),
        ("processing", 1, True),
        ("processing", IsInt(ge=98, le=99), True),
        ("completed", 100, False),
    ]


@pytest.mark.claim("EV-TASK-2")
def test_progress_rises_from_1_to_99_and_never_falls(serve: Serve) -> None:
    caller = Caller(serve(latency="documented"), "evolink", "k")
    task_id, tasks = submit(caller), []
    for _ in range(130):
        tasks.append(query(caller, task_id))
        caller.scene.advance(1)
    progress = [task["progress"] for task in tasks]
    assert progress == sorted(progress)
    assert {task["progress"] for task in tasks if task["status"] == "processing"} <= set(range(1, 100))
    statuses = [task["status"] for task in tasks]
    assert list(dict.fromkeys(statuses)) == ["pending", "processing", "completed"]
    assert len(set(progress)) > 50


@pytest.mark.claim("EV-TASK-2", "EV-ERR-2")
@pytest.mark.parametrize(
    ("directive", "code"),
    [
        ("fail", "service_error"),
        ("moderated", "content_policy_violation"),
        *(
            (f"fail={code}", code)
            for code in (
                "content_policy_violation",
                "invalid_parameters",
                "image_processing_error",
                "image_dimension_mismatch",
                "request_cancelled",
                "generation_timeout",
                "service_error",
                "resource_exhausted",
                "something_new",
            )
        ),
    ],
)
def test_a_failed_task(evolink: Caller, directive: str, code: str) -> None:
    task_id, created = submit(evolink, prompt=f"a fox [mock:{directive}]"), int(evolink.scene.now())
    assert query(evolink, task_id) == {
        "created": created,
        "id": task_id,
        "model": "gpt-image-2-beta",
        "object": "image.generation.task",
        "progress": IsInt(ge=0, le=99),
        "status": "failed",
        "task_info": {"can_cancel": False},
        "type": "image",
        "error": {"code": code, "message": IsStr(min_length=1), "type": "task_error"},
    }
    assert evolink.captured() == 0


@pytest.mark.claim("EV-TASK-2")
def test_the_progress_of_a_task_that_fails_never_falls(evolink: Caller) -> None:
    task_id, progress = submit(evolink, prompt="[mock:fail] [mock:delay=50]"), []
    for _ in range(60):
        progress.append(query(evolink, task_id)["progress"])
        evolink.scene.advance(1)
    assert progress == sorted(progress)
    assert progress[-1] < 100


@pytest.mark.claim("EV-TASK-3")
@pytest.mark.parametrize("task_id", ["x", "task-", "task-unified", "TASK-UNIFIED-1-a", "1757156493", "unified-1-abc"])
def test_a_malformed_task_id(evolink: Caller, task_id: str) -> None:
    message = "Invalid task ID format, must start with 'task-unified-'"
    answer = evolink.get(f"/v1/tasks/{task_id}")
    assert answer.json() == {
        "error": {
            "code": "invalid_task_id",
            "message": message,
            "type": "invalid_request_error",
            "param": "task_id",
        }
    }
    assert_evolink_error(answer, 400, "invalid_task_id", param="task_id", message=message)


@pytest.mark.claim("EV-TASK-3", "EV-ERR-3")
def test_an_unknown_task(evolink: Caller) -> None:
    for task_id in ("task-unified-1757156493-imcg5zqt", "task-unified-", "task-unified-x"):
        assert_evolink_error(evolink.get(f"/v1/tasks/{task_id}"), 404, "task_not_found")


@pytest.mark.claim("EV-TASK-3", "EV-ERR-3")
def test_another_keys_task(evolink: Caller) -> None:
    task_id, other = submit(evolink, prompt="[mock:delay=50]"), evolink.keyed(evolink.key + "-other")
    assert_evolink_error(other.get(f"/v1/tasks/{task_id}"), 403, "permission_denied")
    assert_evolink_error(other.send("POST", f"/v1/tasks/{task_id}/cancel"), 403, "permission_denied")
    assert query(evolink, task_id)["status"] == "pending"


@pytest.mark.claim("EV-TASK-4", "EV-TASK-2")
@pytest.mark.parametrize(("after", "progress"), [(0, 0), (4, 0), (5, 1), (60, IsInt(ge=50, le=65))])
def test_a_cancelled_task(evolink: Caller, after: float, progress: Any) -> None:
    task_id, created = submit(evolink, prompt="[mock:delay=100]"), int(evolink.scene.now())
    evolink.scene.advance(after)
    answer = evolink.send("POST", f"/v1/tasks/{task_id}/cancel")
    assert answer.status_code == 200
    assert answer.json() == {
        "created": created,
        "id": task_id,
        "model": "gpt-image-2-beta",
        "object": "image.generation.task",
        "progress": progress,
        "status": "failed",
        "task_info": {"can_cancel": False},
        "type": "image",
        "error": {"code": "request_cancelled", "message": IsStr(min_length=1), "type": "task_error"},
    }
    evolink.scene.advance(200)
    assert query(evolink, task_id) == answer.json()


@pytest.mark.claim("EV-TASK-4")
@pytest.mark.parametrize("prompt", ["a fox", "[mock:fail]"])
def test_a_task_that_has_ended_is_not_cancelled(evolink: Caller, prompt: str) -> None:
    task_id = submit(evolink, prompt=prompt)
    before = query(evolink, task_id)
    assert_evolink_error(evolink.send("POST", f"/v1/tasks/{task_id}/cancel"), 400, "invalid_request")
    assert query(evolink, task_id) == before


@pytest.mark.claim("EV-TASK-4")
def test_a_task_is_cancelled_once(evolink: Caller) -> None:
    task_id = submit(evolink, prompt="[mock:delay=100]")
    assert evolink.send("POST", f"/v1/tasks/{task_id}/cancel").status_code == 200
    assert_evolink_error(evolink.send("POST", f"/v1/tasks/{task_id}/cancel"), 400, "invalid_request")


@pytest.mark.claim("EV-TASK-4", "EV-TASK-3")
def test_only_known_tasks_are_cancelled(evolink: Caller) -> None:
    answer = evolink.send("POST", "/v1/tasks/x/cancel")
    assert_evolink_error(answer, 400, "invalid_task_id", param="task_id")
    assert_evolink_error(evolink.send("POST", "/v1/tasks/task-unified-1-a/cancel"), 404, "task_not_found")


@pytest.mark.claim("EV-FILE-1")
def test_a_result_link_lives_for_a_day_and_needs_no_key(evolink: Caller) -> None:
    (url,) = query(evolink, submit(evolink))["results"]
    evolink.scene.advance(DAY - 1)
    assert read_picture(evolink.scene.http, url) == (1024, 1024)
    assert evolink.scene.http.get(url).headers["content-type"] == "image/png"
    evolink.scene.advance(1)
    answer = evolink.scene.http.get(url)
    assert_evolink_error(answer, 404, answer.json()["error"]["code"])


@pytest.mark.claim("EV-FILE-1")
def test_the_day_of_a_link_begins_at_completion(evolink: Caller) -> None:
    task_id = submit(evolink, prompt="[mock:delay=3600]")
    evolink.scene.advance(3600)
    (url,) = query(evolink, task_id)["results"]
    evolink.scene.advance(DAY - 1)
    assert evolink.scene.http.get(url).status_code == 200


@pytest.mark.claim("EV-FILE-1")
def test_there_is_no_file_of_an_unfinished_or_failed_task(evolink: Caller) -> None:
    (url,) = query(evolink, done := submit(evolink))["results"]
    for prompt in ("[mock:delay=9]", "[mock:fail]"):
        other = url.replace(done, submit(evolink, prompt=prompt))
        assert evolink.scene.http.get(other).status_code == 404


@pytest.mark.claim("EV-EP-1")
def test_task_ids_are_unique_within_a_second(evolink: Caller) -> None:
    assert len({submit(evolink) for _ in range(50)}) == 50
