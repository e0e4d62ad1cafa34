"""Where a callback really goes, and the one place that posts it.

A target is routed if a route matches; else it is contacted directly if it is loopback (or egress is allowed); else it
is captured: kept, readable, and never sent. The address that a connection would use is checked when its socket is made,
which is after every look-up and for every notation.
"""

import asyncio
import errno
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from mockserver.engine import addresses
from mockserver.engine.callbacks import RESPONSE_KEPT, Outcome
from mockserver.engine.clock import monotonic

IN_FLIGHT = 64
"""Callbacks under way at once."""

AddressRule = Callable[[addresses.Address], bool]
Route = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Routing:
    """The routing table: URL prefixes and what replaces them, and whether any other host may be contacted."""

    routes: tuple[Route, ...] = ()
    egress: bool = False

    def resolve(self, target: str) -> str | None:
        """The URL to post to for a target; None if it is to be captured."""
        for source, destination in self.routes:
            if _under(target, source):
                return destination.rstrip("/") + target[len(source.rstrip("/")) :]
        return target if self.egress or addresses.is_loopback_target(target) else None

    def is_routed(self, target: str) -> bool:
        return any(_under(target, source) for source, _ in self.routes)


def _under(url: str, prefix: str) -> bool:
    """Whether `url` is `prefix` or goes on from it at a boundary; scheme and host compare without case."""
    prefix = prefix.rstrip("/")
    origin = len(urlsplit(prefix).scheme) + 3 + len(urlsplit(prefix).netloc)
    same_origin = url[:origin].lower() == prefix[:origin].lower()
    rest = url[len(prefix) :]
    return same_origin and url[origin : len(prefix)] == prefix[origin:] and (not rest or rest[0] in "/?#")


def parse_route(text: str) -> Route:
    """Read `FROM=TO`, both absolute http(s) URLs without a query. Raises ValueError."""
    source, separator, destination = text.partition("=")
    for url in (source, destination):
        parts = urlsplit(url)
        if not separator or parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
            raise ValueError(f"{text!r:.200} is no route: write https://app.example.com=http://127.0.0.1:9000")
    return source, destination


class Refused(OSError):
    """A connection that this server does not make."""


class Sender:
    """Posts callbacks over one client session, opened at the first use."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._sessions: dict[AddressRule, Any] = {}
        self._gate = asyncio.Semaphore(IN_FLIGHT)

    async def post(self, url: str, body: bytes, rule: AddressRule, verify: bool) -> Outcome:
        """POST `body` as JSON. Only addresses that `rule` accepts are connected to; redirects are not followed.

        Never raises for what a receiver or the network does: that is an Outcome with its error in words.
        """
        async with self._gate:
            started = monotonic()
            try:
                status, start = await asyncio.wait_for(self._exchange(url, body, rule, verify), self._timeout)
            except TimeoutError:
                return Outcome(None, self._timeout, f"no answer within {self._timeout:g} s")
            except (OSError, ValueError, RuntimeError) as error:  # aiohttp's resolver has a RuntimeError for no address
                return Outcome(None, monotonic() - started, _reason(error))
            return Outcome(status, monotonic() - started, None, start)

    async def _exchange(self, url: str, body: bytes, rule: AddressRule, verify: bool) -> tuple[int, str]:
        from aiohttp import ClientError

        trust = await asyncio.to_thread(_trust) if verify and url[:6].lower() == "https:" else verify
        try:
            async with self._session(rule).post(
                url,
                data=body,
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
                ssl=trust,
            ) as answer:
                start = await answer.content.read(RESPONSE_KEPT)
                if not 200 <= answer.status < 300:
                    answer.close()  # a failing receiver's connection is not trusted with the next attempt
                return answer.status, start.decode("utf-8", "replace")
        except ClientError as error:
            raise OSError(_reason(error)) from error

    def _session(self, rule: AddressRule) -> Any:
        if rule not in self._sessions:
            from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

            connector = TCPConnector(limit=IN_FLIGHT, socket_factory=lambda info: _guarded_socket(info, rule))
            self._sessions[rule] = ClientSession(
                connector=connector,
                timeout=ClientTimeout(total=None),
                cookie_jar=DummyCookieJar(),
                headers={"User-Agent": "image-api-mockserver"},
            )
        return self._sessions[rule]

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()


@cache
def _trust() -> ssl.SSLContext:
    """Whom a callback trusts that leaves over TLS. Read at the first one, from the disk: hence in a thread."""
    return ssl.create_default_context()


def _guarded_socket(info: Any, rule: AddressRule) -> socket.socket:
    """A socket for an address, unless the rule is against it: names and odd notations are resolved by now."""
    family, kind, protocol, _, address = info
    if not rule(addresses.unmapped(ipaddress.ip_address(str(address[0]).partition("%")[0]))):
        raise Refused(errno.EACCES, f"{address[0]} is not an address this server connects to")
    return socket.socket(family, kind, protocol)


def _reason(error: BaseException) -> str:
    cause = error
    while cause.__cause__ is not None and not isinstance(cause, Refused):
        cause = cause.__cause__
    return (getattr(cause, "strerror", None) or str(cause) or type(cause).__name__)[:RESPONSE_KEPT]
