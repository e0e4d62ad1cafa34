"""What is raised where the rest of a request is not waited for."""

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError


class HeaderTimeout(HttpProcessingError):
    """The header of a request did not come in time."""

    def __init__(self) -> None:
        super().__init__(code=408, message="the header of the request did not come in time")


class BodyTimeout(RequestPayloadError):
    """No byte of a request's body came for the time that `--body-timeout` allows; the text says so."""


class ServerStopping(RequestPayloadError):
    """The server stops before the whole body has come."""

    def __init__(self) -> None:
        super().__init__("the server is stopping")
