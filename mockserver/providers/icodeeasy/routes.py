"""icodeeasy: its endpoints, each also without `/v1` (IC-EP-1)."""

from functools import lru_cache

from aiohttp.web import Response, StreamResponse

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Job, Task
from mockserver.http.context import RequestContext, Route
from mockserver.http.multipart import Form, Upload
from mockserver.providers.field_names import check_form, note_ignored
from mockserver.providers.icodeeasy import models, pricing, wire
from mockserver.providers.parsing import known_fields, read, read_text
from mockserver.providers.pictures import find_picture, index_of, serve_picture
from mockserver.providers.references import check_references

ASYNC_VALUES = ("1", "true", "yes")
_URL_FIELDS = ("image_urls", "image_urls[]", "image_input", "image_input[]")
_FILE_FIELDS = ("image", "image[]")
_JSON_FIELDS = known_fields(models.Generation)
_FORM_FIELDS = _JSON_FIELDS | {*_URL_FIELDS, *_FILE_FIELDS}


async def generate(context: RequestContext) -> StreamResponse:
    """IC-EP-1: generations and edits alike; references make it image-to-image."""
    asked, uploads = await _read(context)
    urls = (*asked.image_urls, *asked.image_input)
    width, height = asked.pixels()
    references = await check_references(context, "image_urls", urls, uploads, models.MOST_REFERENCES, ("https",))
    task = await context.submit(_job(context, asked, width, height, references))
    if "?" in context.request.raw_path and context.request.query.get("async") in ASYNC_VALUES:
        return context.answer(wire.submission(task), status=202)
    return context.answer(wire.images(await context.wait_until_finished(task)))


async def _read(context: RequestContext) -> tuple[models.Generation, tuple[Upload, ...]]:
    """The request from either body format (IC-BODY-1). Raises Problem."""
    if not context.body.is_form:
        sent = await context.body.json()
        note_ignored(context, sent, _JSON_FIELDS)
        return read(models.Generation, sent), ()
    form = await context.body.form()
    note_ignored(context, form.names, _FORM_FIELDS)
    check_form(form, _FILE_FIELDS, _FORM_FIELDS)
    fields = {name: value for name, value in form.fields.items() if name not in _URL_FIELDS}
    asked = read_text(models.Generation, fields)
    return asked.model_copy(update={"image_urls": form.all_of(*_URL_FIELDS)}), _files(form)


def _files(form: Form) -> tuple[Upload, ...]:
    return tuple(upload for upload in form.uploads if upload.field in _FILE_FIELDS)


def _job(context: RequestContext, asked: models.Generation, width: int, height: int, references: int) -> Job:
    return Job(
        provider=context.provider.name,
        account=context.account,
        model=asked.model,
        prompt=asked.prompt,
        size=_said(asked.size, asked.resolution),
        width=width,
        height=height,
        cost=pricing.price(context.mount.prices, asked.quality, asked.n),
        documented=pricing.duration(context.mount.latencies, references, asked.resolution, asked.n),
        origin=context.origin,
        count=asked.n,
    )


@lru_cache(maxsize=256)
def _said(size: str, resolution: str) -> str:
    """The size as the picture shows it; cached, so that tasks share one text."""
    return f"{size} {resolution}"


async def show_task(context: RequestContext) -> StreamResponse:
    """IC-TASK-1, -2, -3: a task of this key, whether it was submitted to wait or not."""
    task = await context.engine.find(context.provider.name, context.params["task_id"])
    if task is None or task.job.account != context.account:
        raise Problem(Kind.TASK_NOT_FOUND)
    context.exchange.task_id = task.id
    return context.answer(wire.state(task, context.engine.now()))


async def show_file(context: RequestContext) -> StreamResponse:
    """IC-FILE-2: a link redirects to the picture; `?download=1` to its download."""
    task, sequence = await _file(context)
    query = "?download=1" if _download(context) else ""
    return Response(status=302, headers={"Location": wire.redirect_target(task, sequence) + query})


async def show_picture(context: RequestContext) -> StreamResponse:
    """IC-FILE-3: the picture itself, inline or as a download; no key, for ever."""
    task, sequence = await _file(context)
    name = f"{task.id}-{sequence}.png" if _download(context) else None
    return await serve_picture(context, task, sequence - 1, download=name)


def _download(context: RequestContext) -> bool:
    return context.request.query.get("download") == "1"


async def _file(context: RequestContext) -> tuple[Task, int]:
    """The task and the sequence number that a file's path names. Raises Problem(IMAGE_NOT_FOUND)."""
    sequence = index_of(context.params["sequence"])
    task = await find_picture(context, context.params["task_id"], sequence - 1)
    if (context.params["day"], context.params["model"]) != (wire.day(task), task.job.model):
        raise Problem(Kind.IMAGE_NOT_FOUND)
    return task, sequence


ROUTES = (
    Route("POST", "/v1/images/generations", generate, billable=True),
    Route("POST", "/v1/images/edits", generate, billable=True),
    Route("POST", "/images/generations", generate, billable=True),
    Route("POST", "/images/edits", generate, billable=True),
    Route("GET", "/v1/images/tasks/{task_id}", show_task),
    Route("GET", "/images/tasks/{task_id}", show_task),
    Route("GET", "/v1/images/files/{model}/{day}/{task_id}-{sequence}.png", show_file, keyed=False),
    Route("GET", "/cdn/{model}/{day}/{task_id}-{sequence}.png", show_picture, keyed=False, picture=True),
)
