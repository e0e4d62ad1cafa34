"""Fault `task_fail`: a generation is accepted and fails."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.engine.problems import Kind
from mockserver.engine.tasks import Failure, Job
from mockserver.faults.base import Fault, Stage


class TaskFailFault(Fault):
    """The generation fails with the provider's error `code`, or with its general one if absent."""

    type: Literal["task_fail"] = "task_fail"
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] | None = None
    stage: ClassVar[Stage] = "task"

    def plan(self, job: Job) -> Job:
        return replace(job, failure=Failure(Kind.FAILED, self.code, "[injected fault]"))


FAULT = TaskFailFault
