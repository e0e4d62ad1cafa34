"""Listening sockets that are opened before anything serves them. Imports only the standard library."""

import asyncio
import socket
from ipaddress import ip_address

BACKLOG = 1_024
"""Connections that wait in a socket's queue."""


async def shared_sockets(host: str, port: int) -> list[socket.socket]:
    """The sockets that asyncio would listen with, for several processes. Raises OSError if the address can't be had."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, host, port, reuse_address=True, start_serving=False)
    sockets = [bound.dup() for bound in server.sockets]
    server.close()
    for bound in sockets:
        bound.listen(BACKLOG)
    return sockets


def is_address(host: str) -> bool:
    """Whether a host is an IP address, and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError if the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
