"""Reads a snapshot: JSON in, a `State` out. Nothing is converted on the way, and errors name the field."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from mockserver.engine.snapshot import State


@cache
def _reader() -> TypeAdapter[State]:
    """Made when it is wanted: making it costs every start milliseconds."""
    return TypeAdapter(State)


def read(given: Mapping[str, Any]) -> State:
    """The state that a JSON object holds.

    Raises:
        ValueError: naming the field that is missing, unknown, or not what a snapshot has there.
    """
    try:
        state = _reader().validate_json(to_json(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{_path(first['loc'])}: {first['msg'][:200]}") from None
    written = from_json(to_json(state, inf_nan_mode="strings"))
    different = _difference(given, written, ())
    if different is not None:
        raise ValueError(f"{_path(different)} is not what a snapshot has there")
    return state


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
