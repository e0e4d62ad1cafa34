"""icodeeasy: its endpoints, each also without `/v1` (IC-EP-1)."""

from functools import lru_cache

from aiohttp.web import Response, StreamResponse

from mockserver.call import Call
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Job, Task
from mockserver.forms import Form, Upload
from mockserver.providers.base import Route
from mockserver.providers.icodeeasy import models, pricing, wire
from mockserver.providers.parsing import read, read_text
from mockserver.providers.pictures import find_picture, index_of, serve_picture
from mockserver.providers.references import check_references

ASYNC_VALUES = ("1", "true", "yes")
_URL_FIELDS = ("image_urls", "image_urls[]", "image_input", "image_input[]")
_FILE_FIELDS = ("image", "image[]")


async def generate(call: Call) -> StreamResponse:
    """IC-EP-1: generations and edits alike; references make it image-to-image."""
    asked, uploads = await _read(call)
    urls = (*asked.image_urls, *asked.image_input)
    width, height = asked.pixels()
    references = await check_references(call, "image_urls", urls, uploads, models.MOST_REFERENCES, ("https",))
    task = call.submit(_job(call, asked, width, height, references))
    if call.request.query.get("async") in ASYNC_VALUES:
        return call.answer(wire.submission(task), status=202)
    return call.answer(wire.images(await call.finished(task)))


async def _read(call: Call) -> tuple[models.Generation, tuple[Upload, ...]]:
    """The request from either body format (IC-BODY-1). Raises Problem."""
    if not call.is_form:
        return read(models.Generation, await call.json()), ()
    form = await call.form()
    fields = {name: value for name, value in form.fields.items() if name not in _URL_FIELDS}
    asked = read_text(models.Generation, fields)
    return asked.model_copy(update={"image_urls": form.all_of(*_URL_FIELDS)}), _files(form)


def _files(form: Form) -> tuple[Upload, ...]:
    return tuple(upload for upload in form.uploads if upload.field in _FILE_FIELDS)


def _job(call: Call, asked: models.Generation, width: int, height: int, references: int) -> Job:
    return Job(
        provider=call.provider.name,
        account=call.account,
        model=asked.model,
        prompt=asked.prompt,
        size=_said(asked.size, asked.resolution),
        width=width,
        height=height,
        cost=pricing.price(call.mount.prices, asked.quality, asked.n),
        documented=pricing.duration(call.mount.latencies, references, asked.resolution, asked.n),
        origin=call.origin,
        count=asked.n,
    )


@lru_cache(maxsize=256)
def _said(size: str, resolution: str) -> str:
    """What the picture says of its size: one text for all the tasks that keep it."""
    return f"{size} {resolution}"


async def show_task(call: Call) -> StreamResponse:
    """IC-TASK-1, -2, -3: a task of this key, whether it was submitted to wait or not."""
    task = call.engine.find(call.provider.name, call.params["task_id"])
    if task is None or task.job.account != call.account:
        raise Problem(Kind.TASK_NOT_FOUND)
    call.exchange.task_id = task.id
    return call.answer(wire.state(task, call.engine.now()))


async def show_file(call: Call) -> StreamResponse:
    """IC-FILE-2: a link redirects to the picture; `?download=1` to its download."""
    task, sequence = _file(call)
    query = "?download=1" if _download(call) else ""
    return Response(status=302, headers={"Location": wire.picture_url(task, sequence) + query})


async def show_picture(call: Call) -> StreamResponse:
    """IC-FILE-3: the picture itself, inline or as a download; no key, for ever."""
    task, sequence = _file(call)
    name = f"{task.id}-{sequence}.png" if _download(call) else None
    return await serve_picture(call, task, sequence - 1, download=name)


def _download(call: Call) -> bool:
    return call.request.query.get("download") == "1"


def _file(call: Call) -> tuple[Task, int]:
    """The task and the sequence number that a file's path names. Raises Problem(IMAGE_NOT_FOUND)."""
    sequence = index_of(call.params["sequence"])
    task = find_picture(call, call.params["task_id"], sequence - 1)
    if (call.params["day"], call.params["model"]) != (wire.day(task), task.job.model):
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
