"""An HTTP/1.1 client for callbacks: posts to a URL as it is spelt, and reads the status and the body's start.

A general client changes the spelling of a URL, decodes the answer's body, and reports codes of its own. Of a callback's
answer the status alone decides, so that nothing after the status line can make an attempt fail.
"""

import asyncio
import re
import socket
from base64 import b64encode
from functools import lru_cache
from typing import cast
from urllib.parse import unquote, urlsplit

from mockserver.engine import addresses
from mockserver.engine.fast_dataclass import fast_dataclass

BODY_KEPT = 500
"""Bytes of a receiver's answer that are kept."""

BODY_WAIT = 1.0
"""Real seconds that the rest of an answer may take once its status is known."""

_CLOSED = "the receiver closed the connection before it answered"
_LINE_LIMIT = 8 * 1024
_HEAD_LIMIT = 1024 * 1024
_STATUS_LINE = re.compile(rb"HTTP/[0-9](?:\.[0-9])? ([0-9]{3})(?:[ \t].*)?\r?", re.DOTALL)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r?\n")
_CHUNKED = re.compile(rb"\ntransfer-encoding:[^\r\n]*chunked[ \t]*\r?\n")
_CLOSE = re.compile(rb"\nconnection:[^\r\n]*close")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,12})[^\n]*\n")
_ENDS_AT_ONCE = (204, 304)


@fast_dataclass
class Destination:
    """Where a URL leads, and the head of a request for it but for the body's length."""

    secure: bool
    host: str
    port: int
    head: bytes


@lru_cache(1024)
def destination_of(url: str) -> Destination:
    """Read a URL as `addresses.as_sent` gives it. Raises BadTarget saying what is wrong."""
    scheme, host = addresses.host_of(url)
    parts, name = urlsplit(url), addresses.named_host(host)
    secure = scheme == "https"
    default = 443 if secure else 80
    port = parts.port or default
    shown = f"[{name.partition('%')[0]}]" if ":" in name else name
    target = (parts.path or "/") + (f"?{parts.query}" if "?" in url else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {shown}" + (f":{port}" if port != default else ""),
        "User-Agent: image-api-mockserver",
        "Accept: */*",
        "Content-Type: application/json",
    ]
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Authorization: Basic {b64encode(login.encode()).decode()}")
    return Destination(secure, name, port, "".join(f"{line}\r\n" for line in lines).encode())


class NotHttp(OSError):
    """An answer without a status line."""


class Connection(asyncio.Protocol):
    """One connection to a receiver; it carries one request at a time, and another after it if `reusable`."""

    def __init__(self, sock: socket.socket) -> None:
        self.reusable = False
        self.idle_since = 0.0
        self._socket = sock
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._kept = b""
        self._status: asyncio.Future[int] | None = None
        self._end: asyncio.Future[None] | None = None

    async def send(self, head: bytes, body: bytes, callback_id: str = "") -> int:
        """Send a request and wait for the answer's status. Raises OSError if the connection ends without one."""
        loop = asyncio.get_running_loop()
        self._status, self._end = loop.create_future(), loop.create_future()
        self._buffer.clear()
        self._kept, self.reusable = b"", False
        if self._transport is None or self._transport.is_closing():
            raise OSError(_CLOSED)
        named = f"Mock-Callback: {callback_id}\r\n".encode() if callback_id else b""
        self._transport.write(b"%s%sContent-Length: %d\r\n\r\n%s" % (head, named, len(body), body))
        return await self._status

    async def body_start(self) -> bytes:
        """The first bytes of the body, undecoded; after `BODY_WAIT` seconds what has come of it."""
        assert self._end is not None
        if not self._end.done():
            await asyncio.wait({self._end}, timeout=BODY_WAIT)
        return self._kept

    def is_open(self) -> bool:
        """Whether the receiver has neither closed the idle connection nor sent anything on it."""
        if not self.reusable or self._transport is None or self._transport.is_closing():
            return False
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except (OSError, ValueError):
            return False
        return False

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if self._status is None or self._status.cancelled() or self._end is None or self._end.done():
            self.reusable = False  # bytes without a request
            return
        self._buffer += data
        self._read_answer(closed=False)

    def connection_lost(self, error: Exception | None) -> None:
        if self._status is not None and self._status.cancelled():
            return  # a time-out or a reset has broken the attempt off
        if self._end is not None and not self._end.done():
            self._read_answer(closed=True)
        if self._status is not None and not self._status.done():
            self._status.set_exception(OSError(_CLOSED))
        self._finish(reusable=False)

    def _read_answer(self, closed: bool) -> None:
        """Read as much of the answer as has come; `closed`: no more will come."""
        assert self._status is not None
        buffer = self._buffer
        while not self._status.done():
            end = buffer.find(b"\n", 0, _LINE_LIMIT)
            if end < 0 and not closed and len(buffer) < _LINE_LIMIT:
                return
            line = bytes(buffer[: end if end >= 0 else _LINE_LIMIT])
            found = _STATUS_LINE.fullmatch(line)
            if found is None:
                if line:
                    shown = line[:100].decode("utf-8", "replace")
                    self._status.set_exception(NotHttp(f"the answer is not HTTP: {shown}"))
                return
            status = int(found[1])
            if 100 <= status < 200 and status != 101:
                if (head := _HEAD_END.search(buffer)) is None:
                    return
                del buffer[: head.end()]
            else:
                self._status.set_result(status)
        if self._status.exception() is None:
            self._read_body(self._status.result())

    def _read_body(self, status: int) -> None:
        """Read headers for the length of the body alone, and its first bytes."""
        head_end = _HEAD_END.search(self._buffer)
        if head_end is None:
            if len(self._buffer) > _HEAD_LIMIT:
                self._finish(reusable=False)
            return
        head = bytes(self._buffer[: head_end.end()]).lower()
        body = bytes(self._buffer[head_end.end() :])
        length = _LENGTH.search(head)
        if status in _ENDS_AT_ONCE:
            self._kept, whole = b"", not body
        elif _CHUNKED.search(head):
            self._kept, whole = _unchunked(body)
        elif length is not None:
            self._kept = body[: min(BODY_KEPT, int(length[1]))]
            whole = len(body) == int(length[1])
        else:
            self._kept, whole = body[:BODY_KEPT], False
        if whole or status in _ENDS_AT_ONCE or len(self._kept) == BODY_KEPT:
            self._finish(reusable=whole and head.startswith(b"http/1.1") and not _CLOSE.search(head))

    def _finish(self, reusable: bool) -> None:
        self.reusable = reusable
        if self._end is not None and not self._end.done():
            self._end.set_result(None)


def _unchunked(data: bytes) -> tuple[bytes, bool]:
    """The first bytes of a chunked body, and whether the body ends where the data does."""
    body, at = b"", 0
    while len(body) < BODY_KEPT and (size := _CHUNK_SIZE.match(data, at)) is not None:
        length = int(size[1], 16)
        if length == 0:
            return body, data[size.end() :] in (b"\r\n", b"\n")
        body += data[size.end() : size.end() + length]
        at = size.end() + length
        at += 2 if data[at : at + 1] == b"\r" else 1
    return body[:BODY_KEPT], False
