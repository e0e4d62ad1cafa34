"""A JSON answer whose head is written as one string, in place of aiohttp's header dictionary and prepare hooks.

`head` is the status line and headers of a plain answer: to an HTTP/1.1 request other than HEAD, with a body, and with
headers that no code has read as aiohttp's dictionary. For any other answer it is None, and aiohttp writes the answer.

This uses attributes of aiohttp that are not public; tests/http_server/test_json_answer.py tests them.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any

from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.web import BaseRequest, Response
from multidict import CIMultiDict

JSON = "application/json"
WITHOUT_BODY = (204, 205, 304)


class JsonAnswer(Response):
    """A JSON answer. `data` is the encoded JSON, `extra` are headers in addition to Content-Type."""

    def __init__(self, data: bytes, status: int = 200, extra: Mapping[str, str] | None = None) -> None:
        self._state: dict[Any, Any] = {}
        self._status = status
        self._reason = _reason(status)
        self._body = self.data = data
        self._extra = dict(extra) if extra else {}
        self._built: CIMultiDict[str] | None = None

    @property
    def _headers(self) -> CIMultiDict[str]:  # type: ignore[override]  # aiohttp keeps an attribute
        """The headers as aiohttp's dictionary, built at the first access."""
        if self._built is None:
            self._built = CIMultiDict({"Content-Type": JSON, **self._extra})
        return self._built

    def set_header(self, name: str, value: str) -> None:
        """Set a header without building aiohttp's dictionary of them."""
        if self._built is None:
            self._extra[name] = value
        else:
            self._built[name] = value

    def head(self, request: BaseRequest) -> bytes | None:
        """The status line and the headers, with the empty line; None if aiohttp has to write this answer."""
        status = self._status
        if self._built is not None or request._version != (1, 1) or request.method == "HEAD":
            return None
        if status < 200 or status in WITHOUT_BODY or self._compression or self._chunked or self._cookies:
            return None
        text = _start(status)
        for name, value in self._extra.items():
            if not (value.isascii() and value.isprintable()):
                return None
            text += f"{name}: {value}\r\n"
        if self._keep_alive is None:
            self._keep_alive = not request._message.should_close
        end = _end(rfc822_formatted_time(), self._keep_alive)
        return f"{text}Content-Length: {len(self.data)}\r\n{end}".encode("ascii")

    def mark_sent(self, size: int) -> None:
        """Note that the answer has been written: `size` bytes, head included."""
        self._eof_sent = True
        self._body_length = size


@cache
def _reason(status: int) -> str:
    """The reason phrase of a status, "" for an unknown one."""
    return HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""


@lru_cache(maxsize=4)
def _end(date: str, keep_alive: bool) -> str:
    """What follows the length: the same for all answers of a second."""
    close = "" if keep_alive else "Connection: close\r\n"
    return f"Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n{close}\r\n"


@cache
def _start(status: int) -> str:
    return f"HTTP/1.1 {status} {_reason(status)}\r\nContent-Type: {JSON}\r\n"
