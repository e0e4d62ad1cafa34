"""The first bytes of the request that a connection receives: they tell its provider if it cannot be parsed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from aiohttp.http import RawRequestMessage

KEPT = 2_048
"""How many bytes of a request are kept."""

_REQUEST_LINE = re.compile(rb"([A-Za-z]{1,200}) ([^ \r\n]{1,1000})(?: HTTP/([0-9.]{1,9}))?")
_HOST = re.compile(rb"\r?\nhost: *([^\r\n]{1,260})", re.IGNORECASE)
_NEXT_REQUEST = re.compile(rb"(?<![A-Za-z])(?=[A-Z]{1,20} [^ \r\n]+ HTTP/)")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """The readable parts of a malformed request; "" for an unreadable part. `version` is as in HTTP/1.1."""

    method: str = ""
    path: str = ""
    host: str = ""
    version: str = ""


def split_requests(data: bytes) -> Sequence[bytes]:
    """Cut bytes before every request line but the first.

    aiohttp's parser drops the valid requests in one packet with a malformed one. Text in a body that looks like a
    request line is cut too, which changes nothing.
    """
    if data.count(b" HTTP/") < 2:
        return (data,)
    starts = [0, *(found.start() for found in _NEXT_REQUEST.finditer(data) if found.start()), len(data)]
    return [data[start:end] for start, end in pairwise(starts)]


class RequestHead:
    """Keeps the first bytes of a connection's current request."""

    def __init__(self) -> None:
        self._start = b""
        self._parsed = False

    def receive(self, data: bytes, between_requests: bool) -> None:
        """Take bytes before they are parsed; `between_requests` says that the last request's body is complete."""
        if self._parsed and between_requests:
            self._start, self._parsed = b"", False
        if not self._parsed and len(self._start) < KEPT:
            self._start += data[: KEPT - len(self._start)]

    def parsed(self, message: RawRequestMessage, data: bytes, complete: bool) -> None:
        """Note that the header in `data` was parsed; `complete` says that the whole body has arrived too."""
        self._parsed = True
        end = data.find(b"\r\n\r\n") + 4
        if not complete or end == len(data) or end < 4:
            return
        length = message.headers.get("Content-Length", "0")
        following = data[end + int(length) :] if length.isdigit() else b""
        if following:  # the next request has begun in the same packet
            self._start, self._parsed = following[:KEPT], False

    @property
    def begun(self) -> bool:
        """Whether a request's header has begun and is not complete."""
        return bool(self._start) and not self._parsed

    def line(self) -> RequestLine:
        """The readable parts of the request."""
        line, host = _REQUEST_LINE.match(self._start.lstrip(b"\r\n")), _HOST.search(self._start)
        if line is None:
            return RequestLine(host=host[1].decode("latin-1") if host else "")
        return RequestLine(
            line[1].decode("ascii"),
            line[2].decode("latin-1").partition("?")[0],
            host[1].decode("latin-1") if host else "",
            (line[3] or b"").decode("ascii"),
        )
