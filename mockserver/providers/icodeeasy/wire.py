"""icodeeasy: answers as JSON (001, "Response structure" and "Image URL behaviour")."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from mockserver.engine.clock import Draw
from mockserver.engine.tasks import SUBMITTED, Status, Task
from mockserver.http.refusals import failure_refusal
from mockserver.providers.icodeeasy.errors import REFUSALS, error_object
from mockserver.providers.icodeeasy.pricing import CURRENCY
from mockserver.providers.pictures import picture_url

PICTURE_HOSTS = dict.fromkeys(("/v1/images/files/", "/cdn/"), "api.icodeeasy.cc")
"""Document 001, "Image URL behaviour"; that the redirect stays on this host is a ruling of ours (IC-FILE-2)."""

DAY = 86_400
"""Seconds."""


def new_id(draw: Draw, now: float) -> str:
    return draw.uuid()


def day(task: Task) -> str:
    """The UTC day of creation as file URLs write it: YYYYMMDD."""
    return _day(int(task.created // DAY))


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * DAY, UTC).strftime("%Y%m%d")


def file_urls(task: Task) -> list[str]:
    """The links of a task's pictures, numbered from 1 (IC-FILE-1, IC-N-1)."""
    stem = f"/v1/images/files/{task.job.model}/{day(task)}/{task.id}"
    return [picture_url(task.job.origin, f"{stem}-{n}.png", PICTURE_HOSTS) for n in range(1, task.job.count + 1)]


def redirect_target(task: Task, sequence: int) -> str:
    """Where a file link redirects to."""
    return _address(task, f"/cdn/{task.job.model}/{day(task)}/{task.id}-{sequence}.png")


def _address(task: Task, path: str) -> str:
    return picture_url(task.job.origin, path, PICTURE_HOSTS)


def images(task: Task) -> dict[str, Any]:
    """IC-SYNC-1: the synchronous answer."""
    return {"id": task.id, "created": int(task.created), "data": _data(task)}


def _data(task: Task) -> list[dict[str, str]]:
    return [{"url": url} for url in file_urls(task)]


def submission(task: Task) -> dict[str, Any]:
    """IC-ASYNC-1."""
    return {"status": SUBMITTED, "task_id": task.id}


def state(task: Task, now: float) -> dict[str, Any]:
    """IC-TASK-1: the task at `now`; `cost` is a number in CNY."""
    status = task.status_at(now)
    body: dict[str, Any] = {"task_id": task.id, "status": "pending", "model": task.job.model, "cost": 0}
    if status is Status.COMPLETED:
        urls = file_urls(task)
        body.update(status="completed", cost=CURRENCY.number(task.job.cost), result_url=urls[0])
        if len(urls) > 1:
            body["data"] = _data(task)
    if status is Status.FAILED and task.failure:
        body.update(status="failed", error=error_object(failure_refusal(REFUSALS, task.failure), task.failure.detail))
    return body


def cost_breakdown(task: Task) -> dict[str, Any]:
    """IC-BILL-3: the usage record's breakdown."""
    cost = CURRENCY.number(task.job.cost)
    return {"image_count": task.job.count, "image_cost_rmb": cost, "image_urls": file_urls(task)}
