"""Exceptions for a request whose rest is not waited for."""

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError


class HeaderTimeout(HttpProcessingError):
    """The header of a request did not arrive in time."""

    def __init__(self) -> None:
        super().__init__(code=408, message="the header of the request did not arrive in time")


class BodyTimeout(RequestPayloadError):
    """No byte of a request's body arrived for as long as `--body-timeout` allows; the text says so."""


class ServerStopping(RequestPayloadError):
    """The server stops before the whole body has arrived."""

    def __init__(self) -> None:
        super().__init__("the server is stopping")
