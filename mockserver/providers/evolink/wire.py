"""evolink: tasks as JSON, in the submission's answer, the task query and the callback (EV-TASK-1, -2, EV-CB-3)."""

from typing import Any

from pydantic_core import to_json

from mockserver.engine.clock import Draw
from mockserver.engine.tasks import SUBMITTED, Status, Task
from mockserver.http.refusals import failure_refusal
from mockserver.providers.evolink import pricing
from mockserver.providers.evolink.errors import FAILURES
from mockserver.providers.pictures import picture_url

ID_PREFIX = "task-unified-"
OBJECT = "image.generation.task"
TYPE = "image"

PICTURE_HOSTS = {"/files/": "files.evolink.ai"}
"""No document shows the host of a result: this one is a ruling of ours (EV-FILE-2)."""


def new_id(draw: Draw, now: float) -> str:
    """`task-unified-{unix}-{8 of a-z0-9}`; the number is the task's `created`."""
    return f"{ID_PREFIX}{int(now)}-{draw.token(8)}"


def submission(task: Task, reserved: float) -> dict[str, Any]:
    """The task as it was at submission; `reserved` is in credits."""
    return {
        "created": int(task.created),
        "id": task.id,
        "model": task.job.model,
        "object": OBJECT,
        "progress": 0,
        "status": SUBMITTED,
        "task_info": {"can_cancel": True, "estimated_time": pricing.ESTIMATED_SECONDS},
        "type": TYPE,
        "usage": {
            "billing_rule": pricing.BILLING_RULE,
            "credits_reserved": reserved,
            "user_group": pricing.USER_GROUP,
        },
    }


def state(task: Task, now: float) -> dict[str, Any]:
    """The task at `now` (Unix seconds), as the task query shows it."""
    status = task.status_at(now)
    body: dict[str, Any] = {
        "created": int(task.created),
        "id": task.id,
        "model": task.job.model,
        "object": OBJECT,
        "progress": task.progress_at(now),
        "status": status.value,
        "task_info": {"can_cancel": status in (Status.PENDING, Status.PROCESSING)},
        "type": TYPE,
    }
    if status is Status.COMPLETED:
        body["results"] = result_urls(task)
    if status is Status.FAILED:
        body["error"] = _error(task)
    return body


def _error(task: Task) -> dict[str, str]:
    assert task.failure is not None
    refusal = failure_refusal(FAILURES, task.failure)
    return {"code": refusal.code, "message": refusal.message, "type": refusal.type}


def result_urls(task: Task) -> list[str]:
    return [picture_url(task.job.origin, f"/files/{task.id}.png", PICTURE_HOSTS)]


def callback_body(task: Task) -> bytes:
    """The task query's body at the task's end (EV-CB-3)."""
    return to_json(state(task, task.due))


def cost_breakdown(task: Task) -> dict[str, Any]:
    return {"billing_rule": pricing.BILLING_RULE, "result_urls": result_urls(task)}
