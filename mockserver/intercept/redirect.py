"""Leads this process's connections to the documented hosts to a mock, or forbids them.

Names are caught where Python looks them up, connects to them, and begins TLS with them. TLS with a documented host is
always done with a context that trusts the run's CA alone: whatever way a connection has taken to the real service, its
handshake fails before anything is sent.

`hooks/python/sitecustomize.py` loads this file by its path into programs that need not have this package: it imports
nothing but the standard library, and keeps to what Python 3.7 has.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.util
import json
import os
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

VARIABLE = "MOCKSERVER_INTERCEPT"
"""The environment variable with a `Target` as JSON."""

PORTS = {"http": 80, "https": 443}
_MAPPED = "::ffff:"


class InterceptionError(ConnectionError):
    """A connection to a documented host that can't be led to the mock."""


class Target(NamedTuple):
    """A mock: the host names that lead to it, where it takes TLS and plain HTTP, and its CA's certificate (PEM)."""

    hosts: frozenset[str]
    host: str
    port: int
    ca_pem: str

    @classmethod
    def from_json(cls, text: str) -> Target:
        known = json.loads(text)
        return cls(frozenset(known["hosts"]), known["host"], known["port"], known["ca_pem"])

    def to_json(self) -> str:
        return json.dumps({**self._asdict(), "hosts": sorted(self.hosts)})

    def address(self, family: int) -> tuple[Any, ...]:
        """Where to connect to, for a socket of a family."""
        if family == socket.AF_INET6:
            return (self.host if ":" in self.host else _MAPPED + self.host, self.port, 0, 0)
        return (self.host, self.port)

    def stand_in(self, name: str) -> str:
        """The IPv4 address that a host name is said to have: a connection to it is led to the mock."""
        number = sorted(self.hosts).index(name)
        return f"127.86.{number // 250}.{number % 250 + 1}"

    def named(self, host: Any) -> str | None:
        """The documented host that a name or a stand-in address means."""
        name = host_name(host)
        if name in self.hosts:
            return name
        if name is not None and name.startswith("127.86."):
            return next((known for known in self.hosts if self.stand_in(known) == name), None)
        return None


class Block(NamedTuple):
    """Hosts that nothing may connect to, looked up when they are needed, and the error for one of them."""

    hosts: Callable[[], frozenset[str]]
    error: Callable[[str], BaseException]

    def refuse(self, host: Any) -> None:
        """Raises the error for a host that is forbidden."""
        __tracebackhide__ = True
        name = host_name(host)
        if name is not None and not name[-1:].isdigit() and name in self.hosts():
            raise self.error(name)


def host_name(host: Any) -> str | None:
    """A host as names are compared; None for what is no host name."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    return host.rstrip(".").lower() if isinstance(host, str) and "." in host else None


class Redirect:
    """The patches of this process. The newest target counts; a block counts where no target does."""

    def __init__(self) -> None:
        self._targets: list[Target] = []
        self._blocks: list[Block] = []
        self._saved: list[tuple[Any, str, Any]] = []
        self._finder = _Finder(self._patch_module)

    def add(self, entry: Target | Block) -> None:
        """Begin to lead connections to a target, or to forbid them."""
        (self._targets if isinstance(entry, Target) else self._blocks).append(entry)  # type: ignore[arg-type]
        if not self._saved:
            self._patch()

    def remove(self, entry: Target | Block) -> None:
        """End it. With the last entry everything is as it was."""
        (self._targets if isinstance(entry, Target) else self._blocks).remove(entry)  # type: ignore[arg-type]
        if not self._targets and not self._blocks:
            while self._saved:
                owner, name, value = self._saved.pop()
                setattr(owner, name, value)
            if self._finder in sys.meta_path:
                sys.meta_path.remove(self._finder)

    def find(self, host: Any) -> tuple[Target | None, str]:
        """The target that a host leads to and the host's name; None and "" for a host that is nobody's.

        Raises the block's error for a host that is forbidden.
        """
        __tracebackhide__ = True
        if self._targets:
            name = self._targets[-1].named(host)
            if name is not None:
                return self._targets[-1], name
        if self._blocks:
            self._blocks[-1].refuse(host)
        return None, ""

    def resolve(self, host: Any, port: Any, family: int = 0, kind: int = 0) -> list[Any] | None:
        """What `getaddrinfo` gives for a documented host: its stand-in address; None for others."""
        __tracebackhide__ = True
        target, name = self.find(host)
        if target is None:
            return None
        port = port.decode() if isinstance(port, bytes) else port
        number = PORTS[port] if port in ("http", "https") else int(port or 0)
        place = target.stand_in(name)
        kind = kind or socket.SOCK_STREAM
        protocol = socket.IPPROTO_UDP if kind == socket.SOCK_DGRAM else socket.IPPROTO_TCP
        if family == socket.AF_INET6:
            return [(family, kind, protocol, "", (_MAPPED + place, number, 0, 0))]
        return [(socket.AF_INET, kind, protocol, "", (place, number))]

    def address(self, address: Any, family: int) -> Any:
        """Where a socket is to connect to instead. Raises InterceptionError for a port that the mock does not have."""
        __tracebackhide__ = True
        if not isinstance(address, tuple) or len(address) < 2:
            return address
        host = address[0][len(_MAPPED) :] if str(address[0]).startswith(_MAPPED) else address[0]
        target, name = self.find(host)
        if target is None:
            return address
        if address[1] not in PORTS.values():
            raise InterceptionError(
                f"{name} is led to the mock server, which stands for its ports 443 and 80 alone, not for {address[1]}"
            )
        return target.address(family)

    def context_for(self, host: Any, sock: socket.socket | None = None) -> ssl.SSLContext | None:
        """The TLS context for a documented host; None for others.

        Raises InterceptionError for a socket that leads elsewhere than to the mock.
        """
        __tracebackhide__ = True
        target, name = self.find(host)
        if target is None:
            return None
        peer = _peer(sock)
        if peer is not None and peer[1] != target.port:
            raise InterceptionError(
                f"a connection to {name} leads to {peer[0]}:{peer[1]} and not to the mock server: it is not used, "
                "because the real service costs money"
            )
        return _context(target.ca_pem)

    def _patch(self) -> None:
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            self._replace(socket, name, _LOOK_UPS[name])
        for name in ("connect", "connect_ex"):
            self._replace(socket.socket, name, _connect)
        self._replace(ssl.SSLContext, "wrap_socket", _wrap_socket)
        self._replace(ssl.SSLContext, "wrap_bio", _wrap_bio)
        for name in _MODULES:
            if name in sys.modules:
                self._patch_module(sys.modules[name])
        sys.meta_path.insert(0, self._finder)

    def _patch_module(self, module: Any) -> None:
        """Patch a library that looks names up, or connects, beside Python's own modules."""
        owner_name, methods = _MODULES[module.__name__]
        owner = getattr(module, owner_name, None)
        for name, replacement in methods.items():
            if owner is not None and hasattr(owner, name):
                self._replace(owner, name, replacement)

    def _replace(self, owner: Any, name: str, replacement: Any) -> None:
        real = getattr(owner, name)

        @functools.wraps(real)
        def patched(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            return replacement(self, real, *args, **kwargs)

        self._saved.append((owner, name, real))
        setattr(owner, name, patched)


def _getaddrinfo(
    redirect: Redirect,
    real: Any,
    host: Any,
    port: Any,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> Any:
    __tracebackhide__ = True
    found = redirect.resolve(host, port, family, type)
    return real(host, port, family, type, proto, flags) if found is None else found


def _gethostbyname(redirect: Redirect, real: Any, host: Any) -> Any:
    __tracebackhide__ = True
    target, name = redirect.find(host)
    return real(host) if target is None else target.stand_in(name)


def _gethostbyname_ex(redirect: Redirect, real: Any, host: Any) -> Any:
    __tracebackhide__ = True
    target, name = redirect.find(host)
    return real(host) if target is None else (name, [], [target.stand_in(name)])


_LOOK_UPS: dict[str, Any] = {
    "getaddrinfo": _getaddrinfo,
    "gethostbyname": _gethostbyname,
    "gethostbyname_ex": _gethostbyname_ex,
}


def _connect(redirect: Redirect, real: Any, self: socket.socket, address: Any) -> Any:
    __tracebackhide__ = True
    return real(self, redirect.address(address, self.family))


def _wrap_socket(
    redirect: Redirect,
    real: Any,
    self: ssl.SSLContext,
    sock: socket.socket,
    server_side: bool = False,
    do_handshake_on_connect: bool = True,
    suppress_ragged_eofs: bool = True,
    server_hostname: Any = None,
    session: Any = None,
) -> Any:
    __tracebackhide__ = True
    context = None if server_side else redirect.context_for(server_hostname, sock)
    if context is not None:
        self, session = context, None
    return real(self, sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, server_hostname, session)


def _wrap_bio(
    redirect: Redirect,
    real: Any,
    self: ssl.SSLContext,
    incoming: Any,
    outgoing: Any,
    server_side: bool = False,
    server_hostname: Any = None,
    session: Any = None,
) -> Any:
    __tracebackhide__ = True
    context = None if server_side else redirect.context_for(server_hostname)
    if context is not None:
        self, session = context, None
    return real(self, incoming, outgoing, server_side, server_hostname, session)


async def _loop_getaddrinfo(redirect: Redirect, real: Any, self: Any, host: Any, port: Any, **more: Any) -> Any:
    found = redirect.resolve(host, port, more.get("family", 0), more.get("type", 0))
    return await real(self, host, port, **more) if found is None else found


async def _create_connection(
    redirect: Redirect, real: Any, self: Any, factory: Any, host: Any = None, port: Any = None, **more: Any
) -> Any:
    if host is not None:
        led = redirect.address((host, port), socket.AF_INET)[:2]
        if led != (host, port) and more.get("ssl") and more.get("server_hostname") is None:
            more["server_hostname"] = host
        host, port = led
    return await real(self, factory, host, port, **more)


async def _resolve(redirect: Redirect, real: Any, self: Any, host: str, *args: Any, **more: Any) -> Any:
    if redirect.find(host)[0] is None:
        return await real(self, host, *args, **more)
    from aiohttp.resolver import ThreadedResolver

    return await ThreadedResolver().resolve(host, *args, **more)


_MODULES: dict[str, tuple[str, dict[str, Any]]] = {
    "uvloop": ("Loop", {"getaddrinfo": _loop_getaddrinfo, "create_connection": _create_connection}),
    "aiohttp.resolver": ("AsyncResolver", {"resolve": _resolve}),
}
"""Libraries that look names up by themselves: the class that does, and its methods."""


class _Finder(importlib.abc.MetaPathFinder):
    """Calls `loaded` with each of those libraries when it has been imported."""

    def __init__(self, loaded: Callable[[Any], None]) -> None:
        self._loaded = loaded
        self._busy = False

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname not in _MODULES or self._busy:
            return None
        self._busy = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._busy = False
        if spec is None or spec.loader is None:
            return None
        spec.loader = _Loader(spec.loader, self._loaded)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, real: Any, loaded: Callable[[Any], None]) -> None:
        self._real = real
        self._loaded = loaded

    def create_module(self, spec: Any) -> Any:
        return self._real.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._real
        self._real.exec_module(module)
        self._loaded(module)


def _peer(sock: socket.socket | None) -> tuple[Any, ...] | None:
    """The address that a socket is connected with, if it is, by IP."""
    try:
        peer = sock.getpeername() if sock is not None else None
    except (OSError, AttributeError):
        return None
    return peer if isinstance(peer, tuple) and len(peer) >= 2 else None


@functools.lru_cache(maxsize=64)
def _context(ca_pem: str) -> ssl.SSLContext:
    """A client's context that trusts one CA, and explains itself where a handshake fails for that reason."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca_pem)
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = _Object
    context.sslsocket_class = _Socket
    return context


def _explained(error: ssl.SSLCertVerificationError, host: Any) -> ssl.SSLCertVerificationError:
    sentence = (
        f"a connection to {host} does not lead to the mock server: it is not used, because the real service costs "
        f"money ({error.verify_message})"
    )
    return ssl.SSLCertVerificationError(error.errno or 1, sentence)


class _Object(ssl.SSLObject):
    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            raise _explained(error, self.server_hostname) from None


class _Socket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            raise _explained(error, self.server_hostname) from None


REDIRECT: Redirect = socket.__dict__.setdefault("_mockserver_redirect", Redirect())
"""The one of this process, however often and by whatever name this file is loaded."""


def lead_by_environment() -> None:
    """Do what the environment says. Raises ValueError or KeyError if it makes no sense."""
    text = os.environ.get(VARIABLE)
    if text:
        REDIRECT.add(Target.from_json(text))
