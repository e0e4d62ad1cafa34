"""Jobs and tasks. When and how a task ends is fixed at submission; its status is a function of the time."""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any, Literal

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.problems import Kind

ImageFormat = Literal["png", "jpeg", "webp"]

NOTHING: Mapping[str, Any] = {}
"""The empty `wire` of a job, shared by all that need none; never changed."""

PENDING_SHARE = 0.05
"""The fraction of its duration for which a task is pending; then it is processing."""


class Status(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


SUBMITTED = Status.PENDING.value
"""The status in the answer to a submission, even if the task has ended by then."""


@fast_dataclass
class Failure:
    """Why a generation fails: a kind, or a provider's own error code; `detail` completes the message."""

    kind: Kind
    code: str | None = None
    detail: str = ""


@fast_dataclass
class Idempotency:
    """A client's key for a submission that may be sent again, and the SHA-256 (hex) of the body that came with it."""

    key: str
    fingerprint: str


@fast_dataclass
class Job:
    """A valid request, as a provider submits it to the engine.

    `size` is the text that the picture shows; `width` and `height` are its pixels. `cost` is in minor units.
    `documented` is the documented duration, (shortest, longest) in seconds. `origin` is the address under
    which the client reached this provider, without a trailing slash. `request` is the request as it arrived, and
    `wire` holds what else the provider needs for its answers.
    """

    provider: str
    account: str
    model: str
    prompt: str
    size: str
    width: int
    height: int
    cost: int
    documented: tuple[float, float]
    origin: str
    count: int = 1
    format: ImageFormat = "png"
    callback_url: str | None = None
    failure: Failure | None = None
    delay: float | None = None
    slowness: float = 1.0
    stuck: bool = False
    trace_id: str | None = None
    idempotency: Idempotency | None = None
    request: bytes = b""
    wire: Mapping[str, Any] = field(default_factory=lambda: NOTHING)

    def with_outcome(self, failure: Failure | None, delay: float | None) -> "Job":
        """This job with a failure and a duration (seconds) that a fault or a directive sets; its own failure wins."""
        if failure is None and delay is None:
            return self
        return replace(self, failure=self.failure or failure, delay=delay if delay is not None else self.delay)


@fast_dataclass
class Task:
    """An accepted job, and when and how it ends. Times are Unix seconds: it ends at `due`.

    `planned` is the end as planned at submission; a cancelled task ends before it.
    """

    id: str
    job: Job
    created: float
    due: float
    planned: float
    failure: Failure | None

    @property
    def starts(self) -> float:
        """When it changes from pending to processing."""
        return self.created + PENDING_SHARE * (self.planned - self.created)

    def ended_at(self, now: float) -> bool:
        return now >= self.due

    def status_at(self, now: float) -> Status:
        """pending, then processing, then completed or failed."""
        if now >= self.due:
            return Status.FAILED if self.failure else Status.COMPLETED
        return Status.PROCESSING if now >= self.starts else Status.PENDING

    def progress_at(self, now: float) -> int:
        """Percent: 0 while pending, rising from 1 to 99 while processing, 100 when completed.

        A failed task keeps the progress that it had when it failed.
        """
        if now >= self.due and not self.failure:
            return 100
        at = min(now, self.due)
        if at < self.starts:
            return 0
        share = (at - self.starts) / (self.planned - self.starts) if self.planned > self.starts else 1.0
        return 1 + int(98 * min(1.0, share))

    def ended(self, now: float, failure: Failure | None) -> "Task":
        """This task, ended at `now` instead of its planned end."""
        return replace(self, due=now, failure=failure)
