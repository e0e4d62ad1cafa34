"""The commands. Each takes its arguments, calls the library, and prints; what goes wrong leaves in one line."""

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mockserver import __version__
from mockserver.app import App, create_app
from mockserver.cli import contract
from mockserver.cli.checks import address
from mockserver.cli.options import CONFIG_ENV, OPTIONS, Option
from mockserver.cli.serving import CannotListen, serve
from mockserver.cli.sources import load
from mockserver.client.environment import OPENAI_PROVIDER, client_environment
from mockserver.http.listening import root_url as settings_root_url

FAILED, MISUSED = 1, 2


def _plain(text: str) -> str:
    """A text without markup as rich's markup writes it: rich itself is needed once help is printed, not before."""
    return text.replace("[", "\\[")


def _help(meaning: str, facts: str) -> str:
    """What an option means, and below it, more quietly, its variable and its default."""
    return f"{_plain(meaning)}\n\n[dim]{_plain(facts)}[/]"


Config = Annotated[
    str | None,
    typer.Option(
        "--config", metavar="FILE", help=_help("TOML file with settings. Flags and variables override it.", CONFIG_ENV)
    ),
]


def _version(asked: bool) -> None:
    if asked:
        print(f"mockserver {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", metavar=" ", help="Print the version.", callback=_version, is_eager=True)
]

_HELP = """A local stand-in for three paid image-generation APIs: xhuoapi, icodeeasy and evolink.

[bold]mockserver serve[/] starts it and prints where everything is."""

_SERVE_HELP = """Serve every provider on one port, until Ctrl-C.

A setting is a flag, or else the environment variable named below it, or else a key of a TOML file. In a variable,
what a flag can be repeated for is a list with commas between, or a JSON array."""

_EPILOG = """A TOML file has the flags' names as keys, as in [bold]port = 8081[/] and [bold]api_key = \\["sk_one"][/].
It may have these tables too, with the names that [bold]mockserver prices[/] prints:

{tables}"""

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(
    name="mockserver",
    help=_HELP,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; its exit status."""
    try:
        return app(arguments, prog_name="mockserver", standalone_mode=False) or 0
    except CannotListen as error:
        return _complain(str(error), FAILED)
    except ValueError as error:
        return _complain(str(error), MISUSED)
    except Exception as error:
        said = getattr(error, "format_message", None)  # what typer says of its arguments, whichever its version
        if said is None:
            raise
        return _complain(said(), MISUSED)


def _complain(sentence: str, status: int) -> int:
    print(f"mockserver: {' '.join(sentence.split())}", file=sys.stderr)
    return status


@app.callback(invoke_without_command=True)
def root(context: typer.Context, version: Version = False) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def _app(config: str | None, flags: Mapping[str, Any]) -> App:
    return create_app(load({name: value for name, value in flags.items() if value not in (None, [], False)}, config))


def _file(config: str | None) -> str | None:
    """The TOML file that the flag names, or else the environment."""
    return config if config is not None else os.environ.get(CONFIG_ENV) or None


def _serve(config: Config = None, version: Version = False, **flags: Any) -> None:
    serve(_app(_file(config), flags), _file(config))


def _parameter(option: Option) -> inspect.Parameter:
    """A setting as typer understands it: as text, which `sources` reads the same whencever it comes."""
    kind: Any = bool if option.kind is bool else list[str] if option.repeatable else str
    default = f" · default {option.default_text}" if option.default_text else ""
    words = typer.Option(
        option.flag,
        metavar=" " if option.kind is bool else option.metavar,
        help=_help(option.meaning, option.env + default),
        rich_help_panel=option.group,
    )
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, words]
    )


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with a parameter for each setting in place of its `**flags`."""
    parameters = inspect.signature(command).parameters.values()
    own = [parameter for parameter in parameters if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    every = [*map(_parameter, (option for option in OPTIONS if option.in_flags)), *own]
    command.__signature__ = inspect.Signature([p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in every])  # type: ignore[attr-defined]
    return command


app.command(
    "serve",
    help=_SERVE_HELP,
    epilog=_EPILOG.format(tables="\n".join(_plain(option.meaning) for option in OPTIONS if not option.in_flags)),
)(_with_settings(_serve))


@app.command()
def prices(config: Config = None) -> None:
    """Print what every call costs and how long it takes, with the changes of a TOML file."""
    from mockserver.cli import tables

    _print(*tables.prices(_app(_file(config), {})))


@app.command()
def providers(config: Config = None) -> None:
    """Print the providers: their addresses here, models and endpoints."""
    from mockserver.cli import tables

    _print(*tables.providers(_app(_file(config), {})))


def _print(*found: "Table") -> None:
    from rich.console import Console

    # a pipe or a narrow window would break names in two; a file has all the width it needs
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    for table in found:
        console.print(table)


@app.command(
    "contract",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def contract_suite(context: typer.Context) -> int:
    """Run the contract suite: on a mock of its own, or on --target PROVIDER=URL. Takes pytest's options."""
    return contract.run(context.args)


def _root() -> str:
    """Where a server is that is started with nothing but the variables and the file."""
    settings = load({}, _file(None))
    if settings.port == 0 and not settings.public_url:
        raise ValueError("port 0 is another one each time: say --root-url, as the server prints it at its start")
    return settings_root_url(settings, settings.port)


@app.command("env")
def environment(
    root_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where the server is; without it, where the variables and the file say."),
    ] = None,
    provider: Annotated[str, typer.Option(metavar="NAME", help="Where OpenAI clients go.")] = OPENAI_PROVIDER,
) -> None:
    """Print the environment that points clients here: eval "$(mockserver env)"."""
    root = address(root_url) if root_url is not None else _root()
    for name, value in client_environment(root, provider).items():
        print(f"export {name}={quote(value)}")
