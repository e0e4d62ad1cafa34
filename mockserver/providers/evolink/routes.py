"""evolink: its endpoints."""

from hashlib import sha256

from aiohttp.web import StreamResponse

from mockserver.call import Call
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Job, Task
from mockserver.providers.base import Route
from mockserver.providers.evolink import errors, models, wire
from mockserver.providers.parsing import check_callback, read
from mockserver.providers.pictures import find_picture, serve_picture

LINK_SECONDS = 24 * 3600
"""How long a result's link lives (EV-FILE-1)."""

LONGEST_IDEMPOTENCY_KEY = 255


async def generate(call: Call) -> StreamResponse:
    """EV-EP-1: always a task, never a picture in the answer."""
    asked = read(models.Generation, await call.json())
    job = _job(call, asked, check_callback(call.provider, asked.callback_url))
    task, replayed = _submit_once(call, job)
    headers = {"idempotency-replayed": "true"} if replayed else {}
    return call.answer(wire.submission(task, call.provider.currency.number(task.job.cost)), headers=headers)


def _job(call: Call, asked: models.Generation, callback_url: str | None) -> Job:
    width, height = models.PIXELS[asked.size]
    return Job(
        provider=call.provider.name,
        account=call.account,
        model=asked.model,
        prompt=asked.prompt,
        size=asked.size,
        width=width,
        height=height,
        cost=call.mount.prices[models.MODEL],
        documented=call.mount.latencies[models.MODEL],
        origin=call.origin,
        callback_url=callback_url,
    )


def _submit_once(call: Call, job: Job) -> tuple[Task, bool]:
    """Submit, or find the task that the same `Idempotency-Key` gave before (EV-IDEM-1); whether it was found."""
    key = call.request.headers.get("Idempotency-Key", "")
    if not key:
        return call.submit(job), False
    if len(key) > LONGEST_IDEMPOTENCY_KEY:
        raise Problem(Kind.INVALID_PARAMETER, f"Idempotency-Key is longer than {LONGEST_IDEMPOTENCY_KEY} characters")
    name = f"idempotency/{call.provider.name}/{call.account}/{key}"
    known = call.engine.store.names.get(name)
    fingerprint, _, task_id = (known or "").partition(" ")
    task = call.engine.find(call.provider.name, task_id)
    body = sha256(call.sent).hexdigest()
    if task is not None and fingerprint != body:
        raise Problem(Kind.CONFLICT)
    if task is not None:
        call.exchange.task_id = task.id
        return task, True
    task = call.submit(job)
    call.engine.name(name, f"{body} {task.id}")
    return task, False


async def show_task(call: Call) -> StreamResponse:
    """EV-TASK-2: the task at this instant."""
    return call.answer(wire.state(_own_task(call), call.engine.now()))


async def cancel_task(call: Call) -> StreamResponse:
    """EV-TASK-4, a ruling of ours: evolink publishes no such route, but `can_cancel` and a cancelled callback."""
    return call.answer(wire.state(call.engine.cancel(_own_task(call)), call.engine.now()))


def _own_task(call: Call) -> Task:
    """The task of the path (EV-TASK-3). Raises Problem: INVALID_TASK_ID, TASK_NOT_FOUND, NOT_YOURS."""
    task_id = call.params["task_id"]
    if not task_id.startswith(wire.ID_PREFIX):
        raise Problem(Kind.INVALID_TASK_ID, field="task_id")
    task = call.engine.find(call.provider.name, task_id)
    if task is None:
        raise Problem(Kind.TASK_NOT_FOUND)
    if task.job.account != call.account:
        raise Problem(Kind.NOT_YOURS)
    call.exchange.task_id = task.id
    return task


async def credits(call: Call) -> StreamResponse:
    """EV-CRED-1: what is left and what is used, in credits; what is held counts as used by neither."""
    account = call.engine.accounts.get(call.provider.name, call.account)
    remaining = call.provider.currency.number(account.balance)
    used = call.provider.currency.number(account.captured)
    token = {"remaining_credits": remaining, "unlimited_credits": False, "used_credits": used}
    user = {"remaining_credits": remaining, "used_credits": used}
    return call.answer({"data": {"token": token, "user": user}, "message": "", "success": True})


async def show_file(call: Call) -> StreamResponse:
    """EV-FILE-1: a result, for 24 h and without a key."""
    task = find_picture(call, call.params["task_id"], 0)
    if call.engine.now() >= task.due + LINK_SECONDS:
        raise Problem(Kind.LINK_EXPIRED)
    return await serve_picture(call, task)


ROUTES = (
    Route("POST", "/v1/images/generations", generate, billable=True),
    Route("GET", "/v1/tasks/{task_id}", show_task, refusals=errors.TASK_QUERY),
    Route("POST", "/v1/tasks/{task_id}/cancel", cancel_task, refusals=errors.CANCEL),
    Route("GET", "/v1/credits", credits),
    Route("GET", "/files/{task_id}.png", show_file, keyed=False, picture=True),
)
