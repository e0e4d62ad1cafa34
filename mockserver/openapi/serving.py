"""Descriptions over HTTP and for the command line; without `openapi_pydantic`, the error that names the extra."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from aiohttp.web import Response

from mockserver.engine.text import write_json
from mockserver.providers.base import Provider

CONTROL = "control"
"""The name of the control surface's description."""

MISSING = "OpenAPI descriptions need openapi-pydantic: pip install 'image-api-mockserver[openapi]'"


class NotInstalled(ValueError):
    """`openapi_pydantic` is not installed."""

    def __init__(self) -> None:
        super().__init__(MISSING)


def of_provider(provider: Provider, root: str) -> dict[str, Any]:
    """A provider's description, at a server's root URL. Raises NotInstalled."""
    return {**_described(provider), "servers": [{"url": f"{root}/{provider.name}"}]}


@lru_cache(maxsize=64)
def _described(provider: Provider) -> dict[str, Any]:
    with openapi_needed():
        from mockserver.openapi.provider import describe
    return describe(provider)


@contextmanager
def openapi_needed() -> Iterator[None]:
    """Around imports that need `openapi_pydantic`: raises NotInstalled where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "openapi_pydantic":
            raise
        raise NotInstalled from None


async def answer(described: Callable[[], dict[str, Any]]) -> Response:
    """A description as an answer, made in a thread, as the first one takes a while; 501 without `openapi_pydantic`."""
    try:
        status, body = 200, await asyncio.to_thread(described)
    except NotInstalled as error:
        status, body = 501, {"error": {"code": "not_installed", "message": f"{error}."}}
    return Response(body=write_json(body), status=status, headers={"Content-Type": "application/json"})
