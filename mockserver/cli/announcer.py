"""The output of `mockserver serve`: the first lines, a line for each event, and the last line."""

import os
import shutil
import sys
from shlex import quote
from typing import Any

from mockserver import __version__
from mockserver.app import App
from mockserver.cli.console import JsonLines, Lines, TextLines
from mockserver.cli.output import count, json_line, paint, stopped_line, wants_colour, without_password
from mockserver.cli.writer import Writer
from mockserver.engine.latency import Latency
from mockserver.engine.outbound import parse_route
from mockserver.http.listening import root_url, served_urls
from mockserver.http.public_urls import is_loopback
from mockserver.providers.base import Provider

VIRTUAL = "virtual: time passes only by POST /_mock/clock/advance; until then a call that waits gets no answer"

_OWN_WAY = (
    "the store goes on with its own clock, seed and routes; POST /_mock/reset begins anew with the command line's"
)


class Announcer:
    """Prints the first lines, a line for each event, and the last line, in the format of the settings."""

    def __init__(self, app: App, writer: Writer, config: str | None) -> None:
        self._app = app
        self._writer = writer
        self._config = config
        self._json = app.settings.log_format == "json"
        self._colour = wants_colour(sys.stdout, os.environ) and not self._json
        providers = {provider.name: provider for provider in app.providers}
        self._lines: Lines = JsonLines(providers) if self._json else TextLines(providers, self._colour)

    def started(self, port: int, *, printed: bool = True) -> None:
        """Print the addresses of the server if they are to be, and begin to print a line for each event."""
        root = root_url(self._app.settings, port)
        if printed:
            text = self._started_json(root, port) if self._json else "\n".join(self._started_text(root, port))
            self._writer.line(text)
        if not self._app.settings.quiet:
            engine, lines, writer = self._app.engine, self._lines, self._writer
            engine.journal.observers.append(lambda exchange, task: writer.line(lines.request(exchange, task)))
            engine.task_observers.append(lambda task, delivery: writer.line(lines.task_end(task, delivery)))
            engine.dispatcher.observers.append(lambda delivery, attempt: writer.line(lines.attempt(delivery, attempt)))

    def report(self, sentence: str) -> None:
        """Print what happened to the scenarios."""
        self._writer.line(json_line("scenarios", message=sentence) if self._json else sentence)

    def fall_silent(self) -> None:
        """Stop printing events."""
        engine = self._app.engine
        engine.journal.observers.clear()
        engine.task_observers.clear()
        engine.dispatcher.observers.clear()

    def stopped(self, pending: tuple[int, int] | None) -> None:
        """Print how many tasks and callbacks are pending, if the store says so."""
        self._writer.line(stopped_line(pending, as_json=self._json, colour=self._colour))

    def close(self) -> None:
        """Return when every line is written."""
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
        lines += [f"{self._bold('live page ')} {root}/_mock/", f"{self._bold('control   ')} {root}/_mock/health"]
        lines += [f'{self._bold("clients   ")} eval "$({_command()} env --root-url {root})"']
        lines += [f"{self._bold(f'{name:10}')} {value}" for name, value in self._remarks(port)]
        return [*lines, "", "Ctrl-C ends it.", ""]

    def _bold(self, text: str) -> str:
        return paint(text, "1", self._colour)

    def _facts(self) -> dict[str, Any]:
        """The settings that determine the answers to a client."""
        settings, engine = self._app.settings, self._app.engine
        facts: dict[str, Any] = {"latency": settings.latency, "clock": engine.clock.mode, "seed": engine.entropy.seed}
        if settings.store != "memory":
            facts |= {"store": without_password(settings.store), "workers": settings.workers}
        return facts

    def _remarks(self, port: int) -> list[tuple[str, str]]:
        """Names and values of the settings to print: those of `_facts`, warnings, and others that were set."""
        settings, engine = self._app.settings, self._app.engine
        span = Latency.parse(settings.latency).range if settings.latency == "quick" else None
        seed = "" if engine.entropy.seeded else " (a new one; --seed repeats its ids, durations and pictures)"
        found = [
            ("latency", settings.latency + (f" ({span[0]:g}–{span[1]:g} s)" if span else "")),
            ("clock", VIRTUAL if engine.clock.mode == "virtual" else "real"),
            ("seed", engine.entropy.seed + seed),
            *self._store_remarks(),
            *(("warning", text) for text in self._warnings(port)),
            *(("callbacks", f"{source} → {target}") for source, target in map(parse_route, settings.callback_routes)),
        ]
        if (proxy := self._app.public_urls.proxy) is not None:
            found.append(("proxy", f"port {proxy['port']} leads https://{proxy['hosts'][0]} and the like here"))
        if settings.scenarios:
            found.append(("scenarios", ", ".join(settings.scenarios)))
        if settings.callback_egress:
            found.append(("callbacks", "may leave this machine"))
        if settings.api_keys:
            found.append(("keys", f"{count(len(settings.api_keys), 'key')} valid, no others"))
        if self._config:
            found.append(("settings", self._config))
        return found

    def _store_remarks(self) -> list[tuple[str, str]]:
        """Where everything is kept, and how many processes serve, if that is not the memory of this one."""
        settings = self._app.settings
        if settings.store == "memory":
            return []
        went_on = ", which goes on with what it has" if self._app.went_on else ""
        found = [("store", without_password(settings.store) + went_on)]
        return [*found, ("processes", str(settings.workers))] if settings.workers > 1 else found

    def _goes_its_own_way(self) -> bool:
        """Whether a store that was not empty has another clock, seed or routes than the command line asks for."""
        settings, engine = self._app.settings, self._app.engine
        seed = settings.seed if settings.seed is not None else engine.entropy.seed
        routes = engine.dispatcher.defaults.routes
        asked = settings.clock, seed, tuple(routes)
        return self._app.went_on and asked != (engine.clock.mode, engine.entropy.seed, engine.store.steering.routes())

    def _warnings(self, port: int) -> list[str]:
        """What is not as it may be expected: a store's own state, and other machines that can reach the server."""
        settings = self._app.settings
        found = [_OWN_WAY] if self._goes_its_own_way() else []
        if is_loopback(settings.host):
            return found
        urls = ", ".join(served_urls(settings, port)) or "its network addresses"
        who = "whoever has the --control-token" if settings.control_token else "this machine (--control-token opens it)"
        return [*found, f"other machines reach this server at {urls}; its control surface is for {who}"]

    def _curl(self, provider: Provider, root: str) -> str:
        """A curl command that works with this server's valid keys and certificate."""
        mount = self._app.mounts[provider.name]
        key = next((key for key in self._app.settings.api_keys if mount.accepts(key)), provider.example.key)
        line = provider.curl_line(root, key)
        return line.replace("curl ", "curl -k ", 1) if self._app.settings.tls_cert else line


def _command() -> str:
    """The command that runs this program again from the current folder."""
    called = sys.argv[0]
    if os.path.basename(called) != "mockserver":
        return f"{quote(_near(sys.executable))} -m mockserver"
    return "mockserver" if shutil.which("mockserver") == called else quote(_near(called))


def _near(path: str) -> str:
    """A path relative to the current folder if it is below it, otherwise as it is."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here)
