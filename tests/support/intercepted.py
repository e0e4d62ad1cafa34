"""A server whose documented hosts are led to it, and clients of those hosts."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import httpx

from mockserver.intercept.interception import BlockingInterception, Interception
from support.scene import Scene


@dataclass(frozen=True)
class Intercepted:
    """A server (`scene`), how it is reached under its documented hosts (`facts`), and a client that is led there."""

    scene: Scene
    facts: Interception
    http: httpx.Client

    def connect(self, sent: bytes = b"") -> socket.socket:
        """A connection to the proxy's port, with some bytes sent."""
        connection = socket.create_connection(self.facts.address, timeout=5)
        connection.sendall(sent)
        return connection

    def answer(self, sent: bytes) -> bytes:
        """What some bytes are answered, until the server closes the connection."""
        with closing(self.connect(sent)) as connection:
            with suppress(OSError):  # the server may have closed it already
                connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def trusting(self) -> ssl.SSLContext:
        """A client's TLS context that trusts this run's CA alone."""
        return ssl.create_default_context(cadata=self.facts.ca_pem)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the end of a connection; a reset is an end too."""
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionError:
        pass
    return received


def connect_request(host: str, port: int = 443) -> bytes:
    return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()


@contextmanager
def interception_of(scene: Scene, *allow_hosts: str) -> Iterator[Intercepted]:
    """Lead the documented hosts to a server."""
    interception = BlockingInterception(scene.server.app, scene.server.run)
    facts = interception.open(allow_hosts)
    try:
        context = ssl.create_default_context(cadata=facts.ca_pem)
        with httpx.Client(proxy=facts.url, verify=context, timeout=10, trust_env=False) as http:
            yield Intercepted(scene, facts, http)
    finally:
        interception.close()
