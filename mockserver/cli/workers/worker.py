"""One worker, as its supervisor sees it."""

import asyncio
import signal
import socket
import sys
from contextlib import suppress

from mockserver.cli.workers.order import Order, Said


class Worker:
    """A process from its start to its end."""

    def __init__(
        self, process: asyncio.subprocess.Process, heard: asyncio.StreamReader, link: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self._heard = heard
        self._link = link
        """Kept open: its end tells the worker that the supervisor is gone."""

    @classmethod
    async def start(cls, order: Order) -> "Worker":
        """Start a process with an order."""
        own, its = socket.socketpair()
        with its:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mockserver.cli.workers", str(its.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(its.fileno(), *order.descriptors()),
                process_group=0,  # Ctrl-C reaches the supervisor alone
            )
        heard, link = await asyncio.open_connection(sock=own)
        link.write(order.encoded())
        return cls(process, heard, link)

    async def says(self) -> Said | None:
        """What it says next; None when it has ended."""
        with suppress(ConnectionError):
            line = await self._heard.readline()
            if line.endswith(b"\n"):
                return Said.read(line)
        await self.process.wait()
        self._link.close()
        return None

    def tell_to_end(self) -> None:
        with suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()

    def how_it_ended(self) -> str:
        status = self.process.returncode or 0
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        return f"was ended by {name}" if status < 0 else f"ended with status {status}"
