"""Where a callback goes, and the one place that posts it.

`Routing.resolve` decides, once, when a callback is planned: it is routed if a route matches; else it is contacted
directly if its target is loopback (or egress is allowed); else it is captured: kept, readable, and never sent.
`Sender` connects: what a socket is made for is an address, checked after every look-up. Its HTTP client is imported
with the first callback that is posted, to keep the start short.
"""

import asyncio
import errno
import ipaddress
import socket
import ssl
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mockserver.engine import addresses
from mockserver.engine.callbacks import Outcome
from mockserver.engine.clock import monotonic, pause
from mockserver.engine.fast_dataclass import fast_dataclass

if TYPE_CHECKING:
    from mockserver.engine.http_post import Connection, Destination

IN_FLIGHT = 64
"""Callbacks under way at once."""

IDLE_KEPT = 15.0
"""Real seconds for which a connection is kept for the next callback."""

CONNECT_WAIT = 2.0
"""Real seconds for which one of several addresses of a host is tried before the next."""

ERROR_KEPT = 200
"""Characters of an attempt's error."""

AddressRule = Callable[[addresses.Address], bool]
Route = tuple[str, str]
_Place = tuple[object, ...]
_PoolKey = tuple[bool, str, int, AddressRule, bool]


@fast_dataclass
class Routing:
    """The routing table: URL prefixes and what replaces them; a port that gets what no route matches (`to_port`); and
    whether any other host may be contacted (`egress`)."""

    routes: tuple[Route, ...] = ()
    egress: bool = False
    to_port: int | None = None

    def resolve(self, target: str) -> str | None:
        """The URL to post to for a target, as it is sent; None if it is to be captured."""
        for source, destination in self.routes:
            if _under(target, source):
                return addresses.as_sent(destination.rstrip("/") + target[len(source.rstrip("/")) :])
        if self.to_port is not None:
            return addresses.as_sent(f"http://127.0.0.1:{self.to_port}{addresses.split_origin(target)[1]}")
        return addresses.as_sent(target) if self.egress or addresses.is_loopback_target(target) else None

    def is_routed(self, target: str) -> bool:
        return self.to_port is not None or any(_under(target, source) for source, _ in self.routes)


def _under(url: str, prefix: str) -> bool:
    """Whether `url` is `prefix`, or `prefix` followed by a path, a query or a fragment; the case of scheme and host is
    ignored."""
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
    """Posts callbacks, and keeps connections for the next ones. Belongs to one event loop."""

    def __init__(self) -> None:
        self._idle: dict[_PoolKey, list[Connection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._gate = asyncio.Semaphore(IN_FLIGHT)

    async def post(
        self, url: str, body: bytes, rule: AddressRule, verify: bool, timeout: float, callback_id: str = ""
    ) -> Outcome:
        """POST `body` as JSON, and wait `timeout` real seconds for a status. Only addresses that `rule` accepts are
        connected to; redirects are not followed. `callback_id` goes out as `Mock-Callback`.

        Never raises for what a receiver or the network does: that is an Outcome with its error in words.
        """
        from mockserver.engine.http_post import destination_of

        try:
            destination = destination_of(url)
        except ValueError as error:
            return Outcome(None, 0.0, _in_words(error))
        async with self._gate:
            started = monotonic()
            connection: Connection | None = None
            limit = asyncio.timeout(timeout)
            try:
                key = (destination.secure, destination.host, destination.port, rule, verify)
                async with limit:
                    connection = self._idle_connection(key) or await _connect(destination, rule, verify)
                    status = await connection.send(destination.head, body, callback_id)
                start = await connection.body_start()
                if 200 <= status < 300 and connection.reusable:
                    self._keep(key, connection)
                    connection = None
            except (OSError, ValueError) as error:
                if isinstance(error, TimeoutError) and limit.expired():
                    return Outcome(None, timeout, f"no answer within {timeout:g} s")
                return Outcome(None, monotonic() - started, _in_words(error))
            finally:
                if connection is not None:  # a failing receiver's connection is not used for the next attempt
                    connection.close()
            return Outcome(status, monotonic() - started, None, start.decode("utf-8", "replace"))

    def _idle_connection(self, key: _PoolKey) -> "Connection | None":
        """An open connection from an earlier callback, if there is one."""
        kept = self._idle.get(key, [])
        while kept:
            connection = kept.pop()
            if connection.is_open():
                return connection
            connection.close()
        return None

    def _keep(self, key: _PoolKey, connection: "Connection") -> None:
        connection.idle_since = monotonic()
        self._idle.setdefault(key, []).append(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(IDLE_KEPT, self._close_idle)

    def _close_idle(self) -> None:
        """Close the connections that were not used for `IDLE_KEPT` seconds."""
        self._sweep = None
        oldest = monotonic() - IDLE_KEPT
        for key, kept in list(self._idle.items()):
            for connection in kept:
                if connection.idle_since <= oldest:
                    connection.close()
            self._idle[key] = [connection for connection in kept if connection.idle_since > oldest]
            if not self._idle[key]:
                del self._idle[key]
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(IDLE_KEPT, self._close_idle)

    async def close(self) -> None:
        """Close every kept connection."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        await pause(0)  # the transports end in the loop's next turn


async def _connect(destination: "Destination", rule: AddressRule, verify: bool) -> "Connection":
    """Connect to a host: to the addresses that are known without a look-up, else to those that its name resolves to."""
    loop = asyncio.get_running_loop()
    known = addresses.known_addresses(destination.host)
    if known:
        places: list[_Place] = [(str(address), destination.port) for address in known]
    else:
        found = await loop.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
        places = [place for *_, place in found]
    secure = None
    if destination.secure:
        secure = await asyncio.to_thread(_verifying_context) if verify else _trusting_context()
    for place in places[:-1]:
        try:
            async with asyncio.timeout(CONNECT_WAIT):
                return await _connect_to(place, rule, secure, destination.host)
        except OSError:
            continue
    return await _connect_to(places[-1], rule, secure, destination.host)


async def _connect_to(
    place: tuple[object, ...], rule: AddressRule, secure: ssl.SSLContext | None, host: str
) -> "Connection":
    from mockserver.engine.http_post import Connection

    loop = asyncio.get_running_loop()
    made = _guarded_socket(str(place[0]), rule)
    try:
        await loop.sock_connect(made, place)
        _, connection = await loop.create_connection(
            lambda: Connection(made), sock=made, ssl=secure, server_hostname=host if secure else None
        )
    except BaseException:
        made.close()
        raise
    return connection


def _guarded_socket(place: str, rule: AddressRule) -> socket.socket:
    """A socket for an address, unless the rule is against it: every connection of this server begins here."""
    address = ipaddress.ip_address(place.partition("%")[0])
    if not rule(address):
        raise Refused(errno.EACCES, f"{place} is not an address this server connects to")
    made = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    return made


@cache
def _verifying_context() -> ssl.SSLContext:
    """For callbacks that leave this machine. Reads certificates from the disk, hence called in a thread."""
    return ssl.create_default_context()


@cache
def _trusting_context() -> ssl.SSLContext:
    """For the user's own receivers, whose certificates are not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _in_words(error: OSError | ValueError) -> str:
    """An error as one printable line of at most `ERROR_KEPT` characters: a receiver's garbage may stand in it."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text[:ERROR_KEPT])
    return shown[:ERROR_KEPT]
