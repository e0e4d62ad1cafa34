"""icodeeasy: its routes and their answers, for the OpenAPI description (001; IC-SYNC-1, IC-ASYNC-1, IC-TASK-1)."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from mockserver.providers.icodeeasy.routes import ASYNC_VALUES
from mockserver.providers.operations import Operation, Query, exact


@exact
class Picture(TypedDict):
    url: str


@exact
class Images(TypedDict):
    """The answer of a call that waits."""

    id: str
    created: int
    data: list[Picture]


@exact
class Submitted(TypedDict):
    """The answer of a call with `?async=1`: a task to poll."""

    status: Literal["pending"]
    task_id: str


@exact
class TaskError(TypedDict):
    type: str
    message: str
    provider: Literal["icodeeasy.cc"]


@exact
class TaskState(TypedDict):
    """A task at this instant; `cost` is in CNY, `data` has the links of several pictures."""

    task_id: str
    status: Literal["pending", "completed", "failed"]
    model: Literal["gpt-image-2"]
    cost: float
    result_url: NotRequired[str]
    data: NotRequired[list[Picture]]
    error: NotRequired[TaskError]


_ASYNC = Query("async", f"{', '.join(ASYNC_VALUES)}: answer 202 and a task at once. Any other value waits.")
_DOWNLOAD = Query("download", "1: as a download, with a file name.")
_FILES = ("image", "image[]")


def _generation(summary: str, **example: object) -> Operation:
    return Operation(
        summary,
        {200: Images, 202: Submitted},
        files=_FILES,
        parameters=(_ASYNC,),
        example=example or None,
    )


_GENERATE = _generation(
    "Generate pictures",
    model="gpt-image-2",
    prompt="a corgi astronaut on the moon, cinematic",
    size="16:9",
    resolution="2k",
    quality="medium",
)
_EDIT = _generation(
    "Generate pictures from references",
    model="gpt-image-2",
    prompt="make this person 70 years old",
    size="1536x1024",
    image_urls=["https://example.com/photo.png"],
)
_TASK = Operation("A task at this instant", {200: TaskState})

OPERATIONS = {
    "POST /v1/images/generations": _GENERATE,
    "POST /v1/images/edits": _EDIT,
    "POST /images/generations": _GENERATE,
    "POST /images/edits": _EDIT,
    "GET /v1/images/tasks/{task_id}": _TASK,
    "GET /images/tasks/{task_id}": _TASK,
    "GET /v1/images/files/{model}/{day}/{task_id}-{sequence}.png": Operation(
        "Redirects to the picture",
        {302: None},
        parameters=(_DOWNLOAD,),
        headers={"Location": "Where the picture is."},
    ),
    "GET /cdn/{model}/{day}/{task_id}-{sequence}.png": Operation("A picture, without a key", parameters=(_DOWNLOAD,)),
}
