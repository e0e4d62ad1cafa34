"""The command line: arguments in, exit status out. It calls the library and has no behaviour of its own.

commands             the table of commands; an error is printed as one line
arguments help       parse the arguments of a command; print its help page
completion           the commands and their flags as scripts for bash, zsh and fish
options              the settings as flags, environment variables and keys of a TOML file
sources checks       read the settings from all of these; check their values
startup              imports the server quickly
serving signals      runs the server until a signal ends it; cannot_serve says why it can't
workers/             several processes on one port
announcer output     prints the first and the last lines of a server; what a line is made of
console writer       a log line for each request, task and callback; the thread that writes them
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
