"""Fault `task_stuck`: a generation is accepted and does not end."""

from dataclasses import replace
from typing import ClassVar, Literal

from mockserver.engine.tasks import Job
from mockserver.faults.base import Fault, Stage


class TaskStuckFault(Fault):
    """The task stays in progress and its money held, until it is ended by a control call or the server is reset."""

    type: Literal["task_stuck"] = "task_stuck"
    stage: ClassVar[Stage] = "task"

    def plan(self, job: Job) -> Job:
        return replace(job, stuck=True)


FAULT = TaskStuckFault
