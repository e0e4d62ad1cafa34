"""One call on its way through the server: what a handler is given, and the HTTP that it need not know."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, HTTPRequestEntityTooLarge, RequestPayloadError, Response
from aiohttp.web_request import FileField
from pydantic_core import from_json, to_json

from mockserver.engine.engine import Engine
from mockserver.engine.journal import Exchange
from mockserver.engine.latency import Range
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Job, Task
from mockserver.faults.book import Book, Subject
from mockserver.faults.triggers import directives, key_trigger
from mockserver.providers.base import Provider, Route

JSON = "application/json"
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


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart body."""

    field: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body: its text fields in the order in which they came, and its files."""

    texts: tuple[tuple[str, str], ...]
    uploads: tuple[Upload, ...]

    @property
    def fields(self) -> dict[str, str]:
        """The text fields by name; of a repeated one the last."""
        return dict(self.texts)

    def all_of(self, *names: str) -> list[str]:
        """Every value of the text fields of these names."""
        return [value for name, value in self.texts if name in names]


@dataclass(slots=True)
class Call:
    """A request to a provider.

    `key` is "" unless it is valid; `origin` is the provider's base address as the client sees it; `params` are the
    variable parts of the path. `sent` is the raw body and `parts` the form, once read; `trace_id` is what the answer
    bears as one: the request's id, unless the client sent one of its own.
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
    book: Book
    sent: bytes = b""
    trace_id: str = ""
    parts: Form | None = None
    subject: Subject | None = None

    @property
    def provider(self) -> Provider:
        return self.mount.provider

    async def body(self) -> bytes:
        """The raw body. Raises Problem(TOO_LARGE), or MALFORMED_BODY if it is compressed or broken off."""
        if self.sent:
            return self.sent
        await self._admit_body()
        try:
            data = await self.request.read()
        except HTTPRequestEntityTooLarge:
            raise self._too_large() from None
        except (RequestPayloadError, ClientPayloadError, HttpProcessingError, ConnectionError):
            raise Problem(Kind.MALFORMED_BODY, "the body is broken off or not framed as its headers say") from None
        self.exchange.keep_request(data)
        self.sent = data
        return data

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object; a field that is null counts as absent. Raises Problem(MALFORMED_BODY)."""
        data = await self.body()
        content_type = self.request.content_type
        if content_type != JSON:
            raise Problem(Kind.MALFORMED_BODY, f"Content-Type must be {JSON}")
        if not data.strip():
            raise Problem(Kind.MALFORMED_BODY, "the body is empty")
        try:
            value = from_json(data, allow_inf_nan=False)
        except ValueError as error:
            raise Problem(Kind.MALFORMED_BODY, f"the body is not valid JSON: {str(error)[:100]}") from None
        if not isinstance(value, dict):
            raise Problem(Kind.MALFORMED_BODY, "the body must be a JSON object")
        return {name: item for name, item in value.items() if item is not None}

    async def form(self) -> Form:
        """The body as multipart/form-data. Raises Problem(MALFORMED_BODY)."""
        if self.parts is not None:
            return self.parts
        await self._admit_body()
        try:
            post = await self.request.post()
        except HTTPRequestEntityTooLarge as error:
            if "fields" in (error.text or ""):
                raise Problem(Kind.MALFORMED_BODY, f"a multipart body has at most {MOST_FIELDS} parts") from None
            raise self._too_large() from None
        except (ValueError, LookupError, AssertionError, RuntimeError, RequestPayloadError, HttpProcessingError):
            raise Problem(Kind.MALFORMED_BODY, "the body is not valid multipart/form-data") from None
        texts = tuple((name, value) for name, value in post.items() if isinstance(value, str))
        files = [value for value in post.values() if isinstance(value, FileField)]
        form = self.parts = Form(texts, tuple(Upload(file.name, file.file.read()) for file in files))
        self.exchange.keep_request(to_json(form.fields))
        self.exchange.body_size = self.request.content_length or sum(len(upload.data) for upload in form.uploads)
        return form

    async def _admit_body(self) -> None:
        """Refuse a body by its headers, before a byte of it is read; let a client that asks first go on."""
        headers = self.request.headers
        if (self.request.content_length or 0) > self.mount.max_body:
            raise self._too_large()
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Problem(Kind.MALFORMED_BODY, "Content-Encoding is not supported: send the body uncompressed")
        if headers.get("Expect", "").lower() == "100-continue":
            await self.request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.request.writer.output_size = 0

    def _too_large(self) -> Problem:
        return Problem(Kind.TOO_LARGE, f"the body exceeds {self.mount.max_body} bytes")

    def submit(self, job: Job) -> Task:
        """Accept a job, after what its prompt's directives and its key ask for.

        Raises:
            Problem: the directive's or the key's refusal, or OUT_OF_BALANCE.
        """
        asked = directives(job.prompt)
        if asked.answer is not None:
            raise asked.answer
        trigger = key_trigger(self.key)
        if trigger is not None:
            raise trigger
        job = job.directed(asked.failure, asked.delay)
        if self.book.rules:
            for fault in self.book.fire("task", self.subject_of(job), self.engine.entropy):
                job = fault.plan(job)
        task = self.engine.submit(job)
        self.exchange.task_id = task.id
        self.exchange.cost = None if task.failure else self.provider.currency.text(job.cost)
        return task

    async def identify(self) -> Subject:
        """What fault rules are held against ahead of the handler; the body is read if a rule asks for it."""
        if self.book.needs_body() and self.route is not None and self.route.billable:
            model, prompt = await self._model_and_prompt()
        else:
            model, prompt = "", ""
        self.subject = self._subject(model, prompt)
        return self.subject

    def _subject(self, model: str = "", prompt: str = "") -> Subject:
        """The call as a rule sees it; one about a task has its model, its prompt and its owner."""
        task = self.engine.find(self.provider.name, self.params.get("task_id", ""))
        account = self.account
        if task is not None:
            model, prompt, account = task.job.model, task.job.prompt, account or task.job.account
        path = self.request.path.removeprefix(f"/{self.provider.name}")
        picture = self.route is not None and self.route.picture
        task_id = task.id if task else ""
        return Subject(self.provider.name, account, path, self.request.method, model, prompt, task_id, picture)

    def subject_of(self, job: Job) -> Subject:
        """A job that this call submits, as a rule sees it."""
        return replace(self.subject or self._subject(), model=job.model, prompt=job.prompt)

    def known_subject(self) -> Subject:
        """The call as a rule sees it, as far as it is known."""
        return self.subject or self._subject()

    async def _model_and_prompt(self) -> tuple[str, str]:
        if self.request.content_type == "multipart/form-data":
            fields: Mapping[str, Any] = (await self.form()).fields
        else:
            fields = await self.json()
        model, prompt = fields.get("model"), fields.get("prompt")
        return model if isinstance(model, str) else "", prompt if isinstance(prompt, str) else ""

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
        self.exchange.response = data
        return Response(body=data, status=status, headers={"Content-Type": JSON, **(headers or {})})
