"""What is printed: a line of JSON, colours, a count, the last line. Imports only the standard library."""

import json
import re
from collections.abc import Mapping
from typing import Any


def json_line(event: str, **facts: Any) -> str:
    """One event as a JSON object on one line, in ASCII."""
    return json.dumps({"event": event, **facts})


def paint(text: str, code: str, colour: bool) -> str:
    """`text` in a terminal colour or style (an SGR code), if there is to be any."""
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def wants_colour(stream: Any, environ: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal that is to have colours (https://no-color.org)."""
    return bool(stream and stream.isatty()) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def stopped_line(pending: tuple[int, int] | None, *, as_json: bool, colour: bool) -> str:
    """The last line of a server: how many tasks and callbacks are pending; None if its store does not say so."""
    if as_json:
        return json_line("stopped", pending=pending and dict(zip(("tasks", "callbacks"), pending, strict=True)))
    after_echo = "\n" if colour else ""  # a terminal has written ^C
    if pending is None:
        return f"{after_echo}Stopped; the store does not say what is pending."
    counts = [count(number, noun) for number, noun in zip(pending, ("task", "callback"), strict=True) if number]
    return f"{after_echo}Stopped; {' and '.join(counts) or 'nothing'} still pending."


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def without_password(url: str) -> str:
    """A URL without the user name and password that it may have."""
    return re.sub("//[^/@]*@", "//", url)
