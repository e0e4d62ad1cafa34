"""xhuoapi's calls and answers, for its tests."""

from typing import Any

from dirty_equals import IsPositiveFloat, IsStr

from ..client import Client
from ..exchange import Answer
from ..shapes import UUID, IsUrl, begins_with, is_text, is_unix, is_uuid

GENERATIONS, EDITS, TASKS = "/v1/openai/images/generations", "/v1/openai/images/edits", "/v1/openai/tasks"
PROMPT = "abstract painting"
UNKNOWN_TASK = "00000000-0000-4000-8000-000000000000"

GPT = ("gpt-image-1", "gpt-image-1.5", "gpt-image-2")
NANO = ("nano-banana", "nano-banana-2", "nano-banana-pro")
DALL_E = ("dall-e-2", "dall-e-3")
MODELS = (*DALL_E, *GPT, *NANO)

MESSAGES = {
    "token_mismatched": "The specified token is not matched with API.",
    "api_not_implemented": "The API is not implemented.",
    "invalid_token": "The specified token is invalid or wrong.",
    "too_many_requests": "You have exceeded the rate limit.",
    "api_error": "Internal server error.",
    "no_api": "API does not exist, please make sure url is correct.",
    "timeout": "Timeout to generate the image.",
    "request_too_large": "Request body is too large.",
}
"""XH-ERR-5: what each code says."""


def body(**more: Any) -> dict[str, Any]:
    """A small valid request, with other fields; None leaves a field out."""
    fields = {"model": "gpt-image-2", "prompt": PROMPT, **more}
    return {name: value for name, value in fields.items() if value is not None}


def generate(client: Client, **more: Any) -> Answer:
    return client.post(GENERATIONS, body(**more))


def generated(client: Client, **more: Any) -> Any:
    """A sync call's body."""
    answer = generate(client, **more)
    assert answer.status == 200, answer
    return answer.json()


def submitted(client: Client, path: str = GENERATIONS, **more: Any) -> str:
    """The task_id of a new async call."""
    answer = client.post(path, body(**{"async": True, **more}))
    assert (answer.status, answer.json()) == (200, {"task_id": is_uuid()})
    return str(answer.json()["task_id"])


def retrieve(client: Client, **which: Any) -> Answer:
    return client.post(TASKS, {"action": "retrieve", **which})


def ended(client: Client, task_id: str) -> Any:
    """The task's record, once it has ended."""
    return client.poll(lambda: retrieve(client, id=task_id), lambda body: body.get("finished_at") is not None)


def error(code: str, message: Any = None) -> dict[str, Any]:
    """An error's whole body (XH-ERR-1), with the published message (XH-ERR-5)."""
    text = message or (begins_with(MESSAGES[code]) if code in MESSAGES else is_text())
    return {"success": False, "error": {"code": code, "message": text}, "trace_id": is_uuid()}


def assert_refused(client: Client, answer: Answer, code: str, status: int = 400) -> None:
    """An error by its code on the mock; on another target any 400 of the documented shape (which code is ours)."""
    assert answer.status == status, answer
    known = error(code) if client.is_mock else error(code, is_text())
    if not client.is_mock:
        known["error"]["code"] = IsStr(regex="token_mismatched|api_not_implemented|bad_request")
    assert answer.json() == known


def item(model: str, prompt: str = PROMPT, path: str = ".*") -> dict[str, Any]:
    revised = prompt if model in (*GPT, *NANO) else is_text()
    return {"revised_prompt": revised, "url": IsUrl(path)}


def pictures(model: str, prompt: str = PROMPT, count: int = 1) -> dict[str, Any]:
    """A sync answer's whole body for a model (XH-RESP-1, -2, -3)."""
    if model in NANO:
        return {"created": 0, "data": [item(model, prompt, rf"/nanobanana/{UUID}\.png")]}
    data = [item(model, prompt, rf"/gpt-image/{UUID}_0\.png" if model == "gpt-image-2" else ".*")] * count
    found: dict[str, Any] = {"created": is_unix(), "data": data}
    return {"success": True, "task_id": is_uuid(), **found} if model in GPT else found


def edited(model: str, prompt: str = PROMPT) -> dict[str, Any]:
    """An edit's whole body: gpt-image-2 adds two fields (XH-EDIT-1)."""
    more = {"trace_id": is_uuid(), "elapsed": IsPositiveFloat() | 0} if model == "gpt-image-2" else {}
    return {**pictures(model, prompt), **more}
