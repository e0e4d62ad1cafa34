"""Reference images that clients send: counted, checked to be pictures, put on record, and never fetched."""

import asyncio
import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.uploads import NotAPicture, inspect
from mockserver.http.context import RequestContext
from mockserver.http.multipart import Upload

LONGEST_URL = 8_192
"""Characters of a reference's URL; a ruling of ours."""

_DATA_URL = re.compile(r"data:image/[A-Za-z0-9.+-]{1,40};base64,")


async def check_references(
    context: RequestContext,
    field: str,
    urls: Iterable[str],
    uploads: Iterable[Upload],
    most: int,
    schemes: tuple[str, ...],
) -> int:
    """Check references given as URLs (of `schemes`, or `data:`) and as files.

    Returns:
        How many there are.

    Raises:
        Problem: INVALID_PARAMETER on `field`, for more than `most`, for a URL of another scheme, for base64 that is
            none, and for bytes that are no picture.
    """
    urls, uploads = list(urls), list(uploads)
    if not urls and not uploads:
        return 0
    if len(urls) + len(uploads) > most:
        raise _wrong(field, f"at most {most} images are supported")
    record: list[dict[str, Any]] = []
    for number, url in enumerate(urls):
        place = f"{field}[{number}]"
        data = _decoded(place, field, url, schemes)
        record.append({"source": "url"} if data is None else await _inspected(place, field, "data", data))
    for upload in uploads:
        record.append(await _inspected(upload.field, field, "upload", upload.data))
    context.exchange.pictures += tuple(record)
    return len(record)


def _decoded(place: str, field: str, url: str, schemes: tuple[str, ...]) -> bytes | None:
    """The bytes of a `data:` URL; None for a URL that is to be left alone."""
    if url[:5].lower() != "data:":
        _check_url(place, field, url, schemes)
        return None
    match = _DATA_URL.match(url)
    if not match:
        raise _wrong(field, f"{place} must be data:image/*;base64,…")
    try:
        return base64.b64decode(url[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise _wrong(field, f"{place} is not valid base64") from None


def _check_url(place: str, field: str, url: str, schemes: tuple[str, ...]) -> None:
    if len(url) > LONGEST_URL:
        raise _wrong(field, f"{place} is longer than {LONGEST_URL} characters")
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and bool(parts.hostname) and not any(map(str.isspace, url))
    except ValueError:
        good = False
    if not good:
        raise _wrong(field, f"{place} must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}")


async def _inspected(place: str, field: str, source: str, data: bytes) -> dict[str, Any]:
    """What a picture is; decoding it takes time, so it is done beside the event loop."""
    try:
        picture = await asyncio.to_thread(inspect, data)
    except NotAPicture as error:
        raise _wrong(field, f"{place} is not a valid image: {error}") from None
    return {"source": source, **asdict(picture)}


def _wrong(field: str, detail: str) -> Problem:
    return Problem(Kind.INVALID_PARAMETER, detail, field=field)
