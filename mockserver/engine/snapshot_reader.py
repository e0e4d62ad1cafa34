"""Reads a snapshot: JSON in, a `State` out. Nothing is converted on the way, and errors name the field.

The long lists are parsed and checked a few records at a time: a large snapshot is read in a thread, and one long call
would hold the interpreter's lock for all of it.
"""

import json
import re
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from mockserver.engine.snapshot import State

_PIECE = 100
"""Records that are checked at once."""

_WHITESPACE = re.compile(r"[ \t\n\r]*")
_LISTS = tuple(part.name for part in fields(State) if str(part.type).startswith("list["))
_Path = tuple[str | int, ...]


class NotJson(ValueError):
    """A text that is no JSON object."""


def _no_number(name: str) -> None:
    raise NotJson(f"{name} is no JSON number")


_SCAN = json.JSONDecoder(parse_constant=_no_number).raw_decode


@cache
def _reader(name: str) -> TypeAdapter[Any]:
    """Reads a list of `State`, or all of it for "". Made at its first use: making one takes milliseconds."""
    return TypeAdapter(get_type_hints(State)[name] if name else State)


def read(text: str) -> tuple[State | None, dict[str, Any]]:
    """The state in a document, and the document's other fields; None for the state if there is no object for it.

    Raises:
        NotJson: the text is no JSON object.
        ValueError: naming the field that is missing, unknown, or not what a snapshot has there.
    """
    state: State | None = None

    def field(name: str, at: int) -> tuple[Any, int]:
        nonlocal state
        if name != "engine" or text[at : at + 1] != "{":
            return _SCAN(text, at)
        state, end = _state(text, at)
        return {}, end

    try:
        document, end = _object(text, _skip(text, 0), field)
        if _skip(text, end) != len(text):
            raise NotJson(f"there is more behind it, at character {end}")
    except (json.JSONDecodeError, RecursionError) as error:
        raise NotJson(str(error)) from None
    return state, document


def _state(text: str, at: int) -> tuple[State, int]:
    lists: dict[str, list[Any]] = {}

    def field(name: str, at: int) -> tuple[Any, int]:
        if name not in _LISTS or text[at : at + 1] != "[":
            return _SCAN(text, at)
        lists[name], end = _records(name, text, at)
        return [], end

    given, end = _object(text, at, field)
    state: State = _read("", given, ())
    filled: dict[str, Any] = {name: records for name, records in lists.items() if given[name] == []}
    return replace(state, **filled), end


def _records(name: str, text: str, at: int) -> tuple[list[Any], int]:
    """A list of records from its bracket on, and where it ends."""
    found: list[Any] = []
    piece: list[Any] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        if found or piece:
            at = _skip(text, _expect(text, at, ","))
        value, at = _SCAN(text, at)
        piece.append(value)
        if len(piece) == _PIECE:
            found += _read(name, piece, (name, len(found)))
            piece = []
        at = _skip(text, at)
    return found + _read(name, piece, (name, len(found))), at + 1


def _object(text: str, at: int, field: Callable[[str, int], tuple[Any, int]]) -> tuple[dict[str, Any], int]:
    """A JSON object whose values `field` reads, given their name and where they begin; and where it ends."""
    found: dict[str, Any] = {}
    at = _skip(text, _expect(text, at, "{"))
    while text[at : at + 1] != "}":
        if found:
            at = _skip(text, _expect(text, at, ","))
        _expect(text, at, '"')
        name, at = _SCAN(text, at)
        at = _skip(text, _expect(text, _skip(text, at), ":"))
        found[name], at = field(name, at)
        at = _skip(text, at)
    return found, at + 1


def _skip(text: str, at: int) -> int:
    """The next place that is no white space."""
    found = _WHITESPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise NotJson(f"{sign} is missing at character {at}")
    return at + 1


def _read(name: str, given: Any, place: _Path) -> Any:
    """What a JSON value means; `place` is the name of its list and the number of its first record, or ()."""

    def path(parts: _Path) -> str:
        return _path((place[0], int(place[1]) + int(parts[0]), *parts[1:]) if place and parts else parts)

    try:
        value = _reader(name).validate_json(to_json(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{path(first['loc'])}: {first['msg'][:200]}") from None
    written = from_json(to_json(value, inf_nan_mode="strings"))
    different = _difference(given, written, ())
    if different is not None:
        raise ValueError(f"{path(different)} is not what a snapshot has there")
    return value


def _path(parts: tuple[str | int, ...]) -> str:
    """A place as in `tasks[3].job.count`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part:.60}" for part in parts)[:300].removeprefix(".")


def _difference(given: Any, written: Any, place: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
    """Where a value that was given differs from how it was read: a text read as a number, say, or an unknown field."""
    if isinstance(given, dict) and isinstance(written, dict):
        for name in given.keys() ^ written.keys():
            return (*place, str(name))
        pairs = ((name, item, written[name]) for name, item in given.items())
    elif isinstance(given, list) and isinstance(written, list) and len(given) == len(written):
        pairs = ((number, *both) for number, both in enumerate(zip(given, written, strict=True)))
    elif type(given) is type(written) or (type(given), type(written)) == (int, float):
        return None if given == written else place
    else:
        return place
    for part, item, read_as in pairs:
        found = _difference(item, read_as, (*place, part))
        if found is not None:
            return found
    return None
