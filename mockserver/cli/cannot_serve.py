"""Why a server can't serve, or can't listen at its address, and what to do."""

import errno
import socket


class CannotServe(Exception):
    """A server can't serve; the text is one sentence."""


class CannotListen(CannotServe):
    """The address is not available; the text says why and what to do."""


def why_no_proxy(error: OSError, host: str, port: int) -> str:
    return why_not_listening(error, host, port).replace("--port", "--proxy-port")


def why_not_listening(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop the program there, or use --port; --port 0 picks a free one"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} is not allowed to this user: use --port with 1024 or more; 0 picks a free one"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{host} is not an address of this machine: use --host 127.0.0.1, or 0.0.0.0 for all of its addresses"
    return f"cannot listen on port {port} of {host}: {error.strerror or error}"
