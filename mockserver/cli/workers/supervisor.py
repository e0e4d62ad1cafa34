"""The process that `serve --workers N` starts: it holds the sockets, and keeps N workers serving them.

The queue of connections belongs to the sockets, so that none is lost when a worker dies. One that dies is replaced.
All of them end with this process, however it ends.
"""

import asyncio
import os
import socket
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace

from mockserver.cli.cannot_serve import CannotListen, CannotServe, why_no_proxy, why_not_listening
from mockserver.cli.output import json_line, stopped_line, wants_colour
from mockserver.cli.signals import GRACE_SECONDS, on_signals
from mockserver.cli.workers.order import Order, Proxy, Said
from mockserver.cli.workers.worker import Worker
from mockserver.cli.writer import Writer
from mockserver.http.sockets import open_socket, shared_sockets
from mockserver.settings import Settings

MOST_FAILURES = 5
"""How many starts in a row may fail while no worker serves: then the server gives up."""

AGAIN_SECONDS = 0.5
"""Real seconds before another start in place of one that has failed."""

STRAGGLER_SECONDS = 2 * GRACE_SECONDS
"""Real seconds after which a worker that was told to end is killed."""


def supervise(settings: Settings, config: str | None) -> int:
    """Serve with several workers until a signal ends them; the exit status.

    Raises:
        ValueError: for settings with which several processes, or any, can't serve.
        CannotServe: if the address is not available, or no worker comes to serve.
    """
    check(settings)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:  # uvloop's processes have no group
        return runner.run(_supervise(settings, config))


def check(settings: Settings) -> None:
    """Raises ValueError if several processes can't serve with these settings."""
    if sys.platform == "win32":
        raise ValueError("--workers needs Linux, macOS or another POSIX system; here one process serves")
    if settings.store == "memory":
        raise ValueError(
            f"--workers {settings.workers} needs a store that the processes share, --store sqlite:///FILE or "
            "redis://HOST: under --store memory there is one process"
        )


async def _supervise(settings: Settings, config: str | None) -> int:
    ended = asyncio.Event()
    restore_signals = on_signals(ended.set)
    with ExitStack() as stack:
        turn = stack.enter_context(tempfile.TemporaryFile()).fileno()
        proxy = None if settings.proxy_port is None else _proxy(stack, settings.host, settings.proxy_port)
        sockets = await _listen(settings.host, settings.port)
        numbers = tuple(one.fileno() for one in sockets)
        supervisor = Supervisor(Order(settings, config, 1, True, numbers, turn, sys.argv[0], proxy), ended)
        try:
            await supervisor.serve()
            restore_signals()  # a second Ctrl-C ends this process at once, and with it the workers
        finally:
            for one in sockets:
                one.close()
            await supervisor.end()
    return 0


async def _listen(host: str, port: int) -> list[socket.socket]:
    try:
        return await shared_sockets(host, port)
    except OSError as error:
        raise CannotListen(why_not_listening(error, host, port)) from None


def _proxy(stack: ExitStack, host: str, port: int) -> Proxy:
    try:
        listening = stack.enter_context(open_socket(host, port))
    except OSError as error:
        raise CannotListen(why_no_proxy(error, host, port)) from None
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mockserver-"))
    return Proxy(listening.fileno(), folder)


class Supervisor:
    """Starts the workers, replaces those that die, and ends them.

    Args:
        order: what the first worker is told.
        ended: ends all; is set when no worker comes to serve, too.
    """

    def __init__(self, order: Order, ended: asyncio.Event) -> None:
        self._order = order
        self._ended = ended
        self._json = order.settings.log_format == "json"
        self._writer = Writer(sys.stdout.fileno() if sys.stdout else None, order.turn)
        self._places: list[asyncio.Task[None]] = []
        self._workers: set[Worker] = set()
        self._serving: set[Worker] = set()
        self._first_serves = asyncio.Event()
        self._failures = 0
        self._pending: tuple[int, int] | None = None
        self._complaint: Exception | None = None

    async def serve(self) -> None:
        """Serve until a signal ends it. Raises ValueError, CannotServe."""
        self._fill(1)
        await _first_of(self._first_serves, self._ended)
        for number in range(2, self._order.settings.workers + 1):
            if not self._ended.is_set():
                self._fill(number)
        await self._ended.wait()
        if self._complaint is not None:
            raise self._complaint

    async def end(self) -> None:
        """End the workers, and print the last line."""
        self._ended.set()
        for worker in self._workers:
            worker.tell_to_end()
        _, late = await asyncio.wait(self._places, timeout=STRAGGLER_SECONDS)
        for worker in self._workers if late else ():
            worker.kill()
        await asyncio.gather(*self._places)
        if self._complaint is None:
            colour = wants_colour(sys.stdout, os.environ) and not self._json
            self._writer.line(stopped_line(self._pending, as_json=self._json, colour=colour))
        self._writer.close()

    def _fill(self, number: int) -> None:
        place = asyncio.create_task(self._keep_filled(number))
        place.add_done_callback(lambda _: self._ended.set())  # it ends earlier only if it fails: `end` raises that
        self._places.append(place)

    async def _keep_filled(self, number: int) -> None:
        """Have a worker serve in a place, one after the other, until all end."""
        while not self._ended.is_set():
            try:
                worker = await Worker.start(replace(self._order, number=number))
            except OSError as error:  # no process, memory or file descriptor is to be had
                await self._try_again(f"worker {number}", f"can't be started: {error}", None)
                continue
            self._workers.add(worker)
            if self._ended.is_set():
                worker.tell_to_end()
            served, refusal = await self._follow(worker)
            self._workers.discard(worker)
            self._serving.discard(worker)
            name = f"worker {number} (process {worker.process.pid})"
            if served and not self._ended.is_set():
                self._say(f"{name} {worker.how_it_ended()}; another one takes its place")
            elif not self._ended.is_set():
                how = f"can't serve: {refusal.sentence}" if refusal else worker.how_it_ended()
                await self._try_again(name, how, refusal)

    async def _follow(self, worker: Worker) -> tuple[bool, Said | None]:
        """Take note of what a worker says until it has ended; whether it came to serve, and why not."""
        served, refusal = False, None
        while (said := await worker.says()) is not None:
            if said.what == "serves":
                served = True
                self._serving.add(worker)
                self._failures = 0
                self._order = self._order.after(said)
                self._first_serves.set()
            elif said.what == "stopped":
                self._pending = said.pending
            else:
                refusal = said
        return served, refusal

    async def _try_again(self, name: str, how: str, refusal: Said | None) -> None:
        """Say that a worker did not come to serve, and wait until another may take its place, if one may."""
        self._failures += 1
        if not self._first_serves.is_set():
            self._give_up(refusal, f"the first worker {how} before it came to serve")
        elif self._failures >= MOST_FAILURES and not self._serving:
            self._give_up(None, f"no worker comes to serve any more; {self._failures} starts in a row failed: it {how}")
        else:
            self._say(f"{name} {how}; another one is tried")
            await _first_of(self._ended, seconds=AGAIN_SECONDS)

    def _give_up(self, refusal: Said | None, sentence: str) -> None:
        if refusal is None:
            self._complaint = CannotServe(sentence)
        else:
            self._complaint = (ValueError if refusal.status == 2 else CannotServe)(refusal.sentence)
        self._ended.set()

    def _say(self, sentence: str) -> None:
        self._writer.line(json_line("workers", message=sentence) if self._json else sentence)


async def _first_of(*events: asyncio.Event, seconds: float | None = None) -> None:
    """Until one of some events, or for so many seconds."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
