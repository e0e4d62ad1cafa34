"""Blocks connections to the real services: one to a host of theirs fails at once, whatever library makes it.

Host names are refused in name look-ups, in connects and at the start of TLS. The last of these stops clients that use a
proxy, or that look names up by themselves. The patches are those of `intercept/redirect.py`: a connection that is led
to a mock is not blocked.
"""

from functools import cache

from mockserver.intercept.redirect import REDIRECT, Block


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


BLOCK = Block(real_hosts, RealHostBlocked)


def refuse(host: object) -> None:
    """Raises RealHostBlocked for a real service's host name."""
    __tracebackhide__ = True
    BLOCK.refuse(host)


class Blocker:
    """Switches the block on and off. Each `on` needs an `off`."""

    def on(self) -> None:
        REDIRECT.add(BLOCK)

    def off(self) -> None:
        REDIRECT.remove(BLOCK)


BLOCKER = Blocker()
