"""`mockserver exec`: reads its options, and runs a program against a server of its own or against a running one."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from mockserver.cli.cannot_serve import CannotListen, CannotServe, why_not_listening
from mockserver.cli.checks import address
from mockserver.cli.serving import fast_loop
from mockserver.cli.startup import quick_import
from mockserver.intercept import isolate

with quick_import():
    from mockserver.app import create_app
    from mockserver.cli.sources import load
    from mockserver.engine.problems import StoreUnavailable
    from mockserver.intercept.command import CannotRun, check, run_with_server, run_with_url

import os

FAILURES = (CannotServe, CannotRun)
OWN = ("help", "config", "url", "isolate")


def status_of(error: Exception) -> int:
    """The exit status for one of the failures."""
    return error.status if isinstance(error, CannotRun) else 1


def run(command: Sequence[str], flags: Mapping[str, Any], config: str | None) -> int:
    """Run a program; its exit status.

    Raises:
        ValueError: for options that make no sense, or a missing package.
        CannotServe: if the server's address or its store can't be had.
        CannotRun: if the program can't be run.
    """
    check(command, os.environ)
    given = {name: value for name, value in flags.items() if name not in OWN}
    if flags.get("url"):
        if given or flags.get("isolate"):
            raise ValueError("--url takes a server that runs: the options of serve, and --isolate, are not for it")
        return _in_loop(run_with_url(address(flags["url"]), command))
    settings = load({"port": "0", **given}, config)
    if settings.workers > 1:
        raise ValueError("exec runs its server in one process: --workers is for serve")
    if flags.get("isolate"):
        if settings.allow_hosts:
            raise ValueError("--isolate lets nothing out: --allow-host is not for it")
        isolate.enter()
    app = create_app(settings)
    try:
        return _in_loop(run_with_server(app, command))
    except OSError as error:
        raise CannotListen(why_not_listening(error, settings.host, settings.port)) from None
    except StoreUnavailable as problem:
        raise CannotServe(f"{problem.detail}.") from None


def _in_loop(work: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        return runner.run(work)
