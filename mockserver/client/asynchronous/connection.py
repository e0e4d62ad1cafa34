"""A connection to one server's control surface: runs operations, and knows whose records they are about."""

import os
import ssl
from typing import TypeVar

from mockserver.client.protocol import MockError, Operation, hide_misuse
from mockserver.client.scope import Scope
from mockserver.client.transport import AsyncTransport

T = TypeVar("T")
__tracebackhide__ = hide_misuse


class AsyncConnection:
    """What the client and its parts share: the server's addresses, the scope of operations, and `do`."""

    def __init__(
        self, root_url: str, control_url: str | None, scope: Scope, context: ssl.SSLContext | None, token: str | None
    ) -> None:
        self.root_url = root_url.rstrip("/")
        self.scope = scope
        self._context = context
        self._token = token or os.environ.get("MOCKSERVER_CONTROL_TOKEN")
        self.connect(control_url or root_url)

    def connect(self, control_url: str) -> None:
        """Send the operations to the control surface at this address from now on."""
        self.control_url = control_url.rstrip("/")
        self.transport = AsyncTransport(self.control_url, self._context, self._token)

    async def do(self, operation: Operation[T]) -> T:
        """Run an operation. Raises MockError for what the server refuses."""
        try:
            call = next(operation)
            while True:
                try:
                    answer = await self.transport.send(call)
                except MockError as error:
                    call = operation.throw(error)
                else:
                    call = operation.send(answer)
        except StopIteration as stop:
            value: T = stop.value
            return value
