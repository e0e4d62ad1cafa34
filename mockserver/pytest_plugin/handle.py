"""`MockProviders`, which the fixtures give: the client of a mock server, limited to one test's API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.client import MockClient, operations, waiting
from mockserver.client.discovered import installed
from mockserver.client.models import Charge, Rule
from mockserver.client.operations import Amount
from mockserver.client.protocol import hide_misuse
from mockserver.client.scope import Scope
from mockserver.engine.accounts import account_id
from mockserver.pytest_plugin.block import BLOCKER
from mockserver.pytest_plugin.tally import Tally

if TYPE_CHECKING:
    from mockserver.intercept.process import ProcessInterception
    from mockserver.server import MockServer

__tracebackhide__ = hide_misuse


class MockProviders(MockClient):
    """A mock server as one test sees it: lists, faults and assertions are about this test's `api_key` alone.

    Args:
        client: of the server; its connections are used, and stay open for the next test.
        key_token: makes this test's API keys unique.
        server: the server, if it is one of this process: a reset then forgets everything.
        balance: what the key has at each provider, where the server is not of this process.
    """

    def __init__(
        self,
        client: MockClient,
        *,
        key_token: str,
        tally: Tally,
        server: MockServer | None = None,
        balance: Amount | None = None,
    ) -> None:
        super().__init__(client.root_url, control_url=client.control_url, context=client._context)
        self._token, self.transport = client._token, client.transport
        self.scope = Scope(key_token=key_token, allowed_keys=client.scope.allowed_keys, own_only=True)
        if server is None:
            self.scope.sink_prefix = f"{account_id(self.api_key)}-"  # no key: it stands in callback addresses
        self._tally, self._server, self._balance = tally, server, balance
        self._blocked = False
        self._interception: ProcessInterception | None = None
        self._defects_seen = self._calls_at_begin = 0
        self._unused: list[Rule] = []

    def begin(self) -> None:
        """Start from a clean server, or on one that others use from a clean API key."""
        self._defects_seen = self._forget()
        self._calls_at_begin = self._calls() or 0

    def _calls(self) -> int | None:
        """How many requests of any kind the server has had; None if it is not of this process."""
        return self._server.app.requests if self._server is not None else None

    def untouched(self) -> bool:
        """Whether nothing has called the server since the test began, as far as is known without a call."""
        return self._calls() == self._calls_at_begin

    def reset(self, api_key: str | None = None) -> None:
        """Begin again as at the start of the test; with a key, forget that key's state alone."""
        if api_key is not None:
            self._forget(api_key)
            return
        self._unused += self.do(operations.unused_faults(self.scope))
        if self._server is None:
            self._count()
            self.do(operations.clean_up(self.scope))
        self.scope.rules.clear()
        self._forget()

    def _forget(self, api_key: str | None = None) -> int:
        """Reset the server, or API keys where it is not of this process; the number of its internal errors so far.

        What the reset of a server of this process forgets is added to the session's tally: that costs no call more.
        """
        keys = (api_key,) if api_key else () if self._server else self.scope.filter()["api_key"]
        answers = self.do(operations.reset(*keys))
        if self._server is not None:
            for answer in answers:
                self._tally.add(answer.charges, answer.callbacks)
        elif self._balance is not None and api_key is None:
            for name in installed():
                self.provider(name).account().set(balance=self._balance)
        return answers[-1].defects

    def _count(self) -> None:
        """Add what this test's keys were used for to the session's tally."""
        charges = [
            Charge(found.provider, found.currency, found.generations, found.captured, found.held)
            for found in self.do(operations.accounts(self.scope))
        ]
        if any(charge.generations for charge in charges):
            self._tally.add(charges, len(self.do(waiting.callbacks(self.scope))))

    def end(self) -> None:
        """Undo what would change another test. A server of this process is reset by the next `begin`."""
        if self._interception is not None:
            self._interception.stop()
        if self._blocked:
            BLOCKER.off()
        if self._server is None:
            self._count()
            self.do(operations.clean_up(self.scope))

    def block_real(self) -> None:
        """Until the end of the test, let any connection to one of the real services fail at once."""
        if not self._blocked:
            self._blocked = True
            BLOCKER.on()

    def intercept(self) -> None:
        """Until the end of the test, lead every connection of this process to a documented host to this mock.

        Clients that were made before and programs that are started are led too. What comes is this test's, whatever its
        API key: lists, faults and assertions are then about every key.

        Raises:
            ValueError: if the server is not one of this process, or a package is missing.
        """
        if self._interception is not None:
            return
        if self._server is None:
            raise ValueError("intercept() needs a server in this process: it does not go with --mock-providers-url")
        from mockserver.intercept.process import ProcessInterception

        interception = ProcessInterception(self._server)
        interception.start()
        self._interception = interception
        self.scope.own_only = False

    def unused_faults(self) -> list[str]:
        """The fault rules of this test that never fired, in words, without the optional and the removed ones."""
        rules = [*self._unused, *self.do(operations.unused_faults(self.scope))]
        return [_unused_text(rule) for rule in rules]

    def new_defects(self) -> list[str]:
        """The tracebacks of the server's internal errors that this test met and that were not returned before."""
        if self._server is not None and self._server.app.engine.defects.count == self._defects_seen:
            return []
        found = [defect for defect in self.defects() if defect.number > self._defects_seen]
        if not found:
            return []
        self._defects_seen = found[-1].number
        own = [None, *map(account_id, self.scope.filter()["api_key"])]
        return [
            f"the mock server has a defect, which this test met at {defect.where}:\n{defect.traceback}"
            for defect in found
            if self._server is not None or defect.account in own
        ]


def _unused_text(rule: Rule) -> str:
    parameters = {name: value for name, value in rule.fault.items() if name != "type"}
    match = {name: value for name, value in rule.match.items() if name != "api_key"}
    said = ", ".join(f"{name}={value!r}" for name, value in {**match, **parameters}.items())
    matched = (
        f"it matched {rule.matched} time{'s' if rule.matched > 1 else ''}" if rule.matched else "nothing matched it"
    )
    return f"the fault rule {rule.id} ({rule.fault['type']}{said and ': '}{said}) never fired: {matched}"
