"""The first bytes of the request that a connection receives: they tell its provider if it cannot be parsed."""

import re
from collections.abc import Sequence
from itertools import pairwise

from aiohttp import StreamReader
from aiohttp.http import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.text import safe_text

KEPT = 2_048
"""How many bytes of a request are kept."""

_REQUEST_LINE = re.compile(rb"([A-Za-z]{1,200}) ([^ \r\n]{1,1000})(?: HTTP/([0-9.]{1,9}))?")
_HOST = re.compile(rb"\r?\nhost: *([^\r\n]{1,260})", re.IGNORECASE)
_NEXT_REQUEST = re.compile(rb"(?<![A-Za-z])(?=[A-Z]{1,20} [^ \r\n]+ HTTP/)")


@fast_dataclass
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


def safe_message(message: RawRequestMessage) -> RawRequestMessage:
    """A parsed request with texts that can be stored and shown, whatever bytes its header had."""
    if message.path.isascii() and all(map(str.isascii, (*message.headers.keys(), *message.headers.values()))):
        return message  # what was not ASCII is in the body
    headers = CIMultiDict((safe_text(name), safe_text(value)) for name, value in message.headers.items())
    return message._replace(path=safe_text(message.path), headers=CIMultiDictProxy(headers))


class RequestHead:
    """Keeps the first bytes of a connection's current request."""

    def __init__(self) -> None:
        self._start = b""
        self._parsed = False
        self.ascii = True
        """Whether all bytes were ASCII that have arrived since the request began, until its header was parsed."""

    def receive(self, data: bytes, between_requests: bool) -> None:
        """Take bytes before they are parsed; `between_requests` says that the last request's body is complete."""
        if self._parsed or not self._start:
            if self._parsed and not between_requests:
                return
            self._start, self._parsed, self.ascii = data[:KEPT], False, data.isascii()
            return
        if len(self._start) < KEPT:
            self._start += data[: KEPT - len(self._start)]
        self.ascii = self.ascii and data.isascii()

    def parsed(self, message: RawRequestMessage, data: bytes, body: StreamReader) -> None:
        """Note that the header in `data` was parsed, and `body` is what has arrived of the request's body."""
        self._parsed = True
        if message.chunked or not body.is_eof():
            return
        end = data.find(b"\r\n\r\n") + 4
        if 4 <= end < len(data) - body.total_bytes:  # the next request has begun in the same packet
            following = data[end + body.total_bytes :]
            self._start, self._parsed, self.ascii = following[:KEPT], False, following.isascii()

    def has_begun(self) -> bool:
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
