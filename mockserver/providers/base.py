"""What a provider is, a frozen record of values and functions; and where providers are found.

A provider is a package with a `PROVIDER`: a folder beside this file, or an installed package with an entry point in
the group `mockserver.providers`.
"""

import importlib
import json
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from shlex import quote
from typing import Any

from mockserver.engine.clock import Draw
from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.latency import Range
from mockserver.engine.ledger import Currency
from mockserver.engine.problems import Problem
from mockserver.engine.tasks import Task
from mockserver.http.context import Route
from mockserver.http.index_page import IndexEntry
from mockserver.http.refusals import Refusal, Refusals, missing_kinds
from mockserver.providers.client_facts import ClientFacts
from mockserver.providers.installed import distribution_of, installed_providers


@fast_dataclass
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
        name: its path prefix and its name everywhere: a-z, 0-9 and _.
        hosts: its documented host names; the first one is the API's.
        base_path: what follows the host in its documented base URL, as in "/v1"; may be "".
        prices: what a call costs, in decimal text of `currency`, by names of its own; settings may override each.
        latencies: the documented (shortest, longest) duration of a generation in seconds, by names of its own.
        refusals: the error for each kind of problem.
        failures: the error that a failed generation's task shows; `refusals` will do for most.
        envelope: writes the error body from the error, the problem, and the request's id.
        accepts_key: whether a key has the documented form.
        new_id: makes a task id from the random numbers of a call and its time (Unix seconds).
        cost_breakdown: the details of a captured task's usage record.
        example: a documented call that works; its key is one that `accepts_key` takes, whatever is appended to it.
        callback_body: the body that is posted when a task has ended; None for a service without callbacks.
        openai_path: the path that an OpenAI SDK takes as its base URL, where the service has such endpoints.
        public_callbacks_only: whether the service refuses callback addresses that are not globally routable.
        check_restored: checks what the provider keeps in a task of its own (`wire` and `request` of its job), when it
            comes from a snapshot; raises ValueError naming the field. None for a provider whose answers can be written
            from anything there.
        picture_hosts: which of `hosts` serves pictures, by the beginning of their path, for those that the API's
            own host does not serve.
        described_in: the module whose OPERATIONS (`operations.py`) describe its routes beyond its models and refusals,
            imported when its OpenAPI description is asked for.
        client_facts: what its documents ask of clients; advice rests on it.
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
    openai_path: str | None = None
    public_callbacks_only: bool = False
    picture_hosts: Mapping[str, str] = field(default_factory=dict)
    check_restored: Callable[[Task], None] | None = None
    described_in: str | None = None
    client_facts: ClientFacts = field(default_factory=ClientFacts)

    def base_url(self, root: str) -> str:
        """What replaces the documented base URL, when the server is at `root`."""
        return f"{root}/{self.name}{self.base_path}"

    def curl_line(self, root: str, key: str | None = None) -> str:
        """A curl command that works against this provider at a server's `root`, with the example's key or another."""
        body = quote(json.dumps(self.example.body, ensure_ascii=False))
        return (
            f"curl {root}/{self.name}{self.example.path} -H 'Authorization: Bearer {key or self.example.key}' "
            f"-H 'Content-Type: application/json' -d {body}"
        )

    def index_entry(self, root: str) -> IndexEntry:
        """This provider on the index page of a server at `root`."""
        replaces = f"https://{self.hosts[0]}{self.base_path}"
        return IndexEntry(self.name, self.title, self.base_url(root), replaces, self.curl_line(root), self.example.note)


def check_nothing_kept(task: Task) -> None:
    """The `check_restored` of a provider that keeps nothing of its own in a task."""
    if task.job.wire:
        raise ValueError("job.wire is not empty")
    if task.job.request:
        raise ValueError("job.request is not empty")


class InvalidProvider(ValueError):
    """A provider that can't be used. The text names the package or folder that it comes from."""


def discover() -> tuple[Provider, ...]:
    """Every provider, by name: the packages beside this file, and those that installed packages offer.

    Raises:
        InvalidProvider: for one that can't be loaded, is incomplete, or has the name or a host of another one.
    """
    found: list[Provider] = []
    sources: dict[str, str] = {}
    for source, load in _sources():
        try:
            provider = load()
        except Exception as error:
            raise InvalidProvider(f"{source} can't be loaded: {type(error).__name__}: {error}") from error
        if not isinstance(provider, Provider):
            raise InvalidProvider(f"{source} is no Provider but a {type(provider).__name__}")
        for reason in defects_of(provider):
            raise InvalidProvider(f"{source} is not complete: {reason}")
        for claimed in (f"the name {provider.name}", *(f"the host {host}" for host in provider.hosts)):
            other = sources.setdefault(claimed, source)
            if other != source:
                raise InvalidProvider(f"two providers have {claimed}: {other}, and {source}")
        found.append(provider)
    return tuple(sorted(found, key=lambda provider: provider.name))


def _sources() -> Iterator[tuple[str, Callable[[], object]]]:
    """Where providers come from, in words, and what loads each."""
    package = importlib.import_module(__package__ or "")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.ispkg:
            yield f"{module.name}.PROVIDER", partial(_load_module, module.name)
    for entry in installed_providers():
        yield f"the entry point {entry.name} = {entry.value} of {distribution_of(entry)}", entry.load


def _load_module(name: str) -> object:
    return importlib.import_module(name).PROVIDER


_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_BASE_PATH = re.compile(r"(/[^/?#]+)*")


def defects_of(provider: Provider) -> Iterator[str]:
    """What is wrong with a provider, a sentence each: what would otherwise show at the first request."""
    if not _NAME.fullmatch(provider.name):
        yield f"name {provider.name!r} is not made of a-z, 0-9 and _"
    for name in ("title", "hosts", "models", "prices", "latencies", "routes"):
        if not getattr(provider, name):
            yield f"{name} is empty"
    yield from (f"host {host!r} is no host name in lower case" for host in provider.hosts if not _HOST.fullmatch(host))
    for host in sorted(set(provider.picture_hosts.values()) - set(provider.hosts)):
        yield f"picture host {host!r} is not one of its hosts"
    for path in (provider.base_path, provider.openai_path or ""):
        if not _BASE_PATH.fullmatch(path):
            yield f"base path {path!r} does not begin with a slash, or ends in one"
    yield from missing_kinds(provider.refusals, provider.failures)
    for name, price in provider.prices.items():
        try:
            negative = provider.currency.minor(price) < 0
        except ValueError as error:
            yield f"price {name}: {error}"
        else:
            if negative:
                yield f"price {name} is negative"
    for name, (shortest, longest) in provider.latencies.items():
        if not 0 <= shortest <= longest:
            yield f"latency {name} is not (shortest, longest) in seconds"
    seen = Counter((route.method, route.path) for route in provider.routes)
    yield from (f"route {method} {path} is there twice" for (method, path), times in seen.items() if times > 1)
    example = provider.example
    if not any(r.method == "POST" and r.path == example.path and r.billable for r in provider.routes):
        yield f"no billable route is POST {example.path}, the path of its example"
    for key in (example.key, f"{example.key}-mock-401"):
        if not provider.accepts_key(key):
            yield f"accepts_key refuses {key!r}, made from the key of its example"
