"""evolink: its routes and their answers, for the OpenAPI description (002; EV-TASK-1, -2, EV-CB-3, EV-CRED-1)."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from mockserver.providers.operations import Operation, Query, exact

TaskId = Annotated[str, Field(pattern=r"^task-unified-[0-9]+-[a-z0-9]{8}$")]


@exact
class SubmittedInfo(TypedDict):
    can_cancel: bool
    estimated_time: int


@exact
class Usage(TypedDict):
    billing_rule: Literal["per_call"]
    credits_reserved: float
    user_group: Literal["default"]


@exact
class Submission(TypedDict):
    """A task as it was at submission."""

    created: int
    id: TaskId
    model: Literal["gpt-image-2-beta"]
    object: Literal["image.generation.task"]
    progress: Literal[0]
    status: Literal["pending"]
    task_info: SubmittedInfo
    type: Literal["image"]
    usage: Usage


@exact
class TaskInfo(TypedDict):
    can_cancel: bool


@exact
class TaskError(TypedDict):
    """Why a generation failed."""

    code: str
    message: str
    type: str


@exact
class TaskState(TypedDict):
    """A task at this instant; `results` are links of a completed one, `error` is of a failed one."""

    created: int
    id: TaskId
    model: Literal["gpt-image-2-beta"]
    object: Literal["image.generation.task"]
    progress: Annotated[int, Field(ge=0, le=100)]
    status: Literal["pending", "processing", "completed", "failed"]
    task_info: TaskInfo
    type: Literal["image"]
    results: NotRequired[list[str]]
    error: NotRequired[TaskError]


@exact
class TokenCredits(TypedDict):
    remaining_credits: float
    unlimited_credits: bool
    used_credits: float


@exact
class UserCredits(TypedDict):
    remaining_credits: float
    used_credits: float


@exact
class CreditsData(TypedDict):
    token: TokenCredits
    user: UserCredits


@exact
class Credits(TypedDict):
    """What is left and what is used, in credits."""

    data: CreditsData
    message: str
    success: Literal[True]


OPERATIONS = {
    "POST /v1/images/generations": Operation(
        "Submit a generation: the answer is a task",
        {200: Submission},
        parameters=(
            Query(
                "Idempotency-Key", "The task of the first call with this key answers each repetition.", place="header"
            ),
        ),
        callback=TaskState,
        headers={"idempotency-replayed": "true if the task is that of an earlier call with the same Idempotency-Key."},
    ),
    "GET /v1/tasks/{task_id}": Operation("A task at this instant", {200: TaskState}),
    "POST /v1/tasks/{task_id}/cancel": Operation("Cancel a task that has not ended", {200: TaskState}),
    "GET /v1/credits": Operation("The credits that are left and used", {200: Credits}),
    "GET /files/{task_id}.png": Operation("A result, for 24 hours and without a key"),
}
