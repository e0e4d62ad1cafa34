"""evolink: its endpoints."""

from dataclasses import replace
from hashlib import sha256

from aiohttp.web import StreamResponse

from mockserver.engine.addresses import check_public_https
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Idempotency, Job, Task
from mockserver.http.context import RequestContext, Route
from mockserver.providers.evolink import errors, models, wire
from mockserver.providers.evolink.client_facts import LINK_SECONDS
from mockserver.providers.field_names import note_ignored
from mockserver.providers.parsing import known_fields, read, read_callback_url
from mockserver.providers.pictures import find_picture, serve_picture

_FIELDS = known_fields(models.Generation)
LONGEST_IDEMPOTENCY_KEY = 255


async def generate(context: RequestContext) -> StreamResponse:
    """EV-EP-1: always a task, never a picture in the answer."""
    sent = await context.body.json()
    note_ignored(context, sent, _FIELDS)
    asked = read(models.Generation, sent)
    job = _job(context, asked, read_callback_url(asked.callback_url, check_public_https))
    key = context.request.headers.get("Idempotency-Key")
    task, replayed = await _submit_once(context, job, key) if key else (await context.submit(job), False)
    headers = {"idempotency-replayed": "true"} if replayed else None
    return context.answer(wire.submission(task, context.provider.currency.number(task.job.cost)), headers=headers)


def _job(context: RequestContext, asked: models.Generation, callback_url: str | None) -> Job:
    width, height = models.PIXELS[asked.size]
    return Job(
        provider=context.provider.name,
        account=context.account,
        model=asked.model,
        prompt=asked.prompt,
        size=asked.size,
        width=width,
        height=height,
        cost=context.mount.prices[models.MODEL],
        documented=context.mount.latencies[models.MODEL],
        origin=context.origin,
        callback_url=callback_url,
    )


async def _submit_once(context: RequestContext, job: Job, key: str) -> tuple[Task, bool]:
    """Submit, or find the task that the same `Idempotency-Key` gave before (EV-IDEM-1); whether it was found."""
    if len(key) > LONGEST_IDEMPOTENCY_KEY:
        raise Problem(Kind.INVALID_PARAMETER, f"Idempotency-Key is longer than {LONGEST_IDEMPOTENCY_KEY} characters")
    asked = Idempotency(key, sha256(context.body.received).hexdigest())
    task = await context.engine.store.replayed(context.provider.name, context.account, key)
    if task is None:
        return await context.submit(replace(job, idempotency=asked)), False
    if task.job.idempotency != asked:
        raise Problem(Kind.CONFLICT)
    context.exchange.task_id = task.id
    return task, True


async def show_task(context: RequestContext) -> StreamResponse:
    """EV-TASK-2: the task at this instant."""
    return context.answer(wire.state(await _own_task(context), context.engine.now()))


async def cancel_task(context: RequestContext) -> StreamResponse:
    """EV-TASK-4, a ruling of ours: evolink publishes no such route, but `can_cancel` and a cancelled callback."""
    ended = await context.engine.cancel(await _own_task(context))
    return context.answer(wire.state(ended, context.engine.now()))


async def _own_task(context: RequestContext) -> Task:
    """The task of the path (EV-TASK-3). Raises Problem: INVALID_TASK_ID, TASK_NOT_FOUND, NOT_YOURS."""
    task_id = context.params["task_id"]
    if not task_id.startswith(wire.ID_PREFIX):
        raise Problem(Kind.INVALID_TASK_ID, field="task_id")
    task = await context.engine.find(context.provider.name, task_id)
    if task is None:
        raise Problem(Kind.TASK_NOT_FOUND)
    if task.job.account != context.account:
        raise Problem(Kind.NOT_YOURS)
    context.exchange.task_id = task.id
    return task


async def credits(context: RequestContext) -> StreamResponse:
    """EV-CRED-1: what is left and what is used, in credits; what is held counts as used by neither."""
    account = await context.engine.store.account(context.provider.name, context.account)
    remaining = context.provider.currency.number(account.balance)
    used = context.provider.currency.number(account.captured)
    token = {"remaining_credits": remaining, "unlimited_credits": False, "used_credits": used}
    user = {"remaining_credits": remaining, "used_credits": used}
    return context.answer({"data": {"token": token, "user": user}, "message": "", "success": True})


async def show_file(context: RequestContext) -> StreamResponse:
    """EV-FILE-1: a result, for 24 h and without a key."""
    task = await find_picture(context, context.params["task_id"], 0)
    if context.engine.now() >= task.due + LINK_SECONDS:
        raise Problem(Kind.LINK_EXPIRED)
    return await serve_picture(context, task)


ROUTES = (
    Route("POST", "/v1/images/generations", generate, billable=True),
    Route("GET", "/v1/tasks/{task_id}", show_task, refusals=errors.TASK_QUERY),
    Route("POST", "/v1/tasks/{task_id}/cancel", cancel_task, refusals=errors.CANCEL),
    Route("GET", "/v1/credits", credits),
    Route("GET", "/files/{task_id}.png", show_file, keyed=False, picture=True),
)
