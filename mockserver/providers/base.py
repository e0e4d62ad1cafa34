"""What a provider is: a frozen record of values and functions. Its five files fill it, and nothing registers itself."""

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from mockserver.engine.clock import Draw
from mockserver.engine.latency import Range
from mockserver.engine.ledger import Currency
from mockserver.engine.problems import Problem
from mockserver.engine.tasks import Task
from mockserver.http.context import Route
from mockserver.http.index_page import IndexEntry
from mockserver.http.refusals import Refusal, Refusals


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
    openai_path: str | None = None
    public_callbacks_only: bool = False

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


def discover() -> tuple[Provider, ...]:
    """Every package beside this file that holds a PROVIDER, by name."""
    package = importlib.import_module(__package__ or "")
    modules = (
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
        if module.ispkg
    )
    return tuple(sorted((module.PROVIDER for module in modules), key=lambda provider: provider.name))
