"""Fault `task_slow`: a generation takes longer."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockserver.engine.tasks import Job
from mockserver.faults.base import Fault, Stage


class TaskSlowFault(Fault):
    """The generation takes `factor` times as long, or `seconds` in total."""

    type: Literal["task_slow"] = "task_slow"
    factor: Annotated[float, Field(gt=0, le=1_000)] = 10.0
    seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None
    stage: ClassVar[Stage] = "task"

    def plan(self, job: Job) -> Job:
        if self.seconds is not None:
            return replace(job, delay=self.seconds)
        return replace(job, slowness=job.slowness * self.factor)


FAULT = TaskSlowFault
