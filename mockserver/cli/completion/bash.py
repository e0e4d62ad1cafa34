"""The completion script for bash, 3.2 (as macOS has it) or later."""

import shlex
from collections.abc import Iterator

from mockserver.cli.completion.candidates import Candidates, Line, Program

_BODY = r"""# bash completion for PROGRAM: eval "$(PROGRAM completion bash)"
_PROGRAM() {
    # by blanks alone: bash would split --flag=value, name=value and URLs
    local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} words i place=1
    local candidates= files= flags= takes= runs= operands= flag=
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local last=$((${#words[@]} - 1))
    local cur=${words[last]} command=${words[1]} given=
    COMPREPLY=()
    if ((last == 1)); then
        candidates=@COMMANDS@
    else
        case $command in
@FLAGS@
        esac
        for ((i = 2; i < last; i++)); do
            flag=
            case ${words[i]} in
                --) [[ $runs ]] && { _PROGRAM_runs $((last - i)); return; } ;;
                -*) [[ $takes == *" ${words[i]} "* ]] && { flag=${words[i]}; ((i++)); } ;;
                *) ((place++)); operands+=" ${words[i]}" ;;
            esac
        done
        ((i > last)) || flag=
        [[ -z $flag && $cur == --*=* && $takes == *" ${cur%%=*} "* ]] && { flag=${cur%%=*}; given=$flag=; }
        if [[ $flag ]]; then
            case "$command $flag" in
@VALUES@
            esac
        elif [[ $cur == -* ]]; then
            candidates=$flags
        else
            case "$command $place" in
@PLACES@
            esac
        fi
    fi
    local found trim=
    # what stands before '=' is a word of its own to readline
    [[ $cur == *=* && $COMP_WORDBREAKS == *=* ]] && trim=${cur%%=*}=
    for found in $candidates; do
        found=$given$found
        [[ $found == "$cur"* ]] || continue
        COMPREPLY+=("${found#"$trim"}")
        [[ $found == *= ]] && compopt -o nospace 2> /dev/null
    done
    if [[ $files ]]; then
        compopt -o filenames 2> /dev/null
        while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -f -- "${cur#"$given"}")
    fi
}
_PROGRAM_runs() {
    # the command that is run, and its files
    local found
    if (($1 == 1)); then set -- -c; else set -- -f; compopt -o filenames 2> /dev/null; fi
    while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen "$1" -- "$cur")
}
complete -F _PROGRAM PROGRAM
"""


def script(program: Program) -> str:
    """The script."""
    commands = [line.name for line in program.lines] + [switch.names[0] for switch in program.switches]
    parts = {
        "COMMANDS": shlex.quote(" ".join(commands)),
        "FLAGS": "\n".join(map(_flags, program.lines)),
        "VALUES": "\n".join(found for line in program.lines for found in _values(line)),
        "PLACES": "\n".join(found for line in program.lines for found in _places(line)),
    }
    text = _BODY.replace("PROGRAM", program.name)
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def _flags(line: Line) -> str:
    flags = " ".join(switch.names[0] for switch in line.switches)
    takes = " ".join(name for switch in line.switches if switch.value is not None for name in switch.names)
    runs = " runs=1" if line.runs else ""
    return f"            {line.name}) flags={shlex.quote(flags)} takes={shlex.quote(f' {takes} ')}{runs} ;;"


def _values(line: Line) -> Iterator[str]:
    for switch in line.switches:
        if switch.value and (assignments := _assignments(switch.value)):
            yield f"                {shlex.quote(f'{line.name} {switch.names[0]}')}) {assignments} ;;"


def _places(line: Line) -> Iterator[str]:
    for number, place in enumerate(line.places, 1):
        endless = line.repeats and number == len(line.places)
        pattern = f"'{line.name} '*" if endless else f"'{line.name} {number}'"
        if assignments := _assignments(place):
            yield f"                {pattern}) {assignments} ;;"


def _assignments(place: Candidates) -> str:
    words = [f"candidates={shlex.quote(' '.join(place.words))}"] if place.words else []
    files = ["files=1"] if place.files else []
    cases = " ".join(
        f"*' {word} '*) candidates={shlex.quote(' '.join(found))} ;;" for word, found in place.after.items()
    )
    after = [f'case "$operands " in {cases} esac'] if cases else []
    return " ".join(words + files + after)
