"""Fault `task_stuck`: a generation is accepted and never ends by itself."""

from dataclasses import replace
from typing import ClassVar, Literal

from mockserver.engine.tasks import Job
from mockserver.faults.base import Fault, Stage


class TaskStuckFault(Fault):
    """It stays in progress, its money held, until it is cancelled or the server reset."""

    type: Literal["task_stuck"] = "task_stuck"
    stage: ClassVar[Stage] = "task"

    def plan(self, job: Job) -> Job:
        return replace(job, stuck=True)


FAULT = TaskStuckFault
