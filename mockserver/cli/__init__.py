"""The command line: arguments in, exit status out; knows every setting, decides nothing.

commands    the four commands, and what goes wrong in one line
options     the settings as flags, environment variables and keys of a TOML file
sources     the settings filled from all of them
serving     the running server: its first and its last lines, and the signals that end it
tables      what is emulated, as tables
"""

import os
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (this process's own, unless given) and return its exit status."""
    # looking for plugins of pydantic's reads every installed package's metadata, at every start
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    try:
        from mockserver.cli.commands import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130
