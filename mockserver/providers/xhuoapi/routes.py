"""xhuoapi: its endpoints."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aiohttp.web import StreamResponse
from pydantic_core import to_json

from mockserver.engine.addresses import check_any
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.sizes import Pair, pixels_text
from mockserver.engine.tasks import Failure, Job
from mockserver.http.context import RequestContext, Route
from mockserver.http.multipart import Form
from mockserver.providers.field_names import check_form, note_ignored
from mockserver.providers.parsing import known_fields, read, read_callback_url, read_text
from mockserver.providers.pictures import find_picture, index_of, serve_picture
from mockserver.providers.references import check_references
from mockserver.providers.xhuoapi import advice, models, pricing, tasks, wire

EDIT_MODEL = "dall-e-3"
"""The model of an edit that names none (XH-EDIT-1)."""

_IMAGE_FILES = ("image", "image[]")
LARGEST_REMEMBERED = 256 * 1024
"""Bytes of a request that its task record shows."""


async def generate(context: RequestContext) -> StreamResponse:
    """XH-EP-1: one endpoint and one request shape for every model."""
    fields = await context.body.json()
    asked, size = _read(context, fields)
    return await _run(context, asked, size, _as_sent(context) or _remembered(fields), "generations")


async def edit(context: RequestContext) -> StreamResponse:
    """XH-EDIT-1: JSON with URLs, or multipart with files; `image` and `prompt` are required."""
    form = await context.body.form() if context.body.is_form else None
    fields: dict[str, Any] = dict(form.fields) if form else await context.body.json()
    uploads = form.uploads if form else ()
    files = [upload for upload in uploads if upload.field in _IMAGE_FILES]
    masks = [upload for upload in uploads if upload.field == "mask"]
    image = None if form else fields.pop("image", None)
    asked, size = _read(context, {"model": EDIT_MODEL, **fields}, form, has_image=bool(image or files))
    images = _image_urls(image)
    await check_references(context, "image", images, files, models.MOST_REFERENCES, ("https", "http"))
    await check_references(context, "mask", (), masks, 1, ())
    if isinstance(asked, models.Nano):
        size = models.NANO_PIXELS["1:1"]  # an edit by these knows model, prompt and image alone
    return await _run(context, asked, size, _remembered({**fields, "image": image or len(files)}), "edits")


def _image_urls(image: Any) -> list[str]:
    """The references of a JSON edit: a URL, or a list of them. Raises Problem(INVALID_PARAMETER)."""
    images = [image] if isinstance(image, str) else image
    if images is None:
        return []
    if not isinstance(images, list) or not all(isinstance(url, str) for url in images):
        raise Problem(Kind.INVALID_PARAMETER, "image must be a URL or a list of URLs.", field="image")
    return images


def _read(
    context: RequestContext, fields: Mapping[str, Any], form: Form | None = None, has_image: bool | None = None
) -> tuple[models.Request, Pair]:
    """The request by its model's class, from a JSON body or a `form`, and the size that it asks for, in pixels.

    `has_image` is None where none is needed.

    Raises:
        Problem: for the first field that is wrong, the model first.
    """
    context.trace_id = models.trace_id_of(fields) or context.request_id
    kind, reader = models.class_of(fields.get("model")), read if form is None else read_text
    known = _fields(kind) if has_image is None else _fields(kind) | {"image"}
    if form is not None:
        known |= {*_IMAGE_FILES, "mask"}
        check_form(form, (*_IMAGE_FILES, "mask"), known)
    note_ignored(context, form.names if form else fields, known)
    if has_image is False:
        raise Problem(Kind.INVALID_PARAMETER, "image is required.", field="image")
    try:
        asked = reader(kind, fields)
        return asked, asked.check()
    except Problem as problem:
        raise advice.naming_other_models(problem, fields, reader) from None


_fields = lru_cache(maxsize=16)(known_fields)


async def _run(
    context: RequestContext, asked: models.Request, size: Pair, request: bytes, operation: str
) -> StreamResponse:
    """Submit, and answer at once or with the result (XH-CB-1, XH-ASYNC-1, XH-SIZE-9)."""
    callback_url = read_callback_url(asked.callback_url, check_any)
    at_once = callback_url is not None or asked.wait_not
    broken = asked.limit_broken(size)
    if broken:
        broken = advice.with_other_models(broken, asked.model, "size", asked.size, read)
    if broken and not at_once:
        raise Problem(Kind.UNSUPPORTED_BY_MODEL, broken, field="size")
    failure = Failure(Kind.UNSUPPORTED_BY_MODEL, detail=broken) if broken else None
    stored = at_once or context.mount.store_sync_tasks
    task = await context.submit(_job(context, asked, size, request, operation, callback_url, failure, stored))
    if at_once:
        return context.answer({"task_id": task.id})
    return context.answer(wire.result(await context.wait_until_finished(task)))


def _job(
    context: RequestContext,
    asked: models.Request,
    size: Pair,
    request: bytes,
    operation: str,
    callback_url: str | None,
    failure: Failure | None,
    stored: bool,
) -> Job:
    mount = context.mount
    width, height = asked.returned(size, mount.exact_pixels)
    return Job(
        provider=mount.provider.name,
        account=context.account,
        model=asked.model,
        prompt=asked.prompt,
        size=pixels_text(*size),
        width=width,
        height=height,
        cost=pricing.price(mount.prices, asked.model, size, asked.tier, asked.count),
        documented=pricing.duration(mount.latencies, asked.model, size),
        origin=context.origin,
        count=asked.count,
        format=asked.format,
        callback_url=callback_url,
        failure=failure,
        trace_id=context.trace_id,
        request=request,
        wire=_wire(operation, asked.base64, _seed(asked.seed), stored),
    )


@lru_cache(maxsize=256)
def _wire(operation: str, base64: bool, seed: str, stored: bool) -> Mapping[str, Any]:
    """What else the answers are written from; cached, so that tasks share one mapping.

    `stored` is whether the tasks endpoint knows the task.
    """
    return {"operation": operation, "base64": base64, "seed": seed, "stored": stored}


def _seed(seed: Any) -> str:
    """Any value that a client calls a seed, as a text (XH-SEED-1)."""
    return "" if seed is None else to_json(seed, inf_nan_mode="null").decode()[: wire.LONGEST_SEED]


def _as_sent(context: RequestContext) -> bytes:
    """The body itself where its task record can show it as it is; else b""."""
    sent = context.body.received
    return b"" if len(sent) > LARGEST_REMEMBERED or b"data:" in sent or b"null" in sent else sent


def _remembered(fields: Mapping[str, Any]) -> bytes:
    """A request as its task record shows it: as sent, with `data:` URLs cut short.

    One that is still larger than `LARGEST_REMEMBERED` keeps only model, prompt and callback_url.
    """
    short = {name: _short(value) for name, value in fields.items()}
    data = to_json(short, inf_nan_mode="null")
    if len(data) > LARGEST_REMEMBERED:
        data = to_json({name: short[name] for name in ("model", "prompt", "callback_url") if name in short})
    return data


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(item) for item in value]
    return f"{value[:64]}…" if isinstance(value, str) and value.startswith("data:") else value


async def show_gpt_image(context: RequestContext) -> StreamResponse:
    """XH-RESP-1: permanent, no key needed."""
    return await _serve(context, index_of(context.params["index"]), context.params["extension"])


async def show_nano(context: RequestContext) -> StreamResponse:
    """XH-RESP-2."""
    return await _serve(context, 0)


async def show_signed(context: RequestContext) -> StreamResponse:
    """XH-RESP-5: a signed link, 403 after its time or with another value in its query."""
    query, task_id = context.request.query, context.params["task_id"]
    left = wire.expiry_of(query.get("se", "")) - context.engine.now()
    if not 0 < left <= wire.SIGNED_SECONDS or wire.signed(task_id, query["se"]).items() - query.items():
        raise Problem(Kind.LINK_EXPIRED)
    return await _serve(context, index_of(context.params["index"], digits=2))


async def _serve(context: RequestContext, index: int, extension: str = "png") -> StreamResponse:
    task = await find_picture(context, context.params["task_id"], index, extension)
    return await serve_picture(context, task, index)


ROUTES = (
    Route("POST", "/v1/openai/images/generations", generate, billable=True),
    Route("POST", "/v1/openai/images/edits", edit, billable=True, default_model=EDIT_MODEL),
    Route("POST", "/v1/openai/tasks", tasks.retrieve, task_of=tasks.named_task),
    Route("GET", "/gpt-image/{task_id}_{index}.{extension}", show_gpt_image, keyed=False, picture=True),
    Route("GET", "/nanobanana/{task_id}.png", show_nano, keyed=False, picture=True),
    Route("GET", "/private/images/{task_id}/generated_{index}.png", show_signed, keyed=False, picture=True),
)
