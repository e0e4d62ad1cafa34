"""Finds the route of a method and a path: a dictionary for fixed paths, patterns for the others.

`app.py` finds the provider before it, and `middleware.answer` calls the handler that is found here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp.web import StreamResponse

from mockserver.engine.problems import Kind, Problem
from mockserver.http import middleware
from mockserver.http.context import Handler, RequestContext, Route

_Methods = dict[str, "ResolvedRoute"]


def path_pattern(path: str) -> re.Pattern[str]:
    """The pattern of the paths that a route's `path` stands for; its variable parts are named groups."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


@dataclass(frozen=True, slots=True)
class ResolvedRoute:
    """Where a request goes: its route (None for 404 and 405), and the handler that answers it."""

    route: Route | None
    handler: Handler


async def _unknown_path(context: RequestContext) -> StreamResponse:
    raise Problem(Kind.UNKNOWN_PATH)


UNKNOWN_PATH = ResolvedRoute(None, _unknown_path)


def without_spare_slashes(path: str) -> str:
    """The path that was meant by one with doubled slashes or one at its end."""
    return re.sub("/{2,}", "/", path).rstrip("/")


async def _spare_slashes(context: RequestContext) -> StreamResponse:
    meant = without_spare_slashes(context.request.path)
    raise Problem(Kind.UNKNOWN_PATH, f"{meant} is meant: no slash is doubled, and none is at the end")


SPARE_SLASHES = ResolvedRoute(None, _spare_slashes)
"""The 404 of a path that is a known one but for its slashes."""


def _wrong_method(methods: _Methods) -> ResolvedRoute:
    """The 405 of a known path; it lists the methods that the path takes."""
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
            meant = without_spare_slashes(path)
            return SPARE_SLASHES if meant != path and self._methods(meant)[0] else UNKNOWN_PATH, {}
        return methods.get(method) or _wrong_method(methods), params

    def _methods(self, path: str) -> tuple[_Methods | None, Mapping[str, str]]:
        methods = self._fixed.get(path)
        if methods is not None:
            return methods, {}
        for pattern, candidates in self._patterns:
            if match := pattern.fullmatch(path):
                return candidates, match.groupdict()
        return None, {}
