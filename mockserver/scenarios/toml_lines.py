"""The line of a TOML text where a value is, for error messages: tomllib tells it for errors of syntax alone."""

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\[\]#]+?)\s*\]{1,2}\s*(?:#.*)?$")


def line_of(text: str, place: Sequence[str | int]) -> int:
    """The line, from 1, of the deepest part of `place` that is found, as in ("faults", 1, "fault"); 1 if none is.

    Of an array of tables, the header of the table with that index.
    """
    names = [str(part) for part in place if isinstance(part, str)]
    index = next((part for part in place if isinstance(part, int)), 0)
    start, depth, found = _header(text, names, index)
    lines = text.splitlines()
    for number in range(start, len(lines)):
        if number >= start + 1 and _HEADER.match(lines[number]):
            break
        if depth < len(names) and re.match(rf"\s*[\"']?{re.escape(names[depth])}[\"']?\s*[=.]", lines[number]):
            return number + 1
    return found


def _header(text: str, names: Sequence[str], index: int) -> tuple[int, int, int]:
    """Where the search goes on (a line's index), how many of the names its header has, and that header's line."""
    best, seen = (0, 0, 1), 0
    for number, line in enumerate(text.splitlines()):
        match = _HEADER.match(line)
        header = [part.strip().strip("\"'") for part in match[1].split(".")] if match else []
        if not header or header != list(names[: len(header)]) or len(header) < best[1]:
            continue
        if line.lstrip().startswith("[["):
            seen += 1
            if seen != index + 1:
                continue
        best = (number + 1, len(header), number + 1)
    return best
