"""The proxy of a server that runs elsewhere, as programs here are led to it."""

import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mockserver.client import AsyncMockClient
from mockserver.client.protocol import ControlCall, Operation
from mockserver.intercept.interception import BUNDLE, Interception, write_bundle


def proxy_facts() -> Operation[Mapping[str, Any]]:
    """What a running server says of its proxy. Raises MockError if it has none."""
    found: Mapping[str, Any] = yield ControlCall("GET", "proxy")
    return found


def interception_at(url: str, facts: Mapping[str, Any], bundle: str) -> Interception:
    """The proxy of a server at `url`, from what the server says of it. Raises OSError if the host is not known."""
    name, port = urlsplit(url).hostname or "127.0.0.1", facts["port"]
    addresses = sorted(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM), key=lambda entry: entry[0])
    return Interception(tuple(facts["hosts"]), (str(addresses[0][4][0]), port), facts["ca_pem"], bundle)


@asynccontextmanager
async def reached(url: str, mock: AsyncMockClient) -> AsyncIterator[Interception]:
    """The interception of a running server, with a folder of files for programs here. Raises MockError, OSError."""
    facts = await mock.do(proxy_facts())
    with tempfile.TemporaryDirectory(prefix="mockserver-") as folder:
        yield interception_at(url, facts, write_bundle(Path(folder, BUNDLE), facts["ca_pem"]))
