"""Prints help pages: what a command does, and a box for each group of its flags."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from mockserver.cli.arguments import Command, Flag


def print_overview(name: str, description: str, flags: Sequence[Flag], commands: Sequence[Command]) -> None:
    """Print the page of the whole program: its flags and its commands."""
    console = Console(highlight=False)
    _print_head(console, f"{name} [OPTIONS] COMMAND [ARGS]...", description)
    _print_flags(console, flags)
    grid = _grid()
    for command in commands:
        grid.add_row(Text(command.name, "bold cyan"), Text(command.meaning))
    console.print(Panel(grid, title="Commands", title_align="left", border_style="dim"))


def print_command(name: str, command: Command) -> None:
    """Print the page of one command."""
    console = Console(highlight=False)
    _print_head(
        console, f"{name} {command.name} [OPTIONS] {command.operands}".rstrip(), command.description or command.meaning
    )
    _print_flags(console, command.flags)
    if command.epilog:
        console.print(Text(command.epilog), end="\n\n")


def _print_head(console: Console, usage: str, description: str) -> None:
    console.print(Text.assemble(("Usage: ", "bold yellow"), (usage, "bold")), end="\n\n")
    console.print(Text(description), end="\n\n")


def _print_flags(console: Console, flags: Iterable[Flag]) -> None:
    groups: dict[str, list[Flag]] = {}
    for flag in flags:
        groups.setdefault(flag.group, []).append(flag)
    for group, members in groups.items():
        grid = _grid()
        for flag in members:
            names = Text(", ".join(filter(None, (flag.flag, flag.short))), "bold cyan")
            meaning = Text.assemble(flag.meaning, (f"\n{flag.facts}" if flag.facts else "", "dim"))
            grid.add_row(names + Text(" "), Text(flag.metavar or "", "yellow"), meaning)
        console.print(Panel(grid, title=group, title_align="left", border_style="dim"))


def _grid() -> Table:
    return Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
