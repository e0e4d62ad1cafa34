"""xhuoapi: the tasks endpoint, one or many at a time (XH-TASK-1, XH-TASK-2)."""

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any, Literal

from aiohttp.web import StreamResponse
from pydantic import Field

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.engine.tasks import Task
from mockserver.http.context import RequestContext
from mockserver.providers.parsing import Fields, read
from mockserver.providers.xhuoapi import wire

DEFAULT_LIMIT = 12
MOST_IDS = 1_000
SELECTORS = ("ids", "trace_ids", "application_id", "user_id", "created_at_min", "created_at_max")
"""What a batch query selects by; it must have one of them."""


Ids = Annotated[list[str], Field(max_length=MOST_IDS, fail_fast=True)]


class Query(Fields):
    """The body of a call to the tasks endpoint. `created_at_min` and `_max` are Unix seconds, both included."""

    action: Literal["retrieve", "retrieve_batch"]
    id: str | None = None
    trace_id: str | None = None
    ids: Ids | None = None
    trace_ids: Ids | None = None
    application_id: str | None = None
    user_id: str | None = None
    created_at_min: float | None = None
    created_at_max: float | None = None
    type: str | None = None
    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] = DEFAULT_LIMIT


async def retrieve(context: RequestContext) -> StreamResponse:
    """One task, `{}` if it is unknown; or a page of several with how many of them there are. Free."""
    asked = read(Query, await context.body.json())
    now = context.engine.now()
    if asked.action == "retrieve":
        task = await _find(context, await _wanted(context, asked))
        context.exchange.task_id = task.id if task else None
        return context.answer(wire.record(task, now) if task else {})
    found = await _batch(context, asked)
    page = found[asked.offset : asked.offset + asked.limit]
    return context.answer({"items": [wire.record(task, now) for task in page], "count": len(found)})


async def named_task(context: RequestContext, fields: Mapping[str, Any]) -> str:
    """The id of the task that a query is about, as far as its fields are right; "" if it names none."""
    trace_id, task_id = fields.get("trace_id"), fields.get("id")
    if isinstance(trace_id, str):
        return await _traced(context, trace_id)
    return task_id if isinstance(task_id, str) else ""


async def _traced(context: RequestContext, trace_id: str) -> str:
    task = await context.engine.store.traced(context.provider.name, context.account, trace_id)
    return task.id if task else ""


async def _wanted(context: RequestContext, asked: Query) -> str:
    """The task id that is asked for; a trace id goes before an id. Raises Problem if there is neither."""
    if asked.trace_id is not None:
        return await _traced(context, asked.trace_id)
    if asked.id is None:
        raise Problem(Kind.INVALID_PARAMETER, "id or trace_id is required.", field="id")
    return asked.id


async def _batch(context: RequestContext, asked: Query) -> list[Task]:
    """The stored tasks of this key that fit every selector of a batch query: in the order of `ids` or `trace_ids` if
    there are any, else newest first.

    Raises:
        Problem: INVALID_PARAMETER without a selector; a `type` alone is none.
    """
    if all(getattr(asked, name) is None for name in SELECTORS):
        raise Problem(Kind.INVALID_PARAMETER, f"one of {', '.join(SELECTORS)} is required.", field="ids")
    owner = wire.owner(context.account)
    if asked.application_id not in (None, owner["application_id"]) or asked.user_id not in (None, owner["user_id"]):
        return []
    named = [*(asked.ids or ()), *[await _traced(context, trace_id) for trace_id in asked.trace_ids or ()]]
    if asked.ids is None and asked.trace_ids is None:
        own: Wanted[Task] = Wanted(context.provider.name, frozenset((context.account,)))
        named = [task.id for task in (await context.engine.store.tasks(own, EVERYTHING))[0]]
    earliest = -inf if asked.created_at_min is None else asked.created_at_min
    latest = inf if asked.created_at_max is None else asked.created_at_max
    return [
        task
        for task_id in dict.fromkeys(named)
        if (task := await _find(context, task_id))
        and earliest <= task.created <= latest
        and asked.type in (None, wire.type_of(task))
    ]


async def _find(context: RequestContext, task_id: str) -> Task | None:
    """A stored task of this key; another key's is unknown, and so is a sync call's (XH-TASK-2)."""
    task = await context.engine.find(context.provider.name, task_id)
    return task if task is not None and task.job.account == context.account and task.job.wire["stored"] else None
