"""What a provider's documents ask of clients: how long to wait, when links end, what is ignored, what costs more.

Advice rests on these facts. Each has the id of the claim that states it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.tasks import Task


@fast_dataclass
class Wait:
    """For how many seconds a client has to be ready to wait for a generation."""

    seconds: float
    claim: str


@fast_dataclass
class Link:
    """A picture that is fetched from a link, which lives for `seconds` after completion; None: for ever."""

    seconds: float | None
    claim: str


@fast_dataclass
class Ignored:
    """A parameter that has no effect; `effect` is what happens instead, as the end of a sentence."""

    parameter: str
    effect: str
    claim: str


@fast_dataclass
class Surcharge:
    """What a call cost more than it needed to; `reason` is a sentence without its full stop."""

    reason: str
    claim: str


Fields = Mapping[str, Any]
"""The fields of a request; those of a form are texts."""


def no_wait(_: Task) -> Wait | None:
    return None


def permanent_link(_: Task) -> Link | None:
    return Link(None, "")


def nothing_ignored(_: Fields) -> Iterable[Ignored]:
    return ()


def no_surcharge(_: Task) -> Surcharge | None:
    return None


@fast_dataclass
class ClientFacts:
    """A provider's facts. The defaults are those of a provider whose documents say nothing.

    Args:
        wait: how long clients have to wait for a task; None if no figure is documented.
        link: the link to a task's pictures; None if its answer holds the picture itself.
        ignored: the parameters of a submission that have no effect, without those whose value changes nothing anyway.
        surcharge: why a task cost more than it needed to; None if it did not.
        free_5xx: the claim that a 5xx is never charged; "" if no document says so.
        claims: the claim that a rule of advice rests on at this provider, by the rule's name.
    """

    wait: Callable[[Task], Wait | None] = no_wait
    link: Callable[[Task], Link | None] = permanent_link
    ignored: Callable[[Fields], Iterable[Ignored]] = nothing_ignored
    surcharge: Callable[[Task], Surcharge | None] = no_surcharge
    free_5xx: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)


def asks_for_several(fields: Fields) -> bool:
    """Whether `n` asks for more than one picture."""
    return str(fields.get("n") or 1) not in ("1", "1.0")
