"""Blocks connections to the real services: one to a host of theirs fails at once, whatever library makes it.

Host names are refused in name look-ups, in connects and at the start of TLS. The last of these stops clients that use a
proxy, or that look names up by themselves.
"""

import socket
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest


class RealHostBlocked(BaseException):
    """A test was about to connect to a real service. A BaseException, so that no `except Exception` hides it."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"this test was about to connect to {host}, a real service that costs money, and block_real keeps it from "
            "that. Point the client at the mock server: base_url=mock_providers.<provider>.base_url, or set the "
            "variables of mock_providers.env()."
        )


@cache
def real_hosts() -> frozenset[str]:
    """The documented hosts of every installed provider, read at the first connection that a test makes."""
    from mockserver.providers.base import discover

    return frozenset(host for provider in discover() for host in provider.hosts)


def refuse(host: object) -> None:
    """Raises RealHostBlocked for a real service's host name."""
    __tracebackhide__ = True
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    if isinstance(host, str) and "." in host:
        name = host.rstrip(".").lower()
        if not name[-1:].isdigit() and name in real_hosts():
            raise RealHostBlocked(name)


def _first_argument(real: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        refuse(args[0] if args else kwargs.get("host"))
        return real(*args, **kwargs)

    return guarded


def _address(real: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any, *args: Any) -> Any:
        __tracebackhide__ = True
        refuse(address[0] if isinstance(address, tuple) and address else None)
        return real(self, address, *args)

    return guarded


def _server_name(real: Callable[..., Any], position: int) -> Callable[..., Any]:
    def guarded(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        refuse(args[position] if len(args) > position else kwargs.get("server_hostname"))
        return real(self, *args, **kwargs)

    return guarded


class Blocker:
    """The patches of socket and ssl. Each `on` needs an `off`: the patches go with the last one."""

    def __init__(self) -> None:
        self._times = 0
        self._patches = pytest.MonkeyPatch()

    def on(self) -> None:
        self._times += 1
        if self._times > 1:
            return
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            self._patches.setattr(socket, name, _first_argument(getattr(socket, name)))
        for name in ("connect", "connect_ex"):
            self._patches.setattr(socket.socket, name, _address(getattr(socket.socket, name)))
        # the server's name is the 5th parameter of the one and the 4th of the other
        for name, position in (("wrap_socket", 4), ("wrap_bio", 3)):
            self._patches.setattr(ssl.SSLContext, name, _server_name(getattr(ssl.SSLContext, name), position))

    def off(self) -> None:
        self._times -= 1
        if self._times == 0:
            self._patches.undo()


BLOCKER = Blocker()
