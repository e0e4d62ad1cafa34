"""One call on its way through the server: what a handler is given, and the HTTP that it need not know."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, HTTPRequestEntityTooLarge, RequestPayloadError, Response, StreamResponse
from pydantic_core import from_json, to_json

from mockserver.engine.engine import Engine
from mockserver.engine.journal import BODY_KEPT, Exchange, keep_body
from mockserver.engine.latency import Range
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Job, Task
from mockserver.forms import Form, NoForm, TooLarge, read_form
from mockserver.providers.base import Provider, Route

JSON = "application/json"
NOTE_SECONDS = 0.05
"""Real seconds that a refusal is held back for a body that has not arrived."""

MOST_VALUES = 100_000
"""Values in a JSON body: reading millions of small ones would hold everybody else up."""

BROKEN_OFF = (RequestPayloadError, ClientPayloadError, HttpProcessingError, ConnectionError)
"""What reading a body raises when it does not arrive whole."""

MOST_FIELDS = 100
"""Parts of a multipart body; the documented requests have at most 16 pictures and a dozen fields."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A provider as this server runs it: its tariff in minor units, with what the settings override."""

    provider: Provider
    prices: Mapping[str, int]
    latencies: Mapping[str, Range]
    exact_pixels: bool
    valid_keys: frozenset[str]
    max_body: int

    def accepts(self, key: str) -> bool:
        """Whether an API key is valid here."""
        return self.provider.accepts_key(key) and (not self.valid_keys or key in self.valid_keys)


class Gate(Protocol):
    """What goes wrong with a call, at the places where it can; `faults/gate.py` is the one that decides."""

    @property
    def armed(self) -> bool:
        """Whether any rule is in force: without one, `before` and `after` do nothing."""

    def admit(self, call: "Call") -> None: ...

    async def before(self, call: "Call") -> None: ...

    def accept(self, call: "Call", job: Job) -> Job: ...

    async def after(self, call: "Call", response: StreamResponse) -> StreamResponse: ...


@dataclass(slots=True)
class Call:
    """A request to a provider.

    `key` is "" unless it is valid; `origin` is the provider's base address as the client sees it; `params` are the
    variable parts of the path. `sent` is the raw body and `parts` the form, once read; `trace_id` is what the answer
    bears as one: the request's id, unless the client sent one of its own. `model_seen`, `prompt_seen` and `task_seen`
    are what the gate has read ahead of the handler.
    """

    request: BaseRequest
    mount: Mount
    engine: Engine
    route: Route | None
    params: Mapping[str, str]
    origin: str
    key: str
    account: str
    request_id: str
    exchange: Exchange
    gate: Gate
    sent: bytes = b""
    trace_id: str = ""
    parts: Form | None = None
    model_seen: str = ""
    prompt_seen: str = ""
    task_seen: str = ""

    @property
    def provider(self) -> Provider:
        return self.mount.provider

    @property
    def is_form(self) -> bool:
        """Whether the body calls itself multipart/form-data."""
        given = self.request.headers.get("Content-Type")
        return given != JSON and self.request.content_type == "multipart/form-data"

    async def body(self) -> bytes:
        """The raw body. Raises Problem(TOO_LARGE), or MALFORMED_BODY if it is compressed or broken off."""
        if self.sent:
            return self.sent
        self._admit_body()
        await self._let_go_on()
        content = self.request.content
        try:
            data = content.read_nowait() if content.is_eof() else await self.request.read()
        except HTTPRequestEntityTooLarge:
            raise self._too_large() from None
        except BROKEN_OFF:
            raise Problem(Kind.MALFORMED_BODY, "the body is broken off or not framed as its headers say") from None
        if len(data) > self.mount.max_body:
            raise self._too_large()
        self.exchange.keep_request(data)
        self.sent = data
        return data

    async def note_body(self) -> None:
        """Put the body on record though the call was refused before anybody read it, if it is small: the record is to
        show what was asked for. Most clients send it in a packet of its own, right behind the headers."""
        unread = self.route is not None and self.route.billable and not self.sent and self.parts is None
        if not unread or (self.request.content_length or BODY_KEPT + 1) > BODY_KEPT:
            return
        with suppress(Problem, TimeoutError, *BROKEN_OFF):
            async with asyncio.timeout(NOTE_SECONDS):
                await self.request.content.wait_eof()
            await (self.form() if self.is_form else self.body())

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; a field that is null counts as absent. Raises Problem(MALFORMED_BODY)."""
        data = await self.body()
        given = self.request.headers.get("Content-Type")
        if given != JSON and self.request.content_type != JSON:
            raise Problem(Kind.MALFORMED_BODY, f"Content-Type must be {JSON}")
        if not data.strip():
            raise Problem(Kind.MALFORMED_BODY, "the body is empty")
        if data.count(b",") > MOST_VALUES:
            raise Problem(Kind.MALFORMED_BODY, f"the body has more than {MOST_VALUES} values")
        try:
            value = from_json(data, allow_inf_nan=False)
        except ValueError as error:
            raise Problem(Kind.MALFORMED_BODY, f"the body is not valid JSON: {str(error)[:100]}") from None
        if not isinstance(value, dict):
            raise Problem(Kind.MALFORMED_BODY, "the body must be a JSON object")
        return value if None not in value.values() else {name: item for name, item in value.items() if item is not None}

    async def form(self) -> Form:
        """The body as multipart/form-data. Raises Problem(MALFORMED_BODY)."""
        if self.parts is not None:
            return self.parts
        self._admit_body()
        await self._let_go_on()
        try:
            self.parts = await read_form(self.request, MOST_FIELDS, self.mount.max_body)
        except TooLarge:
            raise self._too_large() from None
        except NoForm as error:
            raise Problem(Kind.MALFORMED_BODY, f"the body is not valid multipart/form-data: {error}") from None
        self.exchange.keep_request(to_json(self.parts.fields))
        self.exchange.body_size = self.request.content_length or sum(len(file.data) for file in self.parts.uploads)
        return self.parts

    def _admit_body(self) -> None:
        """Refuse a body by its headers, before a byte of it is read."""
        if (self.request.content_length or 0) > self.mount.max_body:
            raise self._too_large()
        encoding = self.request.headers.get("Content-Encoding")
        if encoding is not None and encoding.lower() != "identity":
            raise Problem(Kind.MALFORMED_BODY, "Content-Encoding is not supported: send the body uncompressed")

    async def _let_go_on(self) -> None:
        """Let a client go on that asks before it sends its body."""
        if self.request.headers.get("Expect", "").lower() == "100-continue":
            await self.request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.request.writer.output_size = 0

    def _too_large(self) -> Problem:
        return Problem(Kind.TOO_LARGE, f"the body exceeds {self.mount.max_body} bytes")

    def submit(self, job: Job) -> Task:
        """Accept a job, after what goes wrong on its way in.

        Raises:
            Problem: a refusal that was asked for, or OUT_OF_BALANCE.
        """
        task = self.engine.submit(self.gate.accept(self, job))
        self.exchange.task_id = task.id
        self.exchange.cost = None if task.failure else self.provider.currency.text(job.cost)
        return task

    async def finished(self, task: Task) -> Task:
        """Wait for a task to end. Raises Problem if it fails."""
        await self.engine.wait(task)
        ended = self.engine.find(self.provider.name, task.id)
        if ended is None or not ended.ended_at(self.engine.now()):
            raise Problem(Kind.UNAVAILABLE, "the server was reset while this generation was under way")
        if ended.failure is not None:
            failure = ended.failure
            raise Problem(failure.kind, failure.detail, code=failure.code)
        return ended

    def answer(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """A JSON answer."""
        data = to_json(body, inf_nan_mode="null")
        self.exchange.response = keep_body(data)
        return Response(body=data, status=status, headers={"Content-Type": JSON, **(headers or {})})
