"""Runs the server until a signal ends it."""

import asyncio
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from threading import Timer

from mockserver.app import App
from mockserver.cli.announcer import Announcer
from mockserver.cli.writer import Writer
from mockserver.engine.clock import pause
from mockserver.engine.problems import StoreUnavailable
from mockserver.http.listening import serving

GRACE_SECONDS = 0.5
"""Real seconds after which a stopping process exits in any case: a DNS lookup under way cannot be cancelled."""

BUSY_SECONDS, QUIET_SECONDS = 0.05, 1.0
"""Seconds between two collections of young objects: while there are requests, and while there are none."""

FEW_TASKS = 5_000
"""With fewer tasks than this, a full garbage collection takes a few milliseconds."""

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Signals that end the server, where the platform has them: SIGHUP is sent when the terminal closes, SIGBREAK by
Ctrl-Break on Windows."""


class CannotListen(Exception):
    """The address is not available; the text says why and what to do."""


def serve(app: App, config: str | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises CannotListen."""
    writer = Writer(sys.stdout.fileno() if sys.stdout else None)
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            runner.run(_serve(app, Announcer(app, writer, config)))
    finally:
        writer.close()


async def _limit_garbage_collection(app: App) -> None:
    """Until this is cancelled, collect only young objects while there are requests.

    Thousands of tasks may be kept, and none has reference cycles; a full collection would delay requests by tens of
    milliseconds. A full collection runs only when there are no requests and few tasks are kept.
    """
    gc.freeze()
    gc.set_threshold(500, 1_000_000, 1_000_000)
    gc.enable()
    last, clean, seconds = app.requests, False, QUIET_SECONDS
    while True:
        await pause(seconds)
        busy, last = app.requests != last, app.requests
        if busy:
            gc.collect(0)
            gc.freeze()
            clean = False
        elif not clean and await _keeps_few_tasks(app):
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            clean = True
        seconds = BUSY_SECONDS if busy else QUIET_SECONDS


async def _keeps_few_tasks(app: App) -> bool:
    try:
        return (await app.engine.store.kept())["tasks"].count < FEW_TASKS
    except StoreUnavailable:
        return False


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where it is installed (the extra `fast`); asyncio's own otherwise."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(app: App, announcer: Announcer) -> None:
    ended = asyncio.Event()
    restore_signals = _on_signals(ended.set)
    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(serving(app))
        except OSError as error:
            raise CannotListen(why_not_listening(error, app.settings.host, app.settings.port)) from None
        await _open_proxy(app, stack)
        watching = _watch_scenarios(app, announcer, ended)
        announcer.started(port)
        collecting = asyncio.create_task(_limit_garbage_collection(app))
        await ended.wait()
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        collecting.cancel()
        restore_signals()  # a second Ctrl-C ends the process at once
        await announcer.stopped()
        app.interrupt()  # before the proxy ends, which serves calls that wait too
        last = Timer(GRACE_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()


def _watch_scenarios(app: App, announcer: "Announcer", ended: asyncio.Event) -> asyncio.Task[None] | None:
    """Read the scenario files again when they change, if that is asked for. A watcher that fails ends the server.

    Raises:
        ValueError: without the extra [watch].
    """
    if app.scenarios is None or not app.settings.watch:
        return None
    from mockserver.scenarios.watching import check_installed, watch

    check_installed()
    task = asyncio.create_task(watch(app.scenarios, announcer.report))
    task.add_done_callback(lambda _: ended.set())
    return task


def _on_signals(call: Callable[[], None]) -> Callable[[], None]:
    """Call `call` in the running loop at every signal that ends a process; returns a function that restores them.

    An ignored SIGHUP, as under nohup, stays ignored.
    """
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        numbers.remove(signal.SIGHUP)
    for number in numbers:
        try:
            loop.add_signal_handler(number, call)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda number, frame: loop.call_soon_threadsafe(call))

    def restore() -> None:
        for number in numbers:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    return restore


async def _open_proxy(app: App, stack: AsyncExitStack) -> None:
    """Open the proxy for the documented hosts, if --proxy-port is set. Raises CannotListen, ValueError."""
    settings = app.settings
    if settings.proxy_port is None:
        return
    from mockserver.intercept.interception import intercepting

    try:
        await stack.enter_async_context(intercepting(app, settings.proxy_port, settings.allow_hosts))
    except OSError as error:
        sentence = why_not_listening(error, settings.host, settings.proxy_port)
        raise CannotListen(sentence.replace("--port", "--proxy-port")) from None


def why_not_listening(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop the program there, or use --port; --port 0 picks a free one"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} is not allowed to this user: use --port with 1024 or more; 0 picks a free one"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{host} is not an address of this machine: use --host 127.0.0.1, or 0.0.0.0 for all of its addresses"
    return f"cannot listen on port {port} of {host}: {error.strerror or error}"
