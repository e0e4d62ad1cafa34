"""The errors of a provider's routes, each with an example in the provider's envelope."""

from collections.abc import Iterator
from typing import Any

from mockserver.engine.problems import Kind, Problem
from mockserver.http.context import Route
from mockserver.http.refusals import Refusal, Refusals, find_refusal
from mockserver.openapi.schemas import Schema, schema_of_samples
from mockserver.providers.base import Provider

_OF_ALL = (Kind.INTERNAL, Kind.UNAVAILABLE)
_OF_BODIES = (Kind.MALFORMED_BODY, Kind.INVALID_PARAMETER, Kind.TOO_LARGE, Kind.REQUEST_TIMEOUT)
_OF_BILLABLE = (
    *(Kind.UNKNOWN_MODEL, Kind.MODEL_DENIED, Kind.UNSUPPORTED_BY_MODEL, Kind.CONFLICT, Kind.OUT_OF_BALANCE),
    *(Kind.RATE_LIMITED, Kind.MODERATED, Kind.FAILED, Kind.CANCELLED, Kind.TIMED_OUT),
)
_OF_TASKS = (Kind.INVALID_TASK_ID, Kind.TASK_NOT_FOUND, Kind.NOT_YOURS)
_OF_PICTURES = (Kind.IMAGE_NOT_FOUND, Kind.LINK_EXPIRED)
_TRACE_ID = "0b1e7a52-94c3-4d1f-8a6b-2f7c51d0e9aa"

Named = tuple[str, Refusal, dict[str, Any]]
"""A kind's name, its error, and an example of the body."""


def errors_of(provider: Provider, route: Route) -> Iterator[Named]:
    """The documented errors that a route may answer."""
    table = {**provider.refusals, **(route.refusals or {})}
    for name in _kinds(route, table):
        if name in table:
            yield name, table[name], provider.envelope(table[name], Problem(_kind(name)), _TRACE_ID)
    if route.picture:
        problem = Problem(Kind.INVALID_PARAMETER, "Range is behind the end of the image", status=416)
        refusal = find_refusal(table, provider.failures, problem)
        yield "unsatisfiable_range", refusal, provider.envelope(refusal, problem, _TRACE_ID)


def _kinds(route: Route, table: Refusals) -> Iterator[str]:
    """The kinds of problem that a route may have, in the order in which they are checked."""
    if route.keyed:
        yield Kind.UNAUTHENTICATED
    if route.method == "POST":
        yield from _OF_BODIES
    if route.billable:
        yield from _OF_BILLABLE
        yield from (name for name in table if name not in list(Kind))
    if "{" in route.path:
        yield Kind.UNKNOWN_PATH
        yield from _OF_TASKS if route.keyed else _OF_PICTURES
    yield from (name for name in route.refusals or () if not route.billable)
    yield from _OF_ALL


def _kind(name: str) -> Kind:
    return Kind(name) if name in list(Kind) else Kind.INVALID_PARAMETER


def envelope_schema(provider: Provider) -> Schema:
    """The schema of a provider's error body, from every error that it has, with and without a field at fault."""
    tables = (provider.refusals, provider.failures, *(route.refusals or {} for route in provider.routes))
    problems = (Problem(Kind.INVALID_PARAMETER, "why"), Problem(Kind.INVALID_PARAMETER, "why", field="size"))
    return schema_of_samples(
        provider.envelope(refusal, problem, _TRACE_ID)
        for table in tables
        for refusal in table.values()
        for problem in problems
    )
