"""`mockserver completion`: a script for bash, zsh or fish, made from the table of commands.

candidates           what may stand at each place of each command
bash zsh fish        the script of each shell; each asks nothing of the server, and starts no process
"""

from collections.abc import Callable, Mapping, Sequence

from mockserver.cli.arguments import Command, Flag
from mockserver.cli.completion import bash, fish, zsh
from mockserver.cli.completion.candidates import Line, Program, Switch, line_of, switch_of

SHELLS: Mapping[str, Callable[[Program], str]] = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}

__all__ = ["SHELLS", "Line", "Program", "Switch", "script"]


def script(shell: str, name: str, flags: Sequence[Flag], commands: Sequence[Command]) -> str:
    """The completion script of a program: its own flags and its commands. Raises ValueError for an unknown shell."""
    if shell not in SHELLS:
        raise ValueError(f"{shell!r:.40} is not one of {', '.join(SHELLS)}")
    program = Program(name, tuple(map(switch_of, flags)), tuple(map(line_of, commands)))
    return SHELLS[shell](program)
