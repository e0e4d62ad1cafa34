"""The first bytes of the request that a connection is receiving, kept to say what it was if it can't be parsed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp.http import RawRequestMessage

KEPT = 2_048
"""Bytes of a request that are kept."""

_REQUEST_LINE = re.compile(rb"([A-Za-z]{1,200}) ([^ \r\n]{1,1000})(?: HTTP/([0-9.]{1,9}))?")
_HOST = re.compile(rb"\r?\nhost: *([^\r\n]{1,260})", re.IGNORECASE)
_NEXT_REQUEST = re.compile(rb"(?<![A-Za-z])(?=[A-Z]{1,20} [^ \r\n]+ HTTP/)")


@dataclass(frozen=True, slots=True)
class RequestLine:
    """What could be read of a malformed request, "" for the rest. `version` is as in HTTP/1.1."""

    method: str = ""
    path: str = ""
    host: str = ""
    version: str = ""


def split_requests(data: bytes) -> Iterator[bytes]:
    """Bytes cut ahead of whatever looks like a request line, the first one excepted.

    aiohttp's parser drops the valid requests that come in one packet with a malformed one. A cut within a body changes
    nothing.
    """
    if data.count(b" HTTP/") < 2:
        yield data
        return
    start = 0
    for found in _NEXT_REQUEST.finditer(data):
        if found.start() > start:
            yield data[start : found.start()]
            start = found.start()
    yield data[start:]


class RequestHead:
    """Follows what a connection receives, from one request to the next."""

    def __init__(self) -> None:
        self._start = b""
        self._parsed = False

    def receive(self, data: bytes, between_requests: bool) -> None:
        """Note bytes that are about to be parsed; `between_requests` if the body of the last request is complete."""
        if self._parsed and between_requests:
            self._start, self._parsed = b"", False
        if not self._parsed and len(self._start) < KEPT:
            self._start += data[: KEPT - len(self._start)]

    def parsed(self, message: RawRequestMessage, data: bytes, complete: bool) -> None:
        """Note a request whose header has been parsed, in `data`; `complete` if its whole body has come too."""
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
        """What can be read of the request."""
        line, host = _REQUEST_LINE.match(self._start.lstrip(b"\r\n")), _HOST.search(self._start)
        if line is None:
            return RequestLine(host=host[1].decode("latin-1") if host else "")
        return RequestLine(
            line[1].decode("ascii"),
            line[2].decode("latin-1").partition("?")[0],
            host[1].decode("latin-1") if host else "",
            (line[3] or b"").decode("ascii"),
        )
