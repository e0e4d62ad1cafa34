"""Finds the route of a method and a path: in a dictionary for fixed paths, by patterns for the others.

`app.py` finds the provider first; `middleware.answer` calls the handler that is found here.
"""

import re
from collections.abc import Mapping

from aiohttp.web import StreamResponse

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.problems import Kind, Problem
from mockserver.http import middleware
from mockserver.http.context import Handler, RequestContext, Route

_Methods = dict[str, "ResolvedRoute"]


def path_pattern(path: str) -> re.Pattern[str]:
    """The pattern that matches a route's paths; the variable parts are named groups."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


@fast_dataclass
class ResolvedRoute:
    """A route (None for 404 and 405) and the handler that answers the request."""

    route: Route | None
    handler: Handler


async def _unknown_path(context: RequestContext) -> StreamResponse:
    raise Problem(Kind.UNKNOWN_PATH)


UNKNOWN_PATH = ResolvedRoute(None, _unknown_path)


def without_extra_slashes(path: str) -> str:
    """A path without doubled slashes and without one at its end."""
    return re.sub("/{2,}", "/", path).rstrip("/")


async def _extra_slashes(context: RequestContext) -> StreamResponse:
    known = without_extra_slashes(context.request.path)
    raise Problem(Kind.UNKNOWN_PATH, f"did you mean {known}, without doubled slashes and without one at the end?")


EXTRA_SLASHES = ResolvedRoute(None, _extra_slashes)
"""The 404 of a path that would be known without its extra slashes."""


def _wrong_method(methods: _Methods) -> ResolvedRoute:
    """The 405 of a known path; it lists the methods of the path."""
    allow = ", ".join(sorted(methods))

    async def refuse(context: RequestContext) -> StreamResponse:
        response = middleware.refusal_response(context, Problem(Kind.WRONG_METHOD, f"use {allow}"))
        response.set_header("Allow", allow)
        return response

    return ResolvedRoute(None, refuse)


class Router:
    """The routes of one provider. HEAD is answered by the route of GET."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._fixed: dict[str, _Methods] = {}
        self._patterns: list[tuple[re.Pattern[str], _Methods]] = []
        table: dict[str, _Methods] = {}
        for route in routes:
            resolved = ResolvedRoute(route, route.handler)
            methods = table.setdefault(route.path, {})
            methods[route.method] = resolved
            if route.method == "GET":
                methods.setdefault("HEAD", resolved)
        for path, methods in table.items():
            if "{" in path:
                self._patterns.append((path_pattern(path), methods))
            else:
                self._fixed[path] = methods

    def find(self, method: str, path: str) -> tuple[ResolvedRoute, Mapping[str, str]]:
        """The route of a request and the variable parts of its path; the 404 or the 405 if there is none."""
        methods, params = self._methods(path)
        if methods is None:
            cleaned = without_extra_slashes(path)
            return EXTRA_SLASHES if cleaned != path and self._methods(cleaned)[0] else UNKNOWN_PATH, {}
        return methods.get(method) or _wrong_method(methods), params

    def _methods(self, path: str) -> tuple[_Methods | None, Mapping[str, str]]:
        methods = self._fixed.get(path)
        if methods is not None:
            return methods, {}
        for pattern, candidates in self._patterns:
            if match := pattern.fullmatch(path):
                return candidates, match.groupdict()
        return None, {}
