"""xhuoapi: its routes and their answers, for the OpenAPI description (000/003; XH-RESP-…, XH-CB-2, XH-TASK-1)."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from mockserver.providers.operations import Operation, Query, exact
from mockserver.providers.xhuoapi import tasks, wire


@exact
class Picture(TypedDict):
    """A link, or the bytes of a call with `"response_format": "b64_json"`."""

    revised_prompt: str
    url: NotRequired[str]
    b64_json: NotRequired[str]


@exact
class Images(TypedDict):
    """The answer of a call that waits. `created` is 0 for nano-banana*; the gpt-image models name their task."""

    created: int
    data: list[Picture]
    success: NotRequired[Literal[True]]
    task_id: NotRequired[str]
    trace_id: NotRequired[str]
    elapsed: NotRequired[float]


@exact
class Accepted(TypedDict):
    """The answer of a call with a `callback_url` or `async`."""

    task_id: str


@exact
class Error(TypedDict):
    code: str
    message: str


@exact
class Failed(TypedDict):
    """The response of a task that has failed."""

    success: Literal[False]
    error: Error


@exact
class CallbackData(TypedDict):
    created: int
    data: list[Picture]


@exact
class Succeeded(TypedDict):
    """The callback of a generation that has succeeded."""

    success: Literal[True]
    task_id: str
    trace_id: str
    data: CallbackData


@exact
class CallbackFailed(TypedDict):
    """The callback of a generation that has failed."""

    success: Literal[False]
    task_id: str
    trace_id: str
    error: Error


@exact
class Record(TypedDict):
    """A task as the tasks endpoint shows it; times are Unix seconds."""

    _id: Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
    id: str
    trace_id: str
    type: Literal["images", "images_generations", "images_edits"]
    application_id: str
    user_id: str
    credential_id: str
    created_at: float
    finished_at: float | None
    duration: float | None
    elapsed: float | None
    request: dict[str, Any]
    response: Images | Failed | None


@exact
class Batch(TypedDict):
    """A page of tasks, and how many there are in all."""

    items: list[Record]
    count: int


@exact
class Unknown(TypedDict):
    """`{}`: there is no such task."""


class EditFields(TypedDict):
    """The references of a JSON edit: a URL, or a list of them."""

    image: str | list[str]


OPERATIONS = {
    "POST /v1/openai/images/generations": Operation(
        "Generate pictures with any model", {200: Images | Accepted}, callback=Succeeded | CallbackFailed
    ),
    "POST /v1/openai/images/edits": Operation(
        "Edit pictures",
        {200: Images | Accepted},
        also=EditFields,
        files=("image", "image[]", "mask"),
        example={
            "model": "gpt-image-2",
            "prompt": "Put the fox into a snowy forest",
            "image": "https://example.com/fox.png",
        },
        callback=Succeeded | CallbackFailed,
    ),
    "POST /v1/openai/tasks": Operation(
        "Retrieve one task, or a page of several",
        {200: Record | Batch | Unknown},
        requests=(tasks.Query,),
        example={"action": "retrieve", "id": "ab58a5df-6f46-4874-bff6-93169e2849a3"},
    ),
    "GET /gpt-image/{task_id}_{index}.{extension}": Operation("A picture of a gpt-image model, without a key"),
    "GET /nanobanana/{task_id}.png": Operation("A picture of a nano-banana model, without a key"),
    "GET /private/images/{task_id}/generated_{index}.png": Operation(
        "A picture of a dall-e model, by a link that is signed for 24 hours",
        parameters=tuple(Query(name, "A part of the signed link.") for name in wire.signed("", "2026-01-01T00:00:00Z")),
    ),
}
