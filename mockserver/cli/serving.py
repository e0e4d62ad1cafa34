"""Runs the server until a signal ends it."""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial
from threading import Timer
from typing import Any, Protocol

from mockserver.app import App
from mockserver.cli.announcer import Announcer
from mockserver.cli.cannot_serve import CannotListen, CannotServe, why_no_proxy, why_not_listening
from mockserver.cli.garbage import limit_collection
from mockserver.cli.signals import GRACE_SECONDS, on_signals
from mockserver.cli.writer import Writer
from mockserver.engine.problems import StoreUnavailable
from mockserver.http.listening import serving


class Place(Protocol):
    """Where a process serves: alone, or as one of several."""

    @property
    def announces(self) -> bool:
        """Whether it prints the text of the start."""

    @property
    def leads(self) -> bool:
        """Whether it does what only one process may."""

    @property
    def turn(self) -> int | None:
        """A file that is locked while lines are written."""

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """Listening sockets to serve; none for the address of the settings."""

    def proxy(self, app: App) -> AbstractAsyncContextManager[Any]:
        """Serves the proxy for the documented hosts. Raises OSError, ValueError."""

    def serves(self, end: Callable[[], None]) -> None:
        """Is told that the process serves; `end` ends it."""

    def stopped(self, announcer: Announcer, pending: tuple[int, int] | None) -> None:
        """Is told that the process has stopped, and how many tasks and callbacks are pending, if that is known."""


class Alone:
    """The place of the one process of a server."""

    announces = leads = True
    turn = None
    sockets: Sequence[socket.socket] = ()

    def proxy(self, app: App) -> AbstractAsyncContextManager[Any]:
        from mockserver.intercept.interception import intercepting

        assert app.settings.proxy_port is not None
        return intercepting(app, app.settings.proxy_port, app.settings.allow_hosts)

    def serves(self, end: Callable[[], None]) -> None:
        """Nobody else needs to know."""

    def stopped(self, announcer: Announcer, pending: tuple[int, int] | None) -> None:
        announcer.stopped(pending)


def serve(app: App, config: str | None, place: Place) -> None:
    """Serve until SIGINT or SIGTERM. Raises CannotServe."""
    writer = Writer(sys.stdout.fileno() if sys.stdout else None, place.turn)
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            runner.run(_serve(app, Announcer(app, writer, config), place))
    finally:
        writer.close()


async def _limit_garbage_collection(app: App) -> None:
    """Switch garbage collection on; where tasks are kept in this process, limit it until this is cancelled."""
    gc.freeze()
    gc.enable()
    if app.settings.store == "memory":  # else a full collection finds little here, and is cheap
        await limit_collection(lambda: app.requests, partial(_tasks_kept, app))


async def _tasks_kept(app: App) -> int:
    return (await app.engine.store.kept())["tasks"].count


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where it is installed (the extra `fast`); asyncio's own otherwise."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(app: App, announcer: Announcer, place: Place) -> None:
    ended = asyncio.Event()
    restore_signals = on_signals(ended.set)
    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(serving(app, place.sockets))
        except OSError as error:
            raise CannotListen(why_not_listening(error, app.settings.host, app.settings.port)) from None
        except StoreUnavailable as problem:
            raise CannotServe(f"{problem.detail}.") from None
        await _open_proxy(app, stack, place)
        watching = _watch_scenarios(app, announcer, ended, place)
        announcer.started(port, printed=place.announces)
        place.serves(ended.set)
        collecting = asyncio.create_task(_limit_garbage_collection(app))
        await ended.wait()
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        collecting.cancel()
        restore_signals()  # a second Ctrl-C ends the process at once
        announcer.fall_silent()
        place.stopped(announcer, await _pending(app))
        announcer.close()
        app.interrupt()  # before the proxy ends, which serves calls that wait too
        last = Timer(GRACE_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()


async def _pending(app: App) -> tuple[int, int] | None:
    """How many tasks and callbacks are pending; None if the store does not say so in time."""
    try:
        async with asyncio.timeout(GRACE_SECONDS):
            pending = await app.engine.store.pending()
    except (StoreUnavailable, TimeoutError):
        return None
    return pending.tasks, pending.callbacks


def _watch_scenarios(app: App, announcer: "Announcer", ended: asyncio.Event, place: Place) -> asyncio.Task[None] | None:
    """Read the scenario files again when they change, if that is asked for. A watcher that fails ends the server.

    Raises:
        ValueError: without the extra [watch].
    """
    if app.scenarios is None or not app.settings.watch:
        return None
    from mockserver.scenarios.watching import check_installed, watch

    check_installed()
    report = announcer.report if place.leads else _say_nothing
    task = asyncio.create_task(watch(app.scenarios, report, leads=place.leads))
    task.add_done_callback(lambda _: ended.set())
    return task


def _say_nothing(sentence: str) -> None:
    """The process that leads says it."""


async def _open_proxy(app: App, stack: AsyncExitStack, place: Place) -> None:
    """Open the proxy for the documented hosts, if --proxy-port is set. Raises CannotListen, ValueError."""
    settings = app.settings
    if settings.proxy_port is None:
        return
    try:
        await stack.enter_async_context(place.proxy(app))
    except OSError as error:
        raise CannotListen(why_no_proxy(error, settings.host, settings.proxy_port)) from None
