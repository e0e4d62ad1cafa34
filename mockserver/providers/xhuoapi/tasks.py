"""xhuoapi: the tasks endpoint, one or many at a time (XH-TASK-1, XH-TASK-2)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from aiohttp.web import StreamResponse
from pydantic import Field

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Task
from mockserver.http.context import RequestContext
from mockserver.providers.parsing import Fields, read
from mockserver.providers.xhuoapi import wire

DEFAULT_LIMIT = 12
MOST_IDS = 1_000


class Query(Fields):
    """What is asked of the tasks endpoint."""

    action: Literal["retrieve", "retrieve_batch"]
    id: str | None = None
    trace_id: str | None = None
    ids: Annotated[list[str], Field(max_length=MOST_IDS, fail_fast=True)] | None = None
    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] = DEFAULT_LIMIT


async def retrieve(context: RequestContext) -> StreamResponse:
    """One task, `{}` if it is unknown; or a page of several with how many of them there are. Free."""
    asked = read(Query, await context.body.json())
    now = context.engine.now()
    if asked.action == "retrieve":
        task = _find(context, _wanted(context, asked))
        return context.answer(wire.record(task, now) if task else {})
    if asked.ids is None:
        raise Problem(Kind.INVALID_PARAMETER, "ids is required.", field="ids")
    found = [task for task_id in dict.fromkeys(asked.ids) if (task := _find(context, task_id))]
    page = found[asked.offset : asked.offset + asked.limit]
    return context.answer({"items": [wire.record(task, now) for task in page], "count": len(found)})


def named_task(context: RequestContext, fields: Mapping[str, Any]) -> str:
    """The id of the task that a query is about, as far as its fields are right; "" if it names none."""
    trace_id, task_id = fields.get("trace_id"), fields.get("id")
    if isinstance(trace_id, str):
        return _traced(context, trace_id)
    return task_id if isinstance(task_id, str) else ""


def _traced(context: RequestContext, trace_id: str) -> str:
    return context.engine.store.names.get(f"trace/{context.provider.name}/{context.account}/{trace_id}") or ""


def _wanted(context: RequestContext, asked: Query) -> str:
    """The task id that is asked for; a trace id goes before an id. Raises Problem if there is neither."""
    if asked.trace_id is not None:
        return _traced(context, asked.trace_id)
    if asked.id is None:
        raise Problem(Kind.INVALID_PARAMETER, "id or trace_id is required.", field="id")
    return asked.id


def _find(context: RequestContext, task_id: str) -> Task | None:
    """A task of this key; another key's is unknown."""
    task = context.engine.find(context.provider.name, task_id)
    return task if task is not None and task.job.account == context.account else None
