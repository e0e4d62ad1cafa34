"""What a provider is: a frozen record of values and functions. Its five files fill it, and nothing registers itself."""

import importlib
import pkgutil
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp.web import StreamResponse

from mockserver.engine.clock import Draw
from mockserver.engine.latency import Range
from mockserver.engine.ledger import Currency
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Failure, Task

Handler = Callable[[Any], Awaitable[StreamResponse]]
"""What answers a route, given the `Call` (call.py, which stands above this file and is not named here)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """How one kind of problem looks on a provider's wire."""

    status: int
    code: str
    message: str
    type: str = ""


Refusals = Mapping[str, Refusal]
"""How problems look, by kind; an error code that no kind of ours has may stand under its own name."""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of a provider's index.

    Args:
        path: the documented path; `{name}` stands for one segment, or a part of one.
        keyed: whether a key is needed.
        billable: whether a call may cost, so that the in-band key triggers and a rate limit hold for it.
        picture: whether it serves a picture's bytes.
        refusals: kinds that look different on this route.
        default_model: the model of a request that names none, where that is allowed.
        names_task: the id of the task that a call is about, from the call and its fields, where the body names it.
    """

    method: str
    path: str
    handler: Handler
    keyed: bool = True
    billable: bool = False
    picture: bool = False
    refusals: Refusals | None = None
    default_model: str = ""
    names_task: Callable[[Any, Mapping[str, Any]], str] | None = None


def path_pattern(path: str) -> re.Pattern[str]:
    """What paths a route's `path` stands for; its variable parts are named groups."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


@dataclass(frozen=True, slots=True)
class Example:
    """A call that works, for the index page and the start-up lines. `note` says what comes back."""

    path: str
    body: Mapping[str, Any]
    key: str
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """One emulated service.

    Args:
        hosts: its documented host names; the first one is the API's.
        base_path: what follows the host in its documented base URL.
        openai_path: the path that an OpenAI SDK takes as its base URL, where the service has such endpoints.
        prices: what a call costs, in decimal text of `currency`, by the names that its `pricing.py` uses.
        latencies: how long a generation is documented to take, (shortest, longest) in seconds, by such names.
        refusals: every kind of problem as an answer.
        failures: why a generation fails, as its task shows it.
        envelope: the error body, from how the problem looks, the problem itself, and the request's id.
        accepts_key: whether a key is well-formed.
        new_id: a task id from the call's chance and the time.
        cost_breakdown: what the usage page says of a captured task.
        callback_body: what is posted at a task's end; None for a service without callbacks.
        check_callback: raises BadTarget for a callback URL that the service refuses.
        public_callbacks_only: whether the service calls back globally routable addresses alone.
    """

    name: str
    title: str
    hosts: tuple[str, ...]
    base_path: str
    currency: Currency
    models: tuple[str, ...]
    prices: Mapping[str, str]
    latencies: Mapping[str, Range]
    routes: tuple[Route, ...]
    refusals: Refusals
    failures: Refusals
    envelope: Callable[[Refusal, Problem, str], dict[str, Any]]
    accepts_key: Callable[[str], bool]
    new_id: Callable[[Draw, float], str]
    cost_breakdown: Callable[[Task], dict[str, Any]]
    example: Example
    callback_body: Callable[[Task], bytes] | None = None
    check_callback: Callable[[str], None] | None = None
    openai_path: str | None = None
    public_callbacks_only: bool = False

    def refuse(self, problem: Problem, route: Route | None = None) -> Refusal:
        """How a problem looks on this provider's wire, at a route of its own."""
        table = {**self.refusals, **(route.refusals or {})} if route and route.refusals else self.refusals
        if problem.code is not None:
            looks = _by_code({**self.failures, **table}, problem.code)
            return looks if problem.status is None else replace(looks, status=problem.status)
        return table[problem.kind] if problem.status is None else _by_status(table, problem.status)


def failure_looks(table: Refusals, failure: Failure) -> Refusal:
    """How a failed generation looks in its task."""
    return _by_code(table, failure.code) if failure.code else table[failure.kind]


def _by_status(table: Refusals, status: int) -> Refusal:
    """The first documented error of a status; for another status, the general refusal of its class."""
    for refusal in table.values():
        if refusal.status == status:
            return refusal
    return replace(table[Kind.INTERNAL if status >= 500 else Kind.INVALID_PARAMETER], status=status)


def _by_code(table: Refusals, code: str) -> Refusal:
    """The documented error of a code; for another code, a failed generation that bears it."""
    for refusal in table.values():
        if refusal.code == code:
            return refusal
    return replace(table[Kind.FAILED], code=code)


def discover() -> tuple[Provider, ...]:
    """Every package beside this file that holds a PROVIDER, by name."""
    package = importlib.import_module(__package__ or "")
    modules = (
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
        if module.ispkg
    )
    return tuple(sorted((module.PROVIDER for module in modules), key=lambda provider: provider.name))
