"""Runs the server until a signal ends it, and prints its first and its last lines."""

import asyncio
import errno
import gc
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from shlex import quote
from threading import Timer
from typing import Any

from mockserver import __version__
from mockserver.app import App
from mockserver.cli.console import JsonLines, Lines, TextLines, json_line, paint, wants_colour
from mockserver.cli.writer import Writer
from mockserver.engine.latency import Latency
from mockserver.engine.outbound import parse_route
from mockserver.http.listening import root_url, served_urls, serving
from mockserver.http.public_urls import is_loopback
from mockserver.providers.base import Provider

GRACE_SECONDS = 0.5
"""How long the end may take. A name look-up under way can't be cancelled: the process then ends without it."""

BUSY_SECONDS, QUIET_SECONDS = 0.05, 1.0
"""Seconds between two collections of young objects: while there are requests, and while there are none."""

LITTLE = 5_000
"""Tasks kept, up to which a full garbage collection takes a few milliseconds."""

VIRTUAL = "virtual: time passes by POST /_mock/clock/advance alone; until then a call that waits gets no answer"

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Signals that end the server, where the platform has them: SIGHUP comes when its terminal is closed, SIGBREAK is
Ctrl-Break on Windows."""


class CannotListen(Exception):
    """The address is not available: one line that says why and what to do."""


def serve(app: App, config: str | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises CannotListen."""
    writer = Writer(sys.stdout.fileno() if sys.stdout else None)
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            runner.run(_serve(app, Announcer(app, writer, config)))
    finally:
        writer.close()


def _limit_garbage_collection(app: App) -> None:
    """Keep garbage collections to young objects.

    Tasks are kept by the thousand and hold no reference cycles; a full collection would hold requests up for tens of
    milliseconds. One full collection is done when there are no requests and few tasks are kept.
    """
    gc.freeze()
    gc.set_threshold(500, 1_000_000, 1_000_000)
    gc.enable()
    loop, last, clean = asyncio.get_running_loop(), app.requests, False

    def collect() -> None:
        nonlocal last, clean
        if app.requests != last:
            gc.collect(0)
            gc.freeze()
            clean = False
        elif not clean and app.engine.store.kept()["tasks"].count < LITTLE:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            clean = True
        loop.call_later(BUSY_SECONDS if app.requests != last else QUIET_SECONDS, collect)
        last = app.requests

    loop.call_later(QUIET_SECONDS, collect)


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where it is installed (the extra `fast`); asyncio's own otherwise."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(app: App, announcer: "Announcer") -> None:
    ended = asyncio.Event()
    restore_signals = _on_signals(ended.set)
    async with AsyncExitStack() as stack:
        try:
            port = await stack.enter_async_context(serving(app))
        except OSError as error:
            raise CannotListen(why_not_listening(error, app.settings.host, app.settings.port)) from None
        await _lead(app, stack)
        announcer.started(port)
        _limit_garbage_collection(app)
        await ended.wait()
        restore_signals()  # a second Ctrl-C ends it there and then
        announcer.stopped()
        app.interrupt()  # before the proxy ends, which serves calls that wait too
        last = Timer(GRACE_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()


def _on_signals(call: Callable[[], None]) -> Callable[[], None]:
    """Let `call` be called in the running loop by every signal that ends a process; what is given restores them.

    A SIGHUP that is ignored, as under nohup, stays ignored.
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


async def _lead(app: App, stack: AsyncExitStack) -> None:
    """Open the proxy that leads the documented hosts here, if one is asked for. Raises CannotListen, ValueError."""
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
        return f"port {port} of {host} is taken: stop what listens there, or use --port; --port 0 picks a free one"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} is not allowed to this user: use --port with 1024 or more; 0 picks a free one"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{host} is no address of this machine: use --host 127.0.0.1, or 0.0.0.0 for all of its addresses"
    return f"can't listen on port {port} of {host}: {error.strerror or error}"


class Announcer:
    """Prints the first lines, a line for each event, and the last line, in the format of the settings."""

    def __init__(self, app: App, writer: Writer, config: str | None) -> None:
        self._app = app
        self._writer = writer
        self._config = config
        self._json = app.settings.log_format == "json"
        self._colour = wants_colour(sys.stdout, os.environ) and not self._json
        providers = {provider.name: provider for provider in app.providers}
        find = app.engine.find
        self._lines: Lines = JsonLines(providers, find) if self._json else TextLines(providers, find, self._colour)

    def started(self, port: int) -> None:
        """Print where everything is, and from now on a line for each event."""
        root = root_url(self._app.settings, port)
        self._writer.line(self._started_json(root, port) if self._json else "\n".join(self._started_text(root, port)))
        if not self._app.settings.quiet:
            engine, lines, writer = self._app.engine, self._lines, self._writer
            engine.journal.observers.append(lambda exchange: writer.line(lines.request(exchange)))
            engine.task_observers.append(lambda task, delivery: writer.line(lines.task_end(task, delivery)))
            engine.dispatcher.observers.append(lambda delivery, attempt: writer.line(lines.attempt(delivery, attempt)))

    def stopped(self) -> None:
        """Print what is still pending, and nothing more. It has been written when this returns."""
        engine = self._app.engine
        engine.journal.observers.clear()
        engine.task_observers.clear()
        engine.dispatcher.observers.clear()
        pending = engine.store.pending()
        tasks, callbacks = pending.tasks, pending.callbacks
        if self._json:
            self._writer.line(json_line("stopped", pending={"tasks": tasks, "callbacks": callbacks}))
        else:
            counts = [_count(number, noun) for number, noun in ((tasks, "task"), (callbacks, "callback")) if number]
            after_echo = "\n" if self._colour else ""  # a terminal has written ^C
            self._writer.line(f"{after_echo}Stopped; {' and '.join(counts) or 'nothing'} still pending.")
        self._writer.close()

    def _started_json(self, root: str, port: int) -> str:
        providers = {
            provider.name: {"base_url": provider.base_url(root), "curl": self._curl(provider, root)}
            for provider in self._app.providers
        }
        return json_line(
            "started",
            version=__version__,
            url=root,
            control=f"{root}/_mock/health",
            providers=providers,
            warnings=self._warnings(port),
            **self._facts(),
        )

    def _started_text(self, root: str, port: int) -> list[str]:
        lines = [f"{self._bold('mockserver')} {__version__} serves {self._bold(root)}", ""]
        for provider in self._app.providers:
            lines += [f"{self._bold(f'{provider.title:10}')} {provider.base_url(root)}"]
            lines += [f"  {self._curl(provider, root)}", ""]
        lines += [f"{self._bold('control   ')} {root}/_mock/health"]
        lines += [f'{self._bold("clients   ")} eval "$({_command()} env --root-url {root})"']
        lines += [f"{self._bold(f'{name:10}')} {value}" for name, value in self._remarks(port)]
        return [*lines, "", "Ctrl-C ends it.", ""]

    def _bold(self, text: str) -> str:
        return paint(text, "1", self._colour)

    def _facts(self) -> dict[str, Any]:
        """The settings that matter for what a client sees."""
        settings, engine = self._app.settings, self._app.engine
        return {"latency": settings.latency, "clock": settings.clock, "seed": engine.entropy.seed}

    def _remarks(self, port: int) -> list[tuple[str, str]]:
        """The same for people, and what else was set."""
        settings, engine = self._app.settings, self._app.engine
        span = Latency.parse(settings.latency).range if settings.latency == "quick" else None
        seed = "" if engine.entropy.seeded else " (a new one; --seed repeats its ids, durations and pictures)"
        found = [
            ("latency", settings.latency + (f" ({span[0]:g}–{span[1]:g} s)" if span else "")),
            ("clock", VIRTUAL if settings.clock == "virtual" else "real"),
            ("seed", engine.entropy.seed + seed),
            *(("warning", text) for text in self._warnings(port)),
            *(("callbacks", f"{source} → {target}") for source, target in map(parse_route, settings.callback_routes)),
        ]
        if (proxy := self._app.public_urls.proxy) is not None:
            found.append(("proxy", f"port {proxy['port']} leads https://{proxy['hosts'][0]} and the like here"))
        if settings.callback_egress:
            found.append(("callbacks", "may leave this machine"))
        if settings.api_keys:
            found.append(("keys", f"{_count(len(settings.api_keys), 'key')} valid, no others"))
        if self._config:
            found.append(("settings", self._config))
        return found

    def _warnings(self, port: int) -> list[str]:
        """What whoever starts a server that other machines can reach should know."""
        settings = self._app.settings
        if is_loopback(settings.host):
            return []
        urls = ", ".join(served_urls(settings, port)) or "its network addresses"
        who = "whoever has the --control-token" if settings.control_token else "this machine (--control-token opens it)"
        return [f"other machines reach this server at {urls}; its control surface is for {who}"]

    def _curl(self, provider: Provider, root: str) -> str:
        """A curl line that works, whichever keys are valid and whoever signed the certificate."""
        mount = self._app.mounts[provider.name]
        key = next((key for key in self._app.settings.api_keys if mount.accepts(key)), provider.example.key)
        line = provider.curl_line(root, key)
        return line.replace("curl ", "curl -k ", 1) if self._app.settings.tls_cert else line


def _command() -> str:
    """How a shell in this folder calls this command again."""
    called = sys.argv[0]
    if os.path.basename(called) != "mockserver":
        return f"{quote(_near(sys.executable))} -m mockserver"
    return "mockserver" if shutil.which("mockserver") == called else quote(_near(called))


def _near(path: str) -> str:
    """A path as it is shortest: from here, if it is below."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
