"""From a method and a path to a provider's route: a dictionary for the fixed paths, patterns for the others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp.web import StreamResponse

from mockserver import middleware
from mockserver.call import Call
from mockserver.engine.problems import Kind, Problem
from mockserver.providers.base import Route, path_pattern

AROUND_ALL: tuple[middleware.Stage, ...] = (
    middleware.journal,
    middleware.settle,
    middleware.faults_after,
    middleware.envelope,
)
AROUND_ROUTES: tuple[middleware.Stage, ...] = (*AROUND_ALL, middleware.authenticate, middleware.faults_before)

_Methods = dict[str, "Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a request goes: its route (None for a refusal), the stages around it included in `serve`."""

    route: Route | None
    serve: middleware.Next


async def _unknown_path(call: Call) -> StreamResponse:
    raise Problem(Kind.UNKNOWN_PATH)


UNKNOWN_PATH = Found(None, middleware.chain(_unknown_path, AROUND_ALL))


def _wrong_method(methods: _Methods) -> Found:
    """The refusal of a method that a known path does not take, naming those that it takes."""
    allow = ", ".join(sorted(methods))

    async def refuse(call: Call) -> StreamResponse:
        response = middleware.refusal(call, Problem(Kind.WRONG_METHOD, f"use {allow}"))
        response.headers["Allow"] = allow
        return response

    return Found(None, middleware.chain(refuse, AROUND_ALL))


class Router:
    """The routes of one provider. HEAD goes where GET goes."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._fixed: dict[str, _Methods] = {}
        self._patterns: list[tuple[re.Pattern[str], _Methods]] = []
        table: dict[str, _Methods] = {}
        for route in routes:
            found = Found(route, middleware.chain(route.handler, AROUND_ROUTES))
            methods = table.setdefault(route.path, {})
            methods[route.method] = found
            if route.method == "GET":
                methods.setdefault("HEAD", found)
        for path, methods in table.items():
            if "{" in path:
                self._patterns.append((path_pattern(path), methods))
            else:
                self._fixed[path] = methods

    def find(self, method: str, path: str) -> tuple[Found, Mapping[str, str]]:
        """The route of a request and the variable parts of its path; a refusal if there is none."""
        methods, params = self._methods(path)
        if methods is None:
            return UNKNOWN_PATH, params
        return methods.get(method) or _wrong_method(methods), params

    def _methods(self, path: str) -> tuple[_Methods | None, Mapping[str, str]]:
        methods = self._fixed.get(path)
        if methods is not None:
            return methods, {}
        for pattern, candidates in self._patterns:
            if match := pattern.fullmatch(path):
                return candidates, match.groupdict()
        return None, {}
