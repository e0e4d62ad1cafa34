"""Reads a request's body: raw, as JSON, or as multipart/form-data, within bounds; and records it in the journal."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, HTTPRequestEntityTooLarge, RequestPayloadError
from pydantic_core import from_json

from mockserver.engine.journal import BODY_KEPT, Exchange
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.text import write_json
from mockserver.http.connection import Connection
from mockserver.http.multipart import Form, MalformedForm, TooLarge, read_form
from mockserver.http.timeouts import BodyTimeout, ServerStopping

JSON = "application/json"
UNREAD_BODY_SECONDS = 0.05
"""Real seconds for which a refusal waits for the body of its request, in order to record it."""

MOST_VALUES = 100_000
"""Values in a JSON body; reading more would block the event loop."""

MOST_FIELDS = 100
"""Parts of a multipart body; a documented request has at most 16 pictures and a dozen fields."""

LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]|\xed[\xa0-\xbf]"
)
"""A surrogate without its other half, escaped or in bytes."""

LONE_SURROGATE_MESSAGE = "it holds a lone surrogate, which is half of a character"

LONGEST_SEARCHED = 1024 * 1024
"""Bytes of a body in which a lone surrogate is looked for; in more it would take as long as all the rest."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Some Windows clients send it before UTF-8 JSON; RFC 8259 (8.1) lets a reader ignore it."""

INCOMPLETE_BODY = (RequestPayloadError, ClientPayloadError, HttpProcessingError, ConnectionError)
"""Raised by reading an incomplete body."""


@dataclass(slots=True)
class RequestBody:
    """The body of one request, read at most once. `limit` is its largest size in bytes.

    `received` is the raw body once it has been read, `parts` the parsed form.
    """

    request: BaseRequest
    exchange: Exchange
    limit: int
    received: bytes = b""
    parts: Form | None = None

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case; application/octet-stream without a Content-Type."""
        request = self.request
        return JSON if request.headers.get("Content-Type") == JSON else request.content_type

    @property
    def is_form(self) -> bool:
        """Whether the Content-Type is multipart/form-data."""
        return self.content_type == "multipart/form-data"

    async def raw(self) -> bytes:
        """The raw body.

        Raises:
            Problem: TOO_LARGE; MALFORMED_BODY if the body is compressed or incomplete.
        """
        if self.received:
            return self.received
        request = self.request
        if self._begin():
            await self._send_continue()
        content = request.content
        try:
            data = content.read_nowait() if content.is_eof() else await request.read()
        except HTTPRequestEntityTooLarge:
            raise self._too_large() from None
        except (BodyTimeout, ServerStopping) as error:
            raise _cut_short(error) from None
        except INCOMPLETE_BODY:
            raise Problem(Kind.MALFORMED_BODY, "the body is incomplete or not framed as its headers say") from None
        if len(data) > self.limit:
            raise self._too_large()
        self.exchange.keep_request(data)
        self.received = data
        return data

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; a field that is null counts as absent. Raises Problem(MALFORMED_BODY)."""
        data = (await self.raw()).removeprefix(BYTE_ORDER_MARK)
        if self.content_type != JSON:
            raise Problem(Kind.MALFORMED_BODY, f"Content-Type must be {JSON}")
        if not data or data.isspace():
            raise Problem(Kind.MALFORMED_BODY, "the body is empty")
        if len(data) > MOST_VALUES and data.count(b",") > MOST_VALUES:
            raise Problem(Kind.MALFORMED_BODY, f"the body has more than {MOST_VALUES} values")
        try:
            value = from_json(data, allow_inf_nan=False)
        except ValueError as error:
            raise Problem(Kind.MALFORMED_BODY, f"the body is not valid JSON: {_in_words(error, data)}") from None
        if not isinstance(value, dict):
            raise Problem(Kind.MALFORMED_BODY, "the body must be a JSON object")
        return value if None not in value.values() else {name: item for name, item in value.items() if item is not None}

    async def form(self) -> Form:
        """The body as multipart/form-data. Raises Problem(MALFORMED_BODY)."""
        if self.parts is not None:
            return self.parts
        if self._begin():
            await self._send_continue()
        try:
            self.parts = await read_form(self.request, MOST_FIELDS, self.limit)
        except TooLarge:
            raise self._too_large() from None
        except (BodyTimeout, ServerStopping) as error:
            raise _cut_short(error) from None
        except MalformedForm as error:
            raise Problem(Kind.MALFORMED_BODY, f"the body is not valid multipart/form-data: {error}") from None
        self.exchange.keep_request(write_json(self.parts.fields))
        self.exchange.body_size = self.request.content_length or sum(len(file.data) for file in self.parts.uploads)
        return self.parts

    async def record_unread(self) -> None:
        """Record the body of a request that was refused before its body was read, if the body is small.

        Most clients send the body in a separate packet right after the headers, so it may not have arrived yet.
        """
        unread = not self.received and self.parts is None
        if not unread or (self.request.content_length or BODY_KEPT + 1) > BODY_KEPT:
            return
        with suppress(Problem, TimeoutError, *INCOMPLETE_BODY):
            async with asyncio.timeout(UNREAD_BODY_SECONDS):
                await self.request.content.wait_eof()
            await (self.form() if self.is_form else self.raw())

    def _begin(self) -> bool:
        """Check a body's headers before it is read; whether the client waits for `100 Continue`. Raises Problem."""
        request = self.request
        headers = request.headers
        if (request.content_length or 0) > self.limit:
            raise self._too_large()
        if "Content-Encoding" in headers and headers["Content-Encoding"].lower() != "identity":
            raise Problem(Kind.MALFORMED_BODY, "Content-Encoding is not supported: send the body uncompressed")
        return "Expect" in headers and headers["Expect"].lower() == "100-continue"

    async def _send_continue(self) -> None:
        await cast(Connection, self.request.protocol).send_continue(self.request)

    def _too_large(self) -> Problem:
        return Problem(Kind.TOO_LARGE, f"the body exceeds {self.limit} bytes")


def _in_words(error: ValueError, data: bytes) -> str:
    """The error of a JSON parser, which names a lone surrogate in several ways: here it has one name."""
    said = str(error)[:100]
    may_be_one = ("escape" in said or "unicode" in said) and len(data) <= LONGEST_SEARCHED
    return LONE_SURROGATE_MESSAGE if may_be_one and LONE_SURROGATE.search(data) else said


def _cut_short(error: BodyTimeout | ServerStopping) -> Problem:
    """What a client is told whose body is not waited for any longer."""
    return Problem(Kind.REQUEST_TIMEOUT if isinstance(error, BodyTimeout) else Kind.UNAVAILABLE, str(error))
