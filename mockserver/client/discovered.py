"""What the client needs to know of the installed providers. They are imported when something is first asked of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from mockserver.client.protocol import hide_misuse

if TYPE_CHECKING:
    from mockserver.providers.base import Provider

__tracebackhide__ = hide_misuse


@cache
def installed() -> Mapping[str, Provider]:
    """Every provider that is found, by its name."""
    from mockserver.providers.base import discover

    return {provider.name: provider for provider in discover()}


def check_name(name: str) -> str:
    """A provider's name. Raises ValueError, with the names that there are, if no such provider is installed."""
    __tracebackhide__ = True
    if name not in installed():
        raise ValueError(f"there is no provider {name!r:.60}; there are {', '.join(installed())}")
    return name


def openai_path(name: str) -> str:
    """What follows a provider's base URL for an OpenAI SDK. Raises AttributeError if it has no such endpoints."""
    __tracebackhide__ = True
    path = installed()[name].openai_path
    if path is None:
        able = [provider.name for provider in installed().values() if provider.openai_path is not None]
        raise AttributeError(f"{name} has no endpoints for OpenAI SDKs; {', '.join(able)} have")
    return path


def is_billable(provider: str, method: str, path: str) -> bool:
    """Whether a call to a documented path may cost: false for a provider that is not installed here."""
    found = installed().get(provider)
    routes = [route for route in found.routes if route.billable and route.method == method] if found else []
    return any(re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route.path)), path) for route in routes)


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """One API key for all providers, and by provider's name those keys that had to differ from it."""

    shared: str
    by_provider: Mapping[str, str]


def choose_keys(token: str = "", given: str | None = None, allowed: tuple[str, ...] = ()) -> ApiKeys:
    """API keys that the installed providers accept, made after the key of each provider's example call.

    The shared key is the one that most providers accept: all of them, if their rules allow that. A provider that
    refuses it has a key of its own.

    Args:
        token: makes the keys unique, so that they are accounts of their own.
        given: the shared key, if the user has chosen one.
        allowed: the only keys that the server accepts; empty if it accepts every well-formed one.
    """
    providers = installed().values()
    if given is not None and not token:
        token = sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    candidates = allowed or tuple(key for one in providers for key in _like(one.example.key, token))
    shared = given or max(candidates, key=lambda key: sum(one.accepts_key(key) for one in providers))
    refusing = [one for one in providers if not one.accepts_key(shared)]
    return ApiKeys(
        shared,
        {one.name: next((key for key in candidates if one.accepts_key(key)), one.example.key) for one in refusing},
    )


def _like(example: str, token: str) -> Iterator[str]:
    """Keys of an example key's form: its prefix (`sk_`), its length, or the whole of it kept."""
    prefix = re.match(r"[A-Za-z]*[-_]|", example)
    yield f"{prefix[0] if prefix else ''}mock{token and '_'}{token}"
    if token:
        yield f"{example[: -len(token)]}{token}"
        yield f"{example}-{token}"
    yield example
