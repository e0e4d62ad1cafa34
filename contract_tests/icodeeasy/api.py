"""icodeeasy's calls and answers, for its tests."""

from typing import Any

from ..client import Client
from ..exchange import Answer
from ..shapes import UUID, IsUrl, is_text, is_unix, is_uuid

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
MODEL = "gpt-image-2"
PROMPT = "a corgi astronaut on the moon, cinematic"
UNKNOWN_TASK = "00000000-0000-4000-8000-000000000000"


def body(**more: Any) -> dict[str, Any]:
    """A small valid request, with other fields; None leaves a field out."""
    return {name: value for name, value in {"model": MODEL, "prompt": PROMPT, **more}.items() if value is not None}


def generate(client: Client, **more: Any) -> Answer:
    return client.post(GENERATIONS, body(**more))


def generated(client: Client, **more: Any) -> Any:
    """A sync call's body."""
    answer = generate(client, **more)
    assert answer.status == 200, answer
    return answer.json()


def submitted(client: Client, **more: Any) -> str:
    """The id of a new async task."""
    answer = client.post(GENERATIONS, body(**more), **{"async": "1"})
    assert answer.status == 202, answer
    return str(answer.json()["task_id"])


def task(client: Client, task_id: str) -> Answer:
    return client.get(f"/v1/images/tasks/{task_id}")


def ended(client: Client, task_id: str) -> Any:
    return client.poll(lambda: task(client, task_id), lambda body: body["status"] != "pending")


def file_url(task_id: str = UUID, seq: int = 1) -> Any:
    return IsUrl(rf"/v1/images/files/gpt-image-2/\d{{8}}/{task_id}-{seq}\.png")


def pictures(count: int = 1) -> dict[str, Any]:
    """A sync answer's whole body (IC-SYNC-1)."""
    return {"id": is_uuid(), "created": is_unix(), "data": [{"url": file_url(seq=seq)} for seq in range(1, count + 1)]}


def error(kind: str) -> dict[str, Any]:
    return {"error": {"type": kind, "message": is_text(), "provider": "icodeeasy.cc"}}


def assert_invalid(answer: Answer) -> None:
    """400 invalid_request_error (IC-ERR-1)."""
    assert (answer.status, answer.json()) == (400, error("invalid_request_error"))
