"""What a handler is given: the request, the provider that it is for, and what answers it.

A handler is listed in a `Route` and called with a `RequestContext`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp.web import BaseRequest, StreamResponse

from mockserver.engine.engine import Engine, ProviderPort
from mockserver.engine.journal import Exchange, keep_body
from mockserver.engine.latency import Range
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Job, Task
from mockserver.engine.text import write_json
from mockserver.http.body import RequestBody
from mockserver.http.json_answer import JsonAnswer
from mockserver.http.refusals import Refusal, Refusals


class ServedProvider(ProviderPort, Protocol):
    """What serving HTTP must know of a provider; `providers/base.py` has the whole of it."""

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


@dataclass(frozen=True, slots=True)
class Mount:
    """A provider as this server runs it: prices in minor units, with what the settings override."""

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
    """Applies faults to a call, at four places on its way; implemented in `faults/injector.py`."""

    @property
    def active(self) -> bool:
        """Whether any fault rule is in force: without one, `before` and `after` do nothing."""

    def admit(self, context: "RequestContext") -> None: ...

    async def before(self, context: "RequestContext") -> None: ...

    def accept(self, context: "RequestContext", job: Job) -> Job: ...

    async def after(self, context: "RequestContext", response: StreamResponse) -> StreamResponse: ...


@dataclass(slots=True)
class RequestContext:
    """One request to a provider.

    Args:
        route: None for a request that has no route (404, 405, malformed).
        params: the variable parts of the path.
        origin: the provider's base address as the client sees it, without a trailing slash.
        key: the API key, "" unless it is valid; `account` is its account's id.
        exchange: the journal entry.
        trace_id: the id that the answer shows, if it is not `request_id`: a client may send one of its own.
        matched_model: with `matched_prompt` and `matched_task`, what the fault injector has read before the handler.
    """

    request: BaseRequest
    mount: Mount
    engine: Engine
    route: "Route | None"
    params: Mapping[str, str]
    origin: str
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
    def request_id(self) -> str:
        """The id in the `x-request-id` header, a UUID."""
        return self.exchange.id

    def submit(self, job: Job) -> Task:
        """Accept a job, after the faults that act on it.

        Raises:
            Problem: a refusal that a fault asks for, or OUT_OF_BALANCE.
        """
        task = self.engine.submit(self.injector.accept(self, job))
        self.exchange.task_id = task.id
        self.exchange.cost = None if task.failure else self.provider.currency.text(job.cost)
        return task

    async def wait_until_finished(self, task: Task) -> Task:
        """Wait for a task to end. Raises Problem if it fails."""
        await self.engine.wait(task)
        ended = self.engine.find(self.provider.name, task.id)
        if ended is None or not ended.ended_at(self.engine.now()):
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


@dataclass(frozen=True, slots=True)
class Route:
    """One line of a provider's index.

    Args:
        path: the documented path; `{name}` stands for one segment, or for a part of one.
        keyed: whether a key is needed.
        billable: whether a call may cost, so that the in-band key triggers and a rate limit apply to it.
        picture: whether it serves a picture's bytes.
        refusals: errors that differ on this route.
        default_model: the model of a request that names none, where that is allowed.
        task_of: the id of the task that a call is about, from its context and its fields, where the body names it.
    """

    method: str
    path: str
    handler: Handler
    keyed: bool = True
    billable: bool = False
    picture: bool = False
    refusals: Refusals | None = None
    default_model: str = ""
    task_of: Callable[[RequestContext, Mapping[str, Any]], str] | None = None
