"""Parses the arguments of a command by a table of its flags. Imports only the standard library."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from mockserver.engine.fast_dataclass import fast_dataclass


class Misuse(ValueError):
    """Invalid arguments of a command; the text is one line."""


@fast_dataclass
class Flag:
    """One flag. `name` is its key in the result of `parse`; `metavar` names its value, None for a flag without one.

    The help page shows `facts` below `meaning`, dimmed.
    """

    name: str
    flag: str
    meaning: str
    metavar: str | None = None
    facts: str = ""
    group: str = "Options"
    repeatable: bool = False
    short: str = ""


@fast_dataclass
class Command:
    """One command. `run` is called with the values of its flags by name, and returns the exit status."""

    name: str
    meaning: str
    run: Callable[[Mapping[str, Any]], int]
    flags: tuple[Flag, ...] = ()
    description: str = ""
    epilog: str = ""
    passes_on: bool = False
    """Whether `run` gets the unparsed arguments, as the value `arguments`, to pass them to another program."""
    operands: str = ""
    """The words after the flags, as the usage line shows them; they reach `run` as a list under the name `operands`."""
    least: int = 0
    most: int = 0
    """How many operands there may be."""
    places: tuple[str, ...] = ()
    """What may stand at the place of each operand, for completion: a metavar, whose alternatives are parted by |.

    A last one that ends in … is for any number of operands."""
    runs: bool = False
    """Whether the command line of another program follows `--`."""
    _by_flag: dict[str, Flag] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for flag in self.flags:
            self._by_flag.update(dict.fromkeys(filter(None, (flag.flag, flag.short)), flag))

    def parse(self, arguments: Sequence[str]) -> dict[str, Any]:
        """The values of the given flags: a text, a list of texts for a repeatable flag, True for one without a value.

        `--flag VALUE` and `--flag=VALUE` are the same; the last value of a flag given twice counts.

        Raises:
            Misuse: for an unknown flag, a missing or unexpected value, or an argument that is not a flag.
        """
        found: dict[str, Any] = {}
        operands: list[str] = []
        remaining = list(arguments)
        while remaining:
            word = remaining.pop(0)
            name, equals, value = word.partition("=")
            flag = self._by_flag.get(name)
            if flag is None and len(operands) < self.most and not word.startswith("-"):
                operands.append(word)
                continue
            if flag is None:
                raise Misuse(self._unknown(name))
            if flag.metavar is None:
                if equals:
                    raise Misuse(f"Option '{name}' does not take a value.")
                found[flag.name] = True
                continue
            if not equals:
                if not remaining:
                    raise Misuse(f"Option '{name}' requires an argument.")
                value = remaining.pop(0)
            found[flag.name] = [*found.get(flag.name, []), value] if flag.repeatable else value
        if len(operands) < self.least and not found.get("help"):
            raise Misuse(f"Usage: mockserver {self.name} {self.operands}")
        return {**found, "operands": operands} if self.most else found

    def _unknown(self, name: str) -> str:
        if not name.startswith("-") or name == "-":
            return f"Got unexpected extra argument ({name:.60})"
        from difflib import get_close_matches  # slow to import, and needed only for an error

        close = sorted(get_close_matches(name, self._by_flag))
        return f"No such option: {name:.60}" + (f" (Possible options: {', '.join(close)})" if close else "")
