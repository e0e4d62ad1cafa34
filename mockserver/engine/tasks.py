"""Jobs and tasks. A task's plan is fixed at submission; what state it is in is a pure function of the time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.problems import Kind

ImageFormat = Literal["png", "jpeg", "webp"]

NOTHING: Mapping[str, Any] = {}
"""What a job's `wire` is for a provider that needs nothing more: one for all, not to be changed."""

PENDING_SHARE = 0.05
"""The part of its duration that a task is pending before it is processing."""


class Status(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


SUBMITTED = Status.PENDING.value
"""The status of a task in the answer to its submission, whatever has become of it since."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a generation fails: a neutral kind, or a provider's own error code; `detail` says more."""

    kind: Kind
    code: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key for a submission that may be sent again, and the SHA-256 (hex) of the body that came with it."""

    key: str
    fingerprint: str


@fast_dataclass
class Job:
    """What a provider asks the engine for, once a request has been found right.

    `size` is the text that the picture shows; `width`, `height` are the pixels it has. `cost` is in minor units.
    `documented` is how long the provider says it takes, (shortest, longest) in seconds. `origin` is the address under
    which the client reached this provider, without a trailing slash. `request` is the request as it arrived, and
    `wire` whatever else the provider needs to write its answers.
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

    def directed(self, failure: Failure | None, delay: float | None) -> "Job":
        """This job with a failure and a duration (seconds) asked for from outside; the job's own failure goes first."""
        if failure is None and delay is None:
            return self
        return replace(self, failure=self.failure or failure, delay=delay if delay is not None else self.delay)


@fast_dataclass
class Task:
    """An accepted job and its plan. Times are Unix seconds: it ends at `due`.

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
        """When it is no longer pending but processing."""
        return self.created + PENDING_SHARE * (self.planned - self.created)

    def ended_at(self, now: float) -> bool:
        return now >= self.due

    def status_at(self, now: float) -> Status:
        """pending, processing, then completed or failed for good."""
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
        """This task, ended at `now` and not at its planned end."""
        return replace(self, due=now, failure=failure)
