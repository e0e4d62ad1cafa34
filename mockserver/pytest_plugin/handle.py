"""What the fixtures give: a client of a mock server, for one test and its API key."""

import ssl

from mockserver.client import MockClient, operations, waiting
from mockserver.client.operations import Amount, Owner
from mockserver.pytest_plugin.block import BLOCKER
from mockserver.pytest_plugin.tally import Tally


class MockProviders(MockClient):
    """A mock server as one test sees it: lists, faults and assertions are about this test's `api_key` alone.

    Args:
        own_server: whether the server belongs to this process, so that a reset may forget everything.
        balance: what the key has at each provider, where the server is not our own.
    """

    def __init__(
        self,
        root_url: str,
        *,
        api_key: str,
        tally: Tally,
        own_server: bool,
        control_url: str | None = None,
        context: ssl.SSLContext | None = None,
        balance: Amount | None = None,
    ) -> None:
        super().__init__(root_url, api_key=api_key, control_url=control_url, context=context)
        self.owner = Owner(api_key, alone=True)
        self._tally, self._own_server, self._balance = tally, own_server, balance
        self._blocked = False
        self._defects_seen = 0

    def _sink_name(self, name: str) -> str:
        return name if self._own_server else f"{self.api_key}-{name}"

    def begin(self) -> None:
        """Make a clean start."""
        self._clear()
        self._defects_seen = int(self.health()["defects"]["count"])

    def reset(self, api_key: str | None = None) -> None:
        """Begin again as at the start of the test; with a key, forget that key's state alone."""
        if api_key is not None:
            super().reset(api_key)
            return
        self._count()
        self._clear()

    def _clear(self) -> None:
        if self._own_server:
            self.do(operations.reset(None))
            return
        self.do(operations.clean_up(self.owner))
        self.do(operations.reset(self.api_key))
        if self._balance is not None:
            for provider in (self.evolink, self.icodeeasy, self.xhuoapi):
                provider.account().set(balance=self._balance)

    def _count(self) -> None:
        """Put what was done since the last reset on the session's bill."""
        accounts = self.do(operations.accounts(self.owner, everyone=self._own_server))
        if any(account.generations for account in accounts):
            callbacks = self.do(waiting.callbacks(self.owner, everyone=self._own_server))
            self._tally.add(accounts, len(callbacks))

    def end(self) -> None:
        """Leave nothing behind that another test could meet."""
        if self._blocked:
            BLOCKER.off()
        try:
            self._count()
            if not self._own_server:
                self.do(operations.clean_up(self.owner))
        finally:
            self.close()

    def block_real(self) -> None:
        """Until the end of the test, let any connection to one of the real services fail at once."""
        if not self._blocked:
            self._blocked = True
            BLOCKER.on()

    def new_defects(self) -> list[str]:
        """The tracebacks of the server's internal errors that this test met since it last asked."""
        found = [defect for defect in self.defects() if defect.number > self._defects_seen]
        if not found:
            return []
        self._defects_seen = found[-1].number
        own = self.icodeeasy.account().id
        return [
            f"the mock server has a defect, which this test met at {defect.where}:\n{defect.traceback}"
            for defect in found
            if self._own_server or defect.account in (None, own)
        ]
