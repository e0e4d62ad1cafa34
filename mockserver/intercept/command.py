"""`mockserver exec`: runs a program whose connections to the documented hosts end at a mock."""

import asyncio
import os
import shutil
import signal
import ssl
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from mockserver.app import App
from mockserver.http.listening import local_url, serving
from mockserver.intercept.environment import program_variables, proxy_in_the_way
from mockserver.intercept.interception import intercepting
from mockserver.intercept.totals import NOTHING, Totals, read_totals

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""The exit status of a shell for such a command."""

BY_SIGNAL = 128
"""What a shell adds to the number of the signal that ended a program."""

FORWARDED = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)
FROM_TERMINAL = (signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT))
"""Signals that a terminal sends to every process in its foreground, the program included."""


class CannotRun(Exception):
    """The program can't be run: one line that says why, and the exit status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def check(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Find out early whether a program can be run. Raises CannotRun."""
    name = command[0]
    if shutil.which(name) is None:
        if os.path.exists(name) and os.sep in name:
            raise CannotRun(f"{name} is no program that this user may run", NOT_EXECUTABLE)
        raise CannotRun(f"{name}: command not found", NOT_FOUND)
    taken = proxy_in_the_way(environment)
    if taken is not None:
        raise CannotRun(
            f"{taken} is set already, to {environment[taken]}; exec needs it for the mock's own proxy: "
            f"run it as in `env -u {taken} mockserver exec …`",
            2,
        )


async def run_with_server(app: App, command: Sequence[str]) -> int:
    """Run a program against a server of its own; its exit status.

    Raises:
        OSError: if the server can't listen.
        ValueError: if a package is missing.
        CannotRun: if the program can't be started.
    """
    return await _ended_by_signals(_Signals(), lambda signals: _serve_and_run(app, command, signals))


async def _serve_and_run(app: App, command: Sequence[str], signals: "_Signals") -> int:
    settings = app.settings
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(app))
        interception = await stack.enter_async_context(
            intercepting(app, settings.proxy_port or 0, settings.allow_hosts)
        )
        status = await _run(command, program_variables(interception, os.environ), signals)
        from mockserver.client import AsyncMockClient  # not before: the program is to start soon

        context = ssl._create_unverified_context() if settings.tls_cert else None  # our own server in this process
        client = AsyncMockClient(local_url(settings, port), context=context, control_token=settings.control_token)
        _report(NOTHING, await read_totals(await stack.enter_async_context(client)))
        return status


async def run_with_url(url: str, command: Sequence[str]) -> int:
    """Run a program against a server that runs at `url`, started with --proxy-port; the program's exit status.

    Raises:
        CannotRun: if there is no such server, or the program can't be started.
    """
    return await _ended_by_signals(_Signals(), lambda signals: _reach_and_run(url, command, signals))


async def _reach_and_run(url: str, command: Sequence[str], signals: "_Signals") -> int:
    from mockserver.client import AsyncMockClient
    from mockserver.client.protocol import MockError
    from mockserver.intercept.running import reached

    async with AsyncExitStack() as stack:
        mock = await stack.enter_async_context(AsyncMockClient(url))
        try:
            interception = await stack.enter_async_context(reached(url, mock))
        except (MockError, OSError) as error:
            raise CannotRun(f"--url {url}: {error}", 1) from None
        before = await read_totals(mock)
        status = await _run(command, program_variables(interception, os.environ), signals)
        _report(before, await read_totals(mock))
    return status


async def _run(command: Sequence[str], variables: Mapping[str, str], signals: "_Signals") -> int:
    """Run a program to its end; its exit status as a shell gives it."""
    try:
        program = await asyncio.create_subprocess_exec(*command, env={**os.environ, **variables})
    except FileNotFoundError:
        raise CannotRun(f"{command[0]}: command not found", NOT_FOUND) from None
    except OSError as error:
        raise CannotRun(f"{command[0]} can't be run: {error.strerror or error}", NOT_EXECUTABLE) from None
    signals.program = program
    try:
        status = await program.wait()
    finally:
        signals.program = None
    return BY_SIGNAL - status if status < 0 else status


class _Signals:
    """Passes signals on to the program while it runs, but for those that its terminal has sent it too.

    Before and after, a signal ends exec itself, in good order: `ended_by` is then its number.
    """

    def __init__(self) -> None:
        self.program: Process | None = None
        self.ended_by: int | None = None

    def receive(self, number: int, task: "asyncio.Task[int]") -> None:
        if self.program is None:
            self.ended_by = number
            task.cancel()
        elif number not in FROM_TERMINAL or not _in_foreground():
            try:
                self.program.send_signal(number)
            except ProcessLookupError:
                return


async def _ended_by_signals(signals: _Signals, work: Callable[[_Signals], Coroutine[Any, Any, int]]) -> int:
    """Do the work under these signals; its exit status, or that of a shell's command that a signal ended."""
    loop, task = asyncio.get_running_loop(), asyncio.create_task(work(signals))
    for number in FORWARDED:
        loop.add_signal_handler(number, signals.receive, number, task)
    try:
        return await task
    except asyncio.CancelledError:
        if signals.ended_by is None:
            raise
        return BY_SIGNAL + signals.ended_by
    finally:
        for number in FORWARDED:
            loop.remove_signal_handler(number)


def _in_foreground() -> bool:
    """Whether this process and the program are in the foreground of a terminal."""
    try:
        return os.tcgetpgrp(sys.__stdin__.fileno() if sys.__stdin__ else 0) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _report(before: Totals, after: Totals) -> None:
    print(after.since(before).line(), file=sys.stderr)
