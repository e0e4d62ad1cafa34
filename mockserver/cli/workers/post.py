"""A worker's place among the processes of a server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from mockserver.app import App
from mockserver.cli.announcer import Announcer
from mockserver.cli.workers.order import Order, Said


class Post:
    """What a worker was given, and its link to the supervisor."""

    def __init__(self, order: Order, link: socket.socket) -> None:
        self.announces = order.announces
        self.leads = order.number == 1
        self.turn = order.turn
        self.sockets = [socket.socket(fileno=number) for number in order.sockets]
        self._proxy = order.proxy
        self._link = link
        self._secret: tuple[str, str] | None = None

    @asynccontextmanager
    async def proxy(self, app: App) -> AsyncIterator[None]:
        """Serve the proxy's socket with the certificates that the first worker made."""
        from mockserver.intercept.certificates import Certificates
        from mockserver.intercept.forward import Forwarding
        from mockserver.intercept.interception import BUNDLE, documented_hosts, leading, write_bundle

        given = self._proxy
        assert given is not None
        hosts, bundle = documented_hosts(app), Path(given.folder, BUNDLE)
        forwarding = Forwarding(frozenset(hosts), app.settings.allow_hosts)
        certificates = Certificates(hosts, given.secret)
        if given.secret is None:
            write_bundle(bundle, certificates.ca_pem)
            self._secret = certificates.identity
        async with leading(app, socket.socket(fileno=given.socket), certificates, forwarding, str(bundle)):
            yield

    def serves(self, end: Callable[[], None]) -> None:
        """Say that it serves, and call `end` in the running loop when the supervisor is gone."""
        loop, link = asyncio.get_running_loop(), self._link.fileno()

        def gone() -> None:
            loop.remove_reader(link)
            end()

        loop.add_reader(link, gone)
        self._say(Said("serves", secret=self._secret))

    def stopped(self, announcer: Announcer, pending: tuple[int, int] | None) -> None:
        """Leave the last line to the supervisor."""
        self._say(Said("stopped", pending=pending))

    def _say(self, said: Said) -> None:
        with suppress(OSError):  # the supervisor is gone: `gone` is called
            self._link.sendall(said.line())
