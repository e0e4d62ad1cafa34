"""Checks the reference images that clients send, and puts them on record. URLs are never fetched.

What looks into pictures is imported with the first one, to keep the start short.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.problems import Kind, Problem
from mockserver.http.context import RequestContext
from mockserver.http.multipart import Upload

if TYPE_CHECKING:
    from mockserver.engine.uploads import DecodingBudget

LONGEST_URL = 8_192
"""Characters of a reference's URL; a ruling of ours."""

DECODED_AT_ONCE = 256 * 1024
"""Characters of base64, a multiple of 4."""

_INSPECTING = Lock()
"""Calls inspect their pictures one after the other: several threads at once would delay the event loop."""

_DATA_URL = re.compile(r"data:image/[A-Za-z0-9.+-]{1,40};base64,")


@fast_dataclass
class _Sent:
    """One reference: where it stands in the request, and its bytes or its `data:` URL; neither for other URLs."""

    place: str
    source: str
    data: bytes = b""
    encoded: str = ""


async def check_references(
    context: RequestContext,
    field: str,
    urls: Sequence[str],
    uploads: Sequence[Upload],
    most: int,
    schemes: tuple[str, ...],
) -> int:
    """Check references given as URLs (of `schemes`, or `data:`) and as files, and put them on record.

    Returns:
        How many there are.

    Raises:
        Problem: INVALID_PARAMETER on `field`, for more than `most`, for a URL of another scheme, for base64 that is
            none, and for bytes that are no picture.
    """
    if not urls and not uploads:
        return 0
    if len(urls) + len(uploads) > most:
        raise _wrong(field, f"at most {most} images are supported")
    sent = [_sent(f"{field}[{number}]", field, url, schemes) for number, url in enumerate(urls)]
    sent += [_Sent(upload.field, "upload", upload.data) for upload in uploads]
    if any(each.source != "url" for each in sent):
        record = await asyncio.to_thread(_inspected, field, sent)
    else:
        record = [{"source": "url"} for _ in sent]
    context.exchange.pictures += tuple(record)
    return len(record)


def _sent(place: str, field: str, url: str, schemes: tuple[str, ...]) -> _Sent:
    """A reference given as a URL. Raises Problem for one of another scheme."""
    if url[:5].lower() != "data:":
        _check_url(place, field, url, schemes)
        return _Sent(place, "url")
    if not _DATA_URL.match(url):
        raise _wrong(field, f"{place} must be data:image/*;base64,…")
    return _Sent(place, "data", encoded=url)


def _inspected(field: str, sent: list[_Sent]) -> list[dict[str, Any]]:
    """What each reference is, for the record; all of them share one decoding budget. Runs in a thread."""
    from mockserver.engine.uploads import DecodingBudget

    with _INSPECTING:
        budget = DecodingBudget.of_a_call()
        return [_facts(field, each, budget) for each in sent]


def _facts(field: str, each: _Sent, budget: "DecodingBudget") -> dict[str, Any]:
    """The record of one reference. Raises Problem if it is no picture."""
    from mockserver.engine.uploads import NotAPicture, inspect

    if each.source == "url":
        return {"source": "url"}
    data = _decoded(each.place, field, each.encoded) if each.encoded else each.data
    try:
        picture = inspect(data, budget)
    except NotAPicture as error:
        raise _wrong(field, f"{each.place} is not a valid image: {error}") from None
    return {"source": each.source, **asdict(picture)}


def _decoded(place: str, field: str, url: str) -> bytes:
    """The bytes of a `data:` URL, decoded piece by piece so that other threads can run. Raises Problem."""
    start, data = url.index(",") + 1, bytearray()
    try:
        for at in range(start, len(url), DECODED_AT_ONCE):
            piece = url[at : at + DECODED_AT_ONCE]
            if "=" in piece and at + DECODED_AT_ONCE < len(url):
                raise ValueError("padding inside")
            data += base64.b64decode(piece, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong(field, f"{place} is not valid base64") from None
    return bytes(data)


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


def _wrong(field: str, detail: str) -> Problem:
    return Problem(Kind.INVALID_PARAMETER, detail, field=field)
