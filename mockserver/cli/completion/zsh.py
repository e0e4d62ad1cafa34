"""The completion script for zsh: a file for a folder of $fpath, or text for eval."""

import re
import shlex
from collections.abc import Iterator

from mockserver.cli.completion.candidates import Candidates, Line, Program, Switch

_BODY = r"""#compdef PROGRAM
# zsh completion for PROGRAM: eval "$(PROGRAM completion zsh)"
_PROGRAM_or_files() {
    _alternative "words:name:($*)" 'files:file:_files'
}
@HELPERS@_PROGRAM() {
    local curcontext="$curcontext" state line
    typeset -A opt_args
    local -a known=(
@COMMANDS@
    )
    _arguments -C @FLAGS@ '1:command:->command' '*::argument:->argument'
    case $state in
        command) _describe -t commands command known ;;
        argument)
            case $words[1] in
@LINES@
            esac
            ;;
    esac
}
if [[ $funcstack[1] == _PROGRAM ]]; then
    _PROGRAM "$@"
else
    (($+functions[compdef])) || { autoload -Uz compinit && compinit -i; }
    compdef _PROGRAM PROGRAM
fi
"""

_RUNS = """local -i end=$words[(i)--]
                    ((end < CURRENT)) && { shift $end words; ((CURRENT -= end)); _normal -p $service; return; }
                    """
"""After `--`: the command line of another program."""


def script(program: Program) -> str:
    """The script."""
    parts = {
        "HELPERS": "".join(found for line in program.lines for found in _helpers(program.name, line)),
        "COMMANDS": "\n".join(f"        {_described(line)}" for line in program.lines),
        "FLAGS": " ".join(found for switch in program.switches for found in _specs(program.name, switch)),
        "LINES": "\n".join(_line(program.name, line) for line in program.lines),
    }
    text = _BODY.replace("PROGRAM", program.name)
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def _described(line: Line) -> str:
    return shlex.quote(f"{line.name}:{line.meaning}")


def _line(name: str, line: Line) -> str:
    specs = [spec for switch in line.switches for spec in _specs(name, switch)]
    for number, place in enumerate(line.places, 1):
        endless = line.repeats and number == len(line.places)
        action = f"_{name}_{line.name}_{number}" if place.after else _action(name, place)
        specs.append(shlex.quote(f"{'*' if endless else number}:{line.name}:{action}"))
    arguments = " \\\n                    ".join(("_arguments -S", *specs))
    return f"                {line.name}) {_RUNS if line.runs else ''}{arguments} ;;"


def _specs(program: str, switch: Switch) -> Iterator[str]:
    """The specifications of a flag for `_arguments`; one that may be given once is not offered twice."""
    meaning = re.sub(r"([\[\]:\\])", r"\\\1", switch.meaning)
    others = "*" if switch.repeatable else f"({' '.join(switch.names)})"
    for name in switch.names:
        if switch.value is None:
            yield shlex.quote(f"{others}{name}[{meaning}]")
        else:
            metavar = (switch.metavar or "").replace(":", "\\:")
            equals = "=" if name.startswith("--") else ""
            yield shlex.quote(f"{others}{name}{equals}[{meaning}]:{metavar}:{_action(program, switch.value)}")


def _action(name: str, place: Candidates) -> str:
    words = f"({' '.join(place.words)})" if place.words else ""
    if place.files and words:
        return f" _{name}_or_files {' '.join(place.words)}"
    return "_files" if place.files else words or " "


def _helpers(name: str, line: Line) -> Iterator[str]:
    """A function for each place whose words depend on an operand before it."""
    for number, place in enumerate(line.places, 1):
        if place.after:
            cases = "\n".join(f"        {_case(word, found)}" for word, found in place.after.items())
            yield f'_{name}_{line.name}_{number}() {{\n    case " $words " in\n{cases}\n    esac\n}}\n'


def _case(word: str, found: tuple[str, ...]) -> str:
    beginnings = [one for one in found if one.endswith("=")]
    whole = [one for one in found if not one.endswith("=")]
    parts = [f"compadd -S '' -- {shlex.join(beginnings)}"] if beginnings else []
    parts += [f"compadd -- {shlex.join(whole)}"] if whole else []
    return f"(*' {word} '*) {'; '.join(parts)} ;;"
