"""A problem as an HTTP error: status, code, message and type, before they go into a provider's error body."""

from collections.abc import Mapping
from dataclasses import replace

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Failure


@fast_dataclass
class Refusal:
    """One documented error. `type` is "" for a provider whose errors have no type."""

    status: int
    code: str
    message: str
    type: str = ""


Refusals = Mapping[str, Refusal]
"""Errors by kind of problem; an error without a kind is listed under its code."""


SHARED_KINDS = (
    *(Kind.UNKNOWN_PATH, Kind.WRONG_METHOD, Kind.UNAUTHENTICATED, Kind.RATE_LIMITED, Kind.OUT_OF_BALANCE),
    *(Kind.TOO_LARGE, Kind.REQUEST_TIMEOUT, Kind.MALFORMED_BODY, Kind.INVALID_PARAMETER, Kind.UNKNOWN_MODEL),
    *(Kind.IMAGE_NOT_FOUND, Kind.UNAVAILABLE, Kind.INTERNAL),
)
"""The kinds that shared code raises: every provider needs an error for each."""

FAILURE_KINDS = (Kind.FAILED, Kind.MODERATED)
"""The kinds with which shared code lets a generation fail."""


def missing_kinds(table: Refusals, failures: Refusals) -> list[str]:
    """A sentence for each kind that a provider's tables of errors lack."""
    lacking = [f"its refusals lack {kind.name}" for kind in SHARED_KINDS if kind not in table]
    return lacking + [f"its failures lack {kind.name}" for kind in FAILURE_KINDS if kind not in failures]


def find_refusal(table: Refusals, failures: Refusals, problem: Problem) -> Refusal:
    """The error of a problem: by its code, otherwise by its status, otherwise by its kind."""
    if problem.code is not None:
        refusal = _by_code({**failures, **table}, problem.code)
        return refusal if problem.status is None else replace(refusal, status=problem.status)
    if problem.status is not None:
        return _by_status(table, problem.status)
    return table[problem.kind] if problem.kind in table else failures[problem.kind]


def failure_refusal(table: Refusals, failure: Failure) -> Refusal:
    """The error in a failed task."""
    return _by_code(table, failure.code) if failure.code else table[failure.kind]


def _by_status(table: Refusals, status: int) -> Refusal:
    """The first documented error of a status; for an undocumented status, the general error of its class."""
    for refusal in table.values():
        if refusal.status == status:
            return refusal
    return replace(table[Kind.INTERNAL if status >= 500 else Kind.INVALID_PARAMETER], status=status)


def _by_code(table: Refusals, code: str) -> Refusal:
    """The documented error of a code; for an undocumented code, the error of a failed generation with that code."""
    for refusal in table.values():
        if refusal.code == code:
            return refusal
    return replace(table[Kind.FAILED], code=code)
