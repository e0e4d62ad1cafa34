"""The commands. Each reads its arguments, calls the library and prints the result; an error is printed as one line."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mockserver import __version__
from mockserver.cli.arguments import Command, Flag
from mockserver.cli.by_hand_commands import BY_HAND
from mockserver.cli.completion_command import completion_command
from mockserver.cli.options import CONFIG_ENV, OPTIONS, setting_flags
from mockserver.cli.startup import no_collection, quick_import

if TYPE_CHECKING:
    from rich.table import Table

    from mockserver.app import App

FAILED, MISUSED = 1, 2

_HELP = Flag("help", "--help", "Show this message and exit.", short="-h")
_VERSION = Flag("version", "--version", "Print the version.")
_CONFIG = Flag("config", "--config", "TOML file with settings. Flags and variables override it.", "FILE", CONFIG_ENV)

_DESCRIPTION = """A local server that emulates three paid image-generation APIs: xhuoapi, icodeeasy and evolink.

mockserver serve starts it and prints its addresses."""

_SERVE = """Serve every provider on one port, until Ctrl-C.

A setting is read from its flag, otherwise from the environment variable named below it, otherwise from a TOML file. \
In a variable, a repeatable setting is a comma-separated list or a JSON array."""

_TOML = """A TOML file has the flags' names as keys, as in port = 8081 and api_key = ["sk_one"].
It may also have these, with the names that mockserver prices prints:

{tables}"""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; its exit status."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except ValueError as error:
        return _complain(str(error), MISUSED)


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        return _run_root(arguments)
    name, *rest = arguments
    command = {command.name: command for command in COMMANDS}.get(name)
    if command is None:
        names = ", ".join(command.name for command in COMMANDS)
        raise ValueError(f"No such command '{name:.40}'; there are {names}.")
    values = {"arguments": rest} if command.passes_on else command.parse(rest)
    if values.get("help"):
        from mockserver.cli.help import print_command

        print_command("mockserver", command)
        return 0
    if values.get("version"):
        return _print_version()
    return command.run(values)


def _run_root(arguments: list[str]) -> int:
    flags = (_VERSION, _HELP)
    values = Command("", "", _serve, flags).parse(arguments)
    if values.get("version") and not values.get("help"):
        return _print_version()
    from mockserver.cli.help import print_overview

    print_overview("mockserver", _DESCRIPTION, flags, COMMANDS)
    return 0


def _complain(sentence: str, status: int) -> int:
    print(f"mockserver: {' '.join(sentence.split())}", file=sys.stderr)
    return status


def _print_version() -> int:
    print(f"mockserver {__version__}")
    return 0


def _app(config: str | None, flags: Mapping[str, Any]) -> "App":
    with quick_import():
        from mockserver.app import create_app
        from mockserver.cli.sources import load

    return create_app(load(flags, config))


def _file(values: Mapping[str, Any]) -> str | None:
    """The path of the TOML file: from --config, otherwise from the environment."""
    named: str | None = values.get("config")
    return named if named is not None else os.environ.get(CONFIG_ENV) or None


def _serve(values: Mapping[str, Any]) -> int:
    from mockserver.cli.cannot_serve import CannotServe
    from mockserver.cli.sources import load

    config = _file(values)
    try:
        settings = load(values, config)
        if settings.workers > 1:
            from mockserver.cli.workers.supervisor import supervise

            return supervise(settings, config)
        with no_collection():  # until the server listens: serving.py turns it on
            with quick_import():
                from mockserver.app import create_app
                from mockserver.cli.serving import Alone, serve

            serve(create_app(settings), config, Alone())
    except CannotServe as error:
        return _complain(str(error), FAILED)
    return 0


def _exec(values: Mapping[str, Any]) -> int:
    from mockserver.cli import execute

    arguments: list[str] = values["arguments"]
    cut = arguments.index("--") if "--" in arguments else 0 if arguments and arguments[0][:1] != "-" else len(arguments)
    flags, command = EXEC.parse(arguments[:cut]), [word for word in arguments[cut:][:1] if word != "--"]
    command += arguments[cut:][1:]
    if flags.get("help"):
        from mockserver.cli.help import print_command

        print_command("mockserver", EXEC)
        return 0
    if not command:
        raise ValueError("exec runs a program: mockserver exec [OPTIONS] -- CMD ARGS…")
    try:
        return execute.run(command, flags, _file(flags))
    except execute.FAILURES as error:
        return _complain(str(error), execute.status_of(error))


def _prices(values: Mapping[str, Any]) -> int:
    from mockserver.cli import tables

    return _print(*tables.prices(_app(_file(values), {})))


def _providers(values: Mapping[str, Any]) -> int:
    from mockserver.cli import tables

    return _print(*tables.providers(_app(_file(values), {})))


def _print(*found: "Table") -> int:
    from rich.console import Console

    # in a pipe or a file, rich's default width of 80 would break names in two
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    for table in found:
        console.print(table)
    return 0


def _scenarios(values: Mapping[str, Any]) -> int:
    from mockserver.providers.base import discover
    from mockserver.scenarios.reading import read, shipped

    providers = {provider.name: provider for provider in discover()}
    for name, path in shipped().items():
        print(f"{name:16} {read(name, providers).description}\n{'':16} {path}")
    return 0


def _openapi(values: Mapping[str, Any]) -> int:
    import json

    from mockserver.openapi import serving

    names: list[str] = values["arguments"]
    if names[:1] in (["--help"], ["-h"]):
        from mockserver.cli.help import print_command

        print_command("mockserver", OPENAPI)
        return 0
    app = _app(_file({}), {})
    known = (*app.mounts, serving.CONTROL)
    if len(names) != 1 or names[0] not in known:
        raise ValueError(f"openapi takes one name: {', '.join(known)}.")
    try:
        print(json.dumps(app.description(names[0], f"http://127.0.0.1:{app.settings.port}"), indent=2))
    except serving.NotInstalled as error:
        return _complain(str(error), FAILED)
    return 0


def _contract(values: Mapping[str, Any]) -> int:
    from mockserver.cli import contract

    return contract.run(values["arguments"])


def _env(values: Mapping[str, Any]) -> int:
    from mockserver.cli import environment

    found = environment.lines(
        values.get("root_url"),
        values.get("provider"),
        values.get("shell"),
        _file({}),
        proxy=bool(values.get("proxy")),
        ca_bundle=values.get("ca_bundle"),
    )
    for line in found:
        print(line)
    return 0


EXEC = Command(
    "exec",
    "Run a program whose connections to the documented hosts end at a mock: mockserver exec -- CMD ARGS…",
    _exec,
    (
        _CONFIG,
        _HELP,
        Flag("url", "--url", "Use a running server, started with --proxy-port, in place of a new one.", "URL"),
        Flag(
            "isolate",
            "--isolate",
            "Linux: run server and program in a network namespace without a connection to the outside.",
        ),
        *setting_flags(),
    ),
    "Run a program whose connections to the documented https hosts end at a mock, unmodified: "
    "mockserver exec [OPTIONS] -- CMD ARGS…\n\n"
    "It starts a server on a free port, runs CMD, prints one line about what CMD did, and exits with CMD's status. "
    "The other options are those of serve.",
    passes_on=True,
    runs=True,
)

OPENAPI = Command(
    "openapi",
    "Print an OpenAPI 3.1 description: of a provider by its name, or of the control surface by the name control.",
    _openapi,
    (_HELP,),
    description="Print an OpenAPI 3.1 description: mockserver openapi PROVIDER|control\n\n"
    "A running server has them at /PROVIDER/openapi.json and /_mock/openapi.json. "
    "They need pip install 'image-api-mockserver[openapi]'.",
    passes_on=True,
    places=("PROVIDER|control",),
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "serve",
        "Serve every provider on one port, until Ctrl-C.",
        _serve,
        (_CONFIG, _VERSION, _HELP, *setting_flags()),
        _SERVE,
        _TOML.format(tables="\n".join(option.meaning for option in OPTIONS if not option.in_flags)),
    ),
    EXEC,
    Command(
        "prices",
        "Print the prices and durations of all calls, with those of a TOML file.",
        _prices,
        (_CONFIG, _HELP),
    ),
    Command(
        "providers",
        "Print the providers: their base URLs on this server, models and endpoints.",
        _providers,
        (_CONFIG, _HELP),
    ),
    Command(
        "scenarios",
        "Print the scenarios that serve --scenario NAME knows, and their files.",
        _scenarios,
        (_HELP,),
    ),
    OPENAPI,
    Command(
        "contract",
        "Run the contract suite against a new mock server, or against --target PROVIDER=URL.",
        _contract,
        passes_on=True,
        places=("PROVIDER|receiver",),
    ),
    Command(
        "env",
        'Print environment variables that direct clients to this server: eval "$(mockserver env)".',
        _env,
        (
            Flag(
                "root_url",
                "--root-url",
                "Root URL of the server; by default from the environment variables and the TOML file.",
                "URL",
            ),
            Flag(
                "proxy",
                "--proxy",
                "Print variables that direct unmodified programs to the proxy of a server started with --proxy-port.",
            ),
            Flag("ca_bundle", "--ca-bundle", "With --proxy: write the certificates to this file.", "FILE"),
            Flag("provider", "--provider", "The provider for OpenAI clients.", "PROVIDER", "default xhuoapi"),
            Flag(
                "shell",
                "--shell",
                "The output's syntax: sh (also for bash and zsh), fish, powershell, or dotenv (a .env file).",
                "sh|fish|powershell|dotenv",
                "default sh",
            ),
            _HELP,
        ),
    ),
    *BY_HAND,
    completion_command("mockserver", (_VERSION, _HELP), _HELP, lambda: COMMANDS),
)
