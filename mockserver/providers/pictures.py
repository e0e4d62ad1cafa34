"""Serves pictures, rendered from the task alone when their URL is read. Shared by all providers.

What draws them is imported with the first picture, to keep the start short.
"""

import asyncio
from collections.abc import Mapping
from email.utils import formatdate

from aiohttp.web import Response, StreamResponse

from mockserver.engine.picture_cache import Key, PictureCache, Rendered
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Task
from mockserver.http.context import RequestContext
from mockserver.http.middleware import refusal_response
from mockserver.http.public_urls import is_documented_base
from mockserver.providers.ranges import Unsatisfiable, requested_part

EXTENSIONS = {"png": "png", "jpeg": "jpeg", "webp": "webp"}


PICTURES = PictureCache(32 * 1024 * 1024)
"""Pictures that were served. One for all servers of this process: a picture depends on its key alone."""


def picture_url(base: str, path: str, hosts: Mapping[str, str]) -> str:
    """The URL of a picture at a path.

    Args:
        base: the provider's base address as the client that submitted the task saw it.
        hosts: the documented host by the beginning of the path, which a client of documented addresses is given.
    """
    if is_documented_base(base):
        for beginning, host in hosts.items():
            if path.startswith(beginning):
                return f"https://{host}{path}"
    return base + path


def picture(task: Task, index: int = 0, width: int | None = None) -> bytes:
    """The bytes of one of a task's pictures; with a smaller `width` (pixels), a PNG drawn in that size."""
    return _rendered(_key(task, index, width)).data


def _key(task: Task, index: int, width: int | None = None) -> Key:
    from mockserver.engine.picture_layout import Label

    job = task.job
    label = Label(job.provider, job.model, job.size, task.id, job.prompt, index, job.wire.get("seed", ""))
    if width is None:
        return label, job.width, job.height, job.format
    width = min(width, job.width)
    return label, width, max(1, round(job.height * width / job.width)), "png"


def _rendered(key: Key) -> Rendered:
    from mockserver.engine.images import render

    return PICTURES.find(key) or PICTURES.add(key, render(*key))


async def find_picture(context: RequestContext, task_id: str, index: int, extension: str = "png") -> Task:
    """The completed task that a picture's URL names. Raises Problem(IMAGE_NOT_FOUND)."""
    task = await context.engine.find(context.provider.name, task_id)
    now = context.engine.now()
    known = task is not None and not task.failure and task.ended_at(now)
    if not known or task is None or index not in range(task.job.count) or extension != EXTENSIONS[task.job.format]:
        raise Problem(Kind.IMAGE_NOT_FOUND, "there is no such image")
    context.exchange.account = task.job.account
    return task


async def serve_picture(
    context: RequestContext, task: Task, index: int = 0, download: str | None = None
) -> StreamResponse:
    """Answer with a picture: GET, HEAD, a `Range`, or 304 by its ETag or its date; `download` is a file name."""
    key = _key(task, index)
    # PNGs are made in less than a millisecond; the other encoders would block the event loop
    found = PICTURES.find(key)
    if found is None:
        found = _rendered(key) if task.job.format == "png" else await asyncio.to_thread(_rendered, key)
    modified = formatdate(int(task.due), usegmt=True)
    headers = {
        "ETag": found.etag,
        "Last-Modified": modified,
        "Cache-Control": "public, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
    }
    if download is not None:
        headers["Content-Disposition"] = f'attachment; filename="{download}"'
    if _unchanged(context, found.etag, int(task.due)):
        return Response(status=304, headers=headers)
    headers["Content-Type"] = f"image/{task.job.format}"
    size = len(found.data)
    try:
        part = requested_part(_range(context, found.etag, modified), size)
    except Unsatisfiable:
        return _unsatisfiable(context, size)
    if part is None:
        return Response(body=found.data, headers=headers)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    return Response(body=found.data[part], status=206, headers=headers)


def _range(context: RequestContext, etag: str, modified: str) -> str | None:
    """The `Range` header, if it counts: on GET alone, and with an `If-Range` only while that is still true."""
    headers = context.request.headers
    condition = headers.get("If-Range")
    counts = context.request.method == "GET" and condition in (None, etag, modified)
    return headers.get("Range") if counts else None


def _unsatisfiable(context: RequestContext, size: int) -> StreamResponse:
    """416 in the provider's error shape."""
    problem = Problem(
        Kind.INVALID_PARAMETER, f"Range is behind the end of the image, which has {size} bytes", status=416
    )
    response = refusal_response(context, problem)
    response.headers["Content-Range"] = f"bytes */{size}"
    return response


def _unchanged(context: RequestContext, etag: str, modified: int) -> bool:
    """Whether the client says that it has this picture already (RFC 9110, 13.1: the ETag goes before the date)."""
    request = context.request
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        return tags.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
    since = request.if_modified_since
    return since is not None and modified <= since.timestamp()


def index_of(text: str, digits: int = 1) -> int:
    """A picture's number as a URL writes it, with at least `digits` digits; -1, which none has, for other text."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
    return number if f"{number:0{digits}d}" == text else -1
