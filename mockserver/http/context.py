"""The context of a request, with which its handler is called, and the routes that list the handlers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp.web import BaseRequest, StreamResponse

from mockserver.engine.engine import Engine, ProviderPort
from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.journal import Exchange, keep_body
from mockserver.engine.latency import Range
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Job, Task
from mockserver.engine.text import write_json
from mockserver.http.body import RequestBody
from mockserver.http.json_answer import JsonAnswer
from mockserver.http.public_urls import PublicUrls
from mockserver.http.refusals import Refusal, Refusals


class ServedProvider(ProviderPort, Protocol):
    """The part of a provider that serving HTTP needs; `providers/base.py` defines the whole."""

    @property
    def accepts_key(self) -> Callable[[str], bool]: ...
    @property
    def refusals(self) -> Refusals: ...
    @property
    def failures(self) -> Refusals: ...
    @property
    def envelope(self) -> Callable[[Refusal, Problem, str], dict[str, Any]]: ...
    @property
    def models(self) -> tuple[str, ...]: ...
    @property
    def check_restored(self) -> Callable[[Task], None] | None: ...
    @property
    def cost_breakdown(self) -> Callable[[Task], dict[str, Any]]: ...


@fast_dataclass
class Mount:
    """A provider with the settings of this server applied. Prices are in minor units of its currency."""

    provider: ServedProvider
    prices: Mapping[str, int]
    latencies: Mapping[str, Range]
    exact_pixels: bool
    valid_keys: frozenset[str]
    max_body: int
    store_sync_tasks: bool
    cors_origins: frozenset[str]

    def accepts(self, key: str) -> bool:
        """Whether an API key is valid here."""
        return self.provider.accepts_key(key) and (not self.valid_keys or key in self.valid_keys)


class FaultInjector(Protocol):
    """Applies faults to a call at four stages; implemented in `faults/injector.py`."""

    def is_active(self) -> bool:
        """Whether there is a fault rule: without one, `before`, `accept` and `after` do nothing."""

    def admit(self, context: "RequestContext") -> Awaitable[None]:
        """Before the handler of a billable call: the key's trigger and the rate limit. Raises Problem."""

    async def before(self, context: "RequestContext") -> None:
        """Before the handler, after `admit`: the rules. Raises Problem."""

    def asked(self, context: "RequestContext", job: Job) -> Job:
        """When the handler submits a job: the job with what its prompt asks for. Raises Problem."""

    async def accept(self, context: "RequestContext", job: Job) -> Job:
        """After `asked`: the job to accept in its place, by the rules. Raises Problem."""

    async def after(self, context: "RequestContext", response: StreamResponse) -> StreamResponse:
        """After the handler: the answer to send in place of this one."""


@dataclass(slots=True)
class RequestContext:
    """One request to a provider.

    Args:
        route: None for a request that has no route (404, 405, malformed).
        params: the variable parts of the path.
        public_urls, host: the addresses of this server, and the one that this request was sent to.
        key: the API key, "" unless it is valid.
        account: the id of the key's account, "" without a valid key.
        exchange: the journal entry.
        trace_id: the id shown in the answer in place of `request_id`, for a client that sends its own.
        matched_model, matched_prompt, matched_task: read from the body before the handler, for the fault rules.
    """

    request: BaseRequest
    mount: Mount
    engine: Engine
    route: "Route | None"
    params: Mapping[str, str]
    public_urls: PublicUrls
    host: str
    key: str
    account: str
    exchange: Exchange
    body: RequestBody
    injector: FaultInjector
    trace_id: str = ""
    matched_model: str = ""
    matched_prompt: str = ""
    matched_task: str = ""

    @property
    def provider(self) -> ServedProvider:
        return self.mount.provider

    @property
    def origin(self) -> str:
        """The provider's base address as the client sees it, without a trailing slash."""
        return self.public_urls.base(self.request, self.host, self.exchange.provider)

    @property
    def request_id(self) -> str:
        """The id in the `x-request-id` header, a UUID."""
        return self.exchange.id

    async def submit(self, job: Job) -> Task:
        """Apply the faults to a job and accept it: its price is held, its outcome and times are fixed.

        Raises:
            Problem: a fault's refusal, or OUT_OF_BALANCE.
        """
        injector = self.injector
        job = injector.asked(self, job)
        if injector.is_active():
            job = await injector.accept(self, job)
        task = await self.engine.submit(job)
        self.exchange.task_id = task.id
        self.exchange.cost = None if task.failure else self.mount.provider.currency.text(job.cost)
        return task

    async def wait_until_finished(self, task: Task) -> Task:
        """Wait for a task to end. Raises Problem if it fails."""
        ended = await self.engine.wait(task)
        if ended is None:
            raise Problem(Kind.UNAVAILABLE, f"the server {self.engine.waiters.interruption} during this generation")
        if ended.failure is not None:
            failure = ended.failure
            raise Problem(failure.kind, failure.detail, code=failure.code)
        return ended

    def answer(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> JsonAnswer:
        """A JSON answer."""
        data = write_json(body)
        self.exchange.response = keep_body(data)
        return JsonAnswer(data, status, headers)


Handler = Callable[[RequestContext], Awaitable[StreamResponse]]
"""Answers the requests of a route."""


@fast_dataclass
class Route:
    """A method and a path of a provider, and their handler.

    Args:
        path: the documented path; `{name}` stands for one segment, or for a part of one.
        keyed: whether a call needs an API key.
        billable: whether a call may be charged, so that key triggers and rate limits apply to it.
        picture: whether the answer is a picture's bytes.
        refusals: errors that differ on this route.
        default_model: the model of a request without `model`, where that is allowed.
        task_of: reads a task's id from the context and the body's fields, for a route whose body has it.
    """

    method: str
    path: str
    handler: Handler
    keyed: bool = True
    billable: bool = False
    picture: bool = False
    refusals: Refusals | None = None
    default_model: str = ""
    task_of: Callable[[RequestContext, Mapping[str, Any]], Awaitable[str]] | None = None
