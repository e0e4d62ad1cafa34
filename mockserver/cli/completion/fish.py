"""The completion script for fish, 3.0 or later."""

from collections.abc import Iterator

from mockserver.cli.completion.candidates import Candidates, Line, Program, Switch

_BODY = r"""# fish completion for PROGRAM: PROGRAM completion fish | source
function __PROGRAM_words --description 'The command and its operands, without flags and their values'
    set -l takes @TAKES@
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word $takes
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end
function __PROGRAM_in --argument-names command --description 'Whether this is the command'
    set -l words (__PROGRAM_words)
    test (count $words) -gt 0; and test $words[1] = $command
end
function __PROGRAM_at --argument-names command least most --description 'Whether this is such an operand of the command'
    set -l words (__PROGRAM_words)
    set -l count (count $words)
    test $count -ge $least; and test $count -le $most; and test $words[1] = $command
end
function __PROGRAM_after --argument-names word --description 'Whether an operand has been given'
    contains -- $word (__PROGRAM_words)[2..-1]
end
complete -c PROGRAM -e
complete -c PROGRAM -f
"""

_ENDLESS = 99


def script(program: Program) -> str:
    """The script."""
    takes = sorted(
        {name for line in program.lines for switch in line.switches if switch.value for name in switch.names}
    )
    text = _BODY.replace("PROGRAM", program.name).replace("@TAKES@", " ".join(takes))
    start = f"complete -c {program.name}"
    none = _quoted(f"test (count (__{program.name}_words)) -eq 0")
    lines = [f"{start} -n {none} -a {line.name} -d {_quoted(line.meaning)}" for line in program.lines]
    lines += [f"{start} -n {none} {_switch(switch)}" for switch in program.switches]
    lines += [f"{start} {rest}" for line in program.lines for rest in _line(program.name, line)]
    return text + "\n".join(lines) + "\n"


def _line(name: str, line: Line) -> Iterator[str]:
    condition = f"__{name}_in {line.name}"
    for switch in line.switches:
        yield f"-n {_quoted(condition)} {_switch(switch)}"
    for number, place in enumerate(line.places, 1):
        most = _ENDLESS if line.repeats and number == len(line.places) else number
        here = f"__{name}_at {line.name} {number} {most}"
        if place.words or place.files:
            yield f"-n {_quoted(here)}{_arguments(place)}"
        for word, found in place.after.items():
            yield f"-n {_quoted(f'{here}; and __{name}_after {word}')} -a {_quoted(' '.join(found))}"
    if line.runs:
        after = f"{condition}; and contains -- -- (commandline -opc)"
        rest = "(complete -C (string replace -r '^.*? -- ' '' -- (commandline -pc)))"
        yield f"-n {_quoted(after)} -a {_quoted(rest)}"


def _switch(switch: Switch) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in switch.names)
    value = "" if switch.value is None else f" -r{_arguments(switch.value)}"
    return f"{names}{value} -d {_quoted(switch.meaning)}"


def _arguments(place: Candidates) -> str:
    files = " -F" if place.files else " -f"
    return files + (f" -a {_quoted(' '.join(place.words))}" if place.words else "")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
