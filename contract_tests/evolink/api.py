"""evolink's calls and answers, for its tests."""

from typing import Any

from ..client import Client
from ..exchange import Answer, Call
from ..shapes import begins_with, is_text, is_unix

PATH = "/v1/images/generations"
MODEL = "gpt-image-2-beta"
PROMPT = "A beautiful colorful sunset over the ocean"
TASK_ID = r"task-unified-(\d+)-[a-z0-9]{8}"
UNKNOWN_TASK = "task-unified-1757156493-zzz00000"

ENDED = ("completed", "failed")


def body(**more: Any) -> dict[str, Any]:
    """The documented request, with other fields; None leaves a field out."""
    return {name: value for name, value in {"model": MODEL, "prompt": PROMPT, **more}.items() if value is not None}


def submit(client: Client, **more: Any) -> Answer:
    return client.post(PATH, body(**more))


def submitted(client: Client, **more: Any) -> str:
    """The id of a new task."""
    answer = submit(client, **more)
    assert answer.status == 200, answer
    return str(answer.json()["id"])


def task(client: Client, task_id: str) -> Answer:
    return client.get(f"/v1/tasks/{task_id}")


def ended(client: Client, task_id: str) -> Any:
    """The task query's body, once the task has ended."""
    return client.poll(lambda: task(client, task_id), lambda body: body["status"] in ENDED)


def completed(client: Client, **more: Any) -> Any:
    found = ended(client, submitted(client, **more))
    assert found["status"] == "completed", found
    return found


def with_header(client: Client, name: str, value: str, **more: Any) -> Answer:
    return client.send(Call("POST", PATH, headers={name: value}, body=body(**more)))


def error(client: Client, code: str, kind: str, message: str, param: str | None = None) -> dict[str, Any]:
    """An error's whole body. Which parameter is at fault is a ruling for most: another target need not say it."""
    found: dict[str, Any] = {"code": code, "message": begins_with(message), "type": kind}
    if client.is_mock and param is not None:
        found["param"] = param
    return {"error": found}


def refusal(client: Client, answer: Answer) -> Any:
    """A refusal's body to compare with `error`: without `param` on a target that may choose to say it."""
    found = answer.json()
    if not client.is_mock and isinstance(found.get("error"), dict):
        found["error"].pop("param", None)
    return found


def assert_invalid(client: Client, answer: Answer, param: str | None = None) -> None:
    """400 invalid_request (EV-ERR-1)."""
    expected = error(client, "invalid_request", "invalid_request_error", "Invalid request parameters", param)
    assert (answer.status, refusal(client, answer)) == (400, expected)


def state(task_id: str, status: str, progress: Any, **more: Any) -> dict[str, Any]:
    """A task query's whole body (EV-TASK-2)."""
    return {
        "created": is_unix(),
        "id": task_id,
        "model": MODEL,
        "object": "image.generation.task",
        "progress": progress,
        "status": status,
        "task_info": {"can_cancel": status not in ENDED},
        "type": "image",
        **more,
    }


def task_error(code: str) -> dict[str, Any]:
    return {"code": code, "message": is_text(), "type": "task_error"}
