"""`mockserver exec`: runs a program whose connections to the documented hosts end at a mock."""

import asyncio
import os
import shutil
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mockserver.app import App
from mockserver.client import AsyncMockClient
from mockserver.client.protocol import ControlCall, MockError, Operation
from mockserver.http.listening import local_url, serving
from mockserver.intercept.environment import program_variables, proxy_in_the_way
from mockserver.intercept.interception import BUNDLE, Interception, intercepting, write_bundle
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
    settings = app.settings
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(app))
        interception = await stack.enter_async_context(
            intercepting(app, settings.proxy_port or 0, settings.allow_hosts)
        )
        status = await _run(command, program_variables(interception, os.environ))
        context = ssl._create_unverified_context() if settings.tls_cert else None  # our own server in this process
        client = AsyncMockClient(local_url(settings, port), context=context, control_token=settings.control_token)
        mock = await stack.enter_async_context(client)
        _report(NOTHING, await read_totals(mock))
        return status


async def run_with_url(url: str, command: Sequence[str]) -> int:
    """Run a program against a server that runs at `url`, started with --proxy-port; the program's exit status.

    Raises:
        CannotRun: if there is no such server, or the program can't be started.
    """
    async with AsyncMockClient(url) as mock, _reached(url, mock) as interception:
        before = await read_totals(mock)
        status = await _run(command, program_variables(interception, os.environ))
        _report(before, await read_totals(mock))
    return status


@asynccontextmanager
async def _reached(url: str, mock: AsyncMockClient) -> AsyncIterator[Interception]:
    """The interception of a running server, with the files that a program here needs."""
    try:
        facts = await mock.do(proxy_facts())
    except (MockError, OSError) as error:
        raise CannotRun(f"--url {url}: {error}", 1) from None
    with tempfile.TemporaryDirectory(prefix="mockserver-") as folder:
        yield interception_at(url, facts, write_bundle(Path(folder, BUNDLE), facts["ca_pem"]))


def proxy_facts() -> Operation[Mapping[str, Any]]:
    """What a running server says of its proxy. Raises MockError if it has none."""
    found: Mapping[str, Any] = yield ControlCall("GET", "proxy")
    return found


def interception_at(url: str, facts: Mapping[str, Any], bundle: str) -> Interception:
    """The proxy of a server at `url`, from what the server says of it. Raises OSError if the host is not known."""
    name, port = urlsplit(url).hostname or "127.0.0.1", facts["port"]
    family_first = sorted(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM), key=lambda entry: entry[0])
    return Interception(tuple(facts["hosts"]), (str(family_first[0][4][0]), port), facts["ca_pem"], bundle)


async def _run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a program to its end, passing signals on; its exit status as a shell gives it."""
    try:
        program = await asyncio.create_subprocess_exec(*command, env={**os.environ, **variables})
    except FileNotFoundError:
        raise CannotRun(f"{command[0]}: command not found", NOT_FOUND) from None
    except OSError as error:
        raise CannotRun(f"{command[0]} can't be run: {error.strerror or error}", NOT_EXECUTABLE) from None
    with _forwarding(program.send_signal):
        status = await program.wait()
    return BY_SIGNAL - status if status < 0 else status


class _forwarding:
    """Passes signals on to a program, but for those that its terminal has sent it too."""

    def __init__(self, send: Callable[[int], None]) -> None:
        self._send = send

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        for number in FORWARDED:
            loop.add_signal_handler(number, self._forward, number)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in FORWARDED:
            loop.remove_signal_handler(number)

    def _forward(self, number: int) -> None:
        if number in FROM_TERMINAL and _in_foreground():
            return
        try:
            self._send(number)
        except ProcessLookupError:
            return


def _in_foreground() -> bool:
    """Whether this process and the program are in the foreground of a terminal."""
    try:
        return os.tcgetpgrp(sys.__stdin__.fileno() if sys.__stdin__ else 0) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _report(before: Totals, after: Totals) -> None:
    print(after.since(before).line(), file=sys.stderr)
