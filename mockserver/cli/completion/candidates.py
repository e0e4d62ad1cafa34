"""What may stand at each place of a command line: read from the table of commands, and from what is installed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mockserver.cli.arguments import Command, Flag


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may stand at one place: words, and files. `after` has the words that fit once an operand has been given.

    A word that ends in "=" is the beginning of one.
    """

    words: tuple[str, ...] = ()
    files: bool = False
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Switch:
    """A flag. `metavar` names its value, and `value` is what that may be; both are None for a flag without one."""

    names: tuple[str, ...]
    meaning: str
    metavar: str | None
    value: Candidates | None
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A command with its flags and the places of its operands. With `repeats`, the last place is any number of places.

    With `runs`, a command line of another program follows `--`.
    """

    name: str
    meaning: str
    switches: tuple[Switch, ...]
    places: tuple[Candidates, ...]
    repeats: bool
    runs: bool


@dataclass(frozen=True, slots=True)
class Program:
    """A program with its own flags and its commands."""

    name: str
    switches: tuple[Switch, ...]
    lines: tuple[Line, ...]


def line_of(command: Command) -> Line:
    places = tuple(candidates_of(place.removesuffix("…")) for place in command.places)
    repeats = command.places[-1:] != () and command.places[-1].endswith("…")
    return Line(command.name, command.meaning, tuple(map(switch_of, command.flags)), places, repeats, command.runs)


def switch_of(flag: Flag) -> Switch:
    value = None if flag.metavar is None else candidates_of(flag.metavar)
    names = tuple(filter(None, (flag.flag, flag.short)))
    return Switch(names, " ".join(flag.meaning.split()), flag.metavar, value, flag.repeatable)


def candidates_of(metavar: str) -> Candidates:
    """The candidates of a metavar such as `sh|fish` or `NAME|FILE`: words as they are, and those of the known kinds."""
    if metavar in _KINDS:
        return _KINDS[metavar]()
    parts = [_KINDS[part]() if part in _KINDS else Candidates((part,)) for part in _parts(metavar)]
    words = tuple(word for part in parts for word in part.words)
    return Candidates(words, any(part.files for part in parts), {})


def _parts(metavar: str) -> list[str]:
    """The alternatives that say something: a name in capitals that is no known kind stands for any text."""
    return [part for part in filter(None, metavar.split("|")) if part in _KINDS or not part.isupper()]


def _providers() -> Candidates:
    from mockserver.providers.base import discover

    return Candidates(tuple(sorted(provider.name for provider in discover())))


def _profiles() -> Candidates:
    from mockserver.engine.latency import NAMED

    return Candidates(tuple(NAMED))


def _scenarios() -> Candidates:
    from mockserver.scenarios.reading import shipped

    return Candidates(tuple(shipped()), files=True)


def _faults() -> Candidates:
    from mockserver.faults.base import kinds

    return Candidates(tuple(sorted(kinds())))


def _fault_parameters() -> Candidates:
    """NAME=VALUE words of each kind of fault: its parameters, its conditions and its schedule."""
    from mockserver.faults.base import kinds
    from mockserver.faults.rules import Match, When

    providers = tuple(f"provider={name}" for name in _providers().words)
    common = [name for name in (*Match.model_fields, *When.model_fields) if name != "provider"]
    return Candidates(
        after={
            name: (*(f"{own}=" for own in kind.model_fields if own != "type"), *providers, *(f"{n}=" for n in common))
            for name, kind in sorted(kinds().items())
        }
    )


def _failure_codes() -> Candidates:
    """The codes that `fail` takes, of all providers."""
    from mockserver.providers.base import discover

    codes = {refusal.code for provider in discover() for refusal in provider.failures.values()}
    return Candidates(after={"fail": tuple(sorted(codes))})


_KINDS: Mapping[str, Callable[[], Candidates]] = {
    "FILE": lambda: Candidates(files=True),
    "PROVIDER": _providers,
    "PROFILE": _profiles,
    "NAME|FILE": _scenarios,
    "TYPE": _faults,
    "NAME=VALUE": _fault_parameters,
    "CODE": _failure_codes,
}
"""The metavars that have a meaning here."""
