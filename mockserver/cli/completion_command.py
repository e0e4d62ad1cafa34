"""The command `completion`. Imports the scripts only to print one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockserver.cli.arguments import Command, Flag

_SHELLS = "bash|zsh|fish"

_TEXT = """Print a script that completes commands, flags and their values.

bash and zsh: eval "$(mockserver completion bash)" in ~/.bashrc, or with zsh in ~/.zshrc.
fish: mockserver completion fish > ~/.config/fish/completions/mockserver.fish
Print it again after an update, and for the providers of a newly installed package."""


def completion_command(
    program: str, flags: Sequence[Flag], help_flag: Flag, commands: Callable[[], Sequence[Command]]
) -> Command:
    """The command for a program with these flags and commands."""

    def run(values: Mapping[str, Any]) -> int:
        from mockserver.cli.completion import script

        print(script(values["operands"][0], program, flags, commands()), end="")
        return 0

    return Command(
        "completion",
        "Print a script for a shell that completes these commands.",
        run,
        (help_flag,),
        _TEXT,
        operands=_SHELLS,
        least=1,
        most=1,
        places=(_SHELLS,),
    )
