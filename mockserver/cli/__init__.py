"""The command line: arguments in, exit status out; knows every setting, decides nothing.

commands             the table of commands; an error leaves in one line
arguments help       reads the arguments of a command; prints its help page
options              the settings as flags, environment variables and keys of a TOML file
sources checks       the settings filled from all of them, and what a value must be
startup              imports the server quickly
serving              runs the server until a signal ends it; its first and its last lines
console writer       a line for each request, task and callback; the thread that writes them
tables environment contract      `prices` and `providers`, `env`, `contract`
"""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (this process's own, unless given) and return its exit status."""
    from mockserver.cli.commands import run

    try:
        return run(arguments)
    except KeyboardInterrupt:
        return 130
