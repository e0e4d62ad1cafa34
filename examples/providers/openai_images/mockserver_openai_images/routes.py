"""openai_images: its endpoints."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp.web import StreamResponse

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.sizes import pixels_text
from mockserver.engine.tasks import Job
from mockserver.http.context import RequestContext, Route
from mockserver.http.multipart import Upload
from mockserver.providers.parsing import read, read_text
from mockserver.providers.pictures import find_picture, index_of, serve_picture
from mockserver.providers.references import check_references
from mockserver_openai_images import models, pricing, wire

LARGEST_PNG = 4 * 1024 * 1024
"""Bytes of a mask, and of dall-e-2's image: less than so many (OI-EDIT-1)."""


async def generate(context: RequestContext) -> StreamResponse:
    """OI-EP-1: waits for the pictures."""
    fields = await context.body.json()
    model, kind = models.class_of(fields)
    return await _run(context, read(kind, {**fields, "model": model}), 0)


async def edit(context: RequestContext) -> StreamResponse:
    """OI-EDIT-1: multipart/form-data with `image` (or several as `image[]`), and perhaps a `mask`."""
    if not context.body.is_form:
        raise Problem(Kind.MALFORMED_BODY, "Content-Type must be multipart/form-data")
    form = await context.body.form()
    images = [upload for upload in form.uploads if upload.field in ("image", "image[]")]
    masks = [upload for upload in form.uploads if upload.field == "mask"]
    model, kind = models.class_of(form.fields, models.EDIT_MODELS)
    if not images:
        raise Problem(Kind.INVALID_PARAMETER, "'image'.", field="image", code="missing_required_parameter")
    asked = read_text(kind, {**form.fields, "model": model})
    await check_references(context, "image", (), images, models.MOST_IMAGES if model == "gpt-image-1" else 1, ())
    await check_references(context, "mask", (), masks, 1, ())
    for upload, seen in zip((*images, *masks), context.exchange.pictures, strict=True):
        if model == "dall-e-2" or upload.field == "mask":
            _check_png(upload, seen, square=model == "dall-e-2")
    return await _run(context, asked, len(images))


def _check_png(upload: Upload, seen: Mapping[str, Any], square: bool) -> None:
    """Check a picture that must be a PNG of less than 4 MB. Raises Problem(INVALID_PARAMETER)."""
    reason = ""
    if seen["type"] != "png":
        reason = "must be a PNG"
    elif len(upload.data) >= LARGEST_PNG:
        reason = "must be smaller than 4 MB"
    elif square and seen["width"] != seen["height"]:
        reason = "must be square"
    if reason:
        raise Problem(Kind.INVALID_PARAMETER, f"{upload.field} {reason}", field=upload.field)


async def _run(context: RequestContext, asked: models.Request, images: int) -> StreamResponse:
    """Submit a job, wait for its end, and answer."""
    models.check(asked)
    width, height = asked.pixels
    background = getattr(asked, "background", "opaque")
    job = Job(
        provider=context.provider.name,
        account=context.account,
        model=asked.model,
        prompt=asked.prompt,
        size=pixels_text(width, height),
        width=width,
        height=height,
        cost=pricing.price(context.mount.prices, asked.model, asked.tier, asked.pixels, asked.n),
        documented=context.mount.latencies[asked.model],
        origin=context.origin,
        count=asked.n,
        format=asked.format,
        wire={
            "base64": asked.base64,
            "tier": asked.tier,
            "background": "transparent" if background == "transparent" else "opaque",
            "images": images,
        },
    )
    task = await context.wait_until_finished(await context.submit(job))
    return context.answer(await asyncio.to_thread(wire.result, task))


async def show_picture(context: RequestContext) -> StreamResponse:
    """OI-OUT-2: a picture, without a key, for an hour."""
    index = index_of(context.params["index"])
    task = await find_picture(context, context.params["task_id"], index)
    if context.engine.now() >= task.due + wire.LINK_SECONDS:
        raise Problem(Kind.LINK_EXPIRED)
    return await serve_picture(context, task, index)


ROUTES = (
    Route("POST", "/v1/images/generations", generate, billable=True, default_model=models.DEFAULT_MODEL),
    Route("POST", "/v1/images/edits", edit, billable=True, default_model=models.DEFAULT_MODEL),
    Route("GET", "/images/{task_id}/{index}.png", show_picture, keyed=False, picture=True),
)
