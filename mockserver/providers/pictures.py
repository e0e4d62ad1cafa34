"""Pictures over HTTP: rendered from the task alone when their URL is read. Shared by all providers."""

import asyncio
from email.utils import formatdate
from hashlib import sha256

from aiohttp.web import Response, StreamResponse

from mockserver.engine.images import render
from mockserver.engine.picture_layout import Label
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Task
from mockserver.http.context import RequestContext

EXTENSIONS = {"png": "png", "jpeg": "jpeg", "webp": "webp"}


def picture(task: Task, index: int = 0) -> bytes:
    """The bytes of one of a task's pictures."""
    job = task.job
    label = Label(job.provider, job.model, job.size, task.id, job.prompt, index, job.wire.get("seed", ""))
    return render(label, job.width, job.height, job.format)


def find_picture(context: RequestContext, task_id: str, index: int, extension: str = "png") -> Task:
    """The completed task that a picture's URL names. Raises Problem(IMAGE_NOT_FOUND)."""
    task = context.engine.find(context.provider.name, task_id)
    now = context.engine.now()
    known = task is not None and not task.failure and task.ended_at(now)
    if not known or task is None or index not in range(task.job.count) or extension != EXTENSIONS[task.job.format]:
        raise Problem(Kind.IMAGE_NOT_FOUND, "there is no such image")
    context.exchange.account = task.job.account
    return task


async def serve_picture(
    context: RequestContext, task: Task, index: int = 0, download: str | None = None
) -> StreamResponse:
    """Answer with a picture: GET, HEAD, and conditional on its ETag or its date; `download` is a file name."""
    # PNGs are made in less than a millisecond; the other encoders would hold everybody up
    data = picture(task, index) if task.job.format == "png" else await asyncio.to_thread(picture, task, index)
    headers = {
        "ETag": f'"{sha256(data).hexdigest()[:32]}"',
        "Last-Modified": formatdate(int(task.due), usegmt=True),
        "Cache-Control": "public, max-age=31536000, immutable",
    }
    if download is not None:
        headers["Content-Disposition"] = f'attachment; filename="{download}"'
    if _unchanged(context, headers["ETag"], int(task.due)):
        return Response(status=304, headers=headers)
    return Response(body=data, headers={**headers, "Content-Type": f"image/{task.job.format}"})


def _unchanged(context: RequestContext, etag: str, modified: int) -> bool:
    """Whether the client says that it has this picture already (RFC 9110, 13.1: the ETag goes before the date)."""
    request = context.request
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        return tags.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
    since = request.if_modified_since
    return since is not None and modified <= since.timestamp()


def index_of(text: str, digits: int = 1) -> int:
    """A picture's number as a URL writes it, with at least so many digits; -1 for anything else, which none has."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
    return number if f"{number:0{digits}d}" == text else -1
