"""`MockClient`: the blocking client, and its way to the asynchronous one."""

from mockserver.client.asynchronous.client import AsyncMockClient
from mockserver.client.blocking.client import BlockingMockClient


class MockClient(BlockingMockClient):
    """A typed client of the control surface of a server at `root_url`. Threads may share it.

    Every provider that is installed is an attribute, by its name.

    Args:
        api_key: the key that is used where none is named; by default one that the providers accept.
        control_url: the address of the control surface, if that is not `root_url`.
        context: for a server with a certificate of its own.
        control_token: what the server was given as `--control-token`; by default `MOCKSERVER_CONTROL_TOKEN`.
    """

    def aio(self) -> AsyncMockClient:
        """The same for code in an asyncio loop: `async with mock.aio() as mock: await mock.clock.advance(7)`."""
        client = AsyncMockClient(
            self.root_url, control_url=self.control_url, context=self._context, control_token=self._token
        )
        client.scope = self.scope
        return client
