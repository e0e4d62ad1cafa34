"""Rules for single values of a snapshot: numbers, times, texts, addresses. Errors name the field."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from mockserver.engine.addresses import check_any
from mockserver.engine.engine import ProviderPort
from mockserver.engine.snapshot import LATEST
from mockserver.engine.tasks import Task

MOST = 10**18
"""The largest count or amount of minor units that is taken."""

LONGEST_TEXT = 1_000
"""Characters of a name, an id, an address or a message; a prompt and a body may be longer."""

TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class SnapshotProvider(ProviderPort, Protocol):
    """What checking a snapshot must know of a provider besides."""

    @property
    def models(self) -> tuple[str, ...]: ...
    @property
    def failures(self) -> Mapping[str, Any]:
        """The errors that a failed generation shows, by kind."""

    @property
    def check_restored(self) -> Callable[[Task], None] | None:
        """Checks what the provider itself keeps in a task. Raises ValueError."""


def need(holds: bool, place: str, rule: str) -> None:
    """Raise ValueError naming a place and the rule that it breaks, unless it holds."""
    if not holds:
        raise ValueError(f"{place} {rule}")


def need_count(number: int, place: str, least: int = 0, most: int = MOST) -> None:
    need(least <= number <= most, place, f"is not from {least} to {most}")


def need_time(time: float, place: str, latest: float = LATEST) -> None:
    need(0 <= time <= latest, place, "is no time that a server can have seen")


def need_text(text: str, place: str, longest: int = LONGEST_TEXT) -> None:
    need(len(text) <= longest, place, f"is longer than {longest} characters")


def need_once(names: Iterable[object], place: str) -> None:
    name, times = next(iter(Counter(names).most_common(1)), ("", 0))
    need(times < 2, place, f"has {str(name)[:100]!r} twice")


def provider_named(name: str, place: str, providers: Mapping[str, SnapshotProvider]) -> SnapshotProvider:
    need(name in providers, place, f"is none of {', '.join(providers)}")
    return providers[name]


def need_url(url: str, place: str) -> None:
    need_text(url, place, 16_000)
    try:
        check_any(url)
    except ValueError as error:
        raise ValueError(f"{place} is no callback address: {error}") from None
