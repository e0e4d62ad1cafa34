"""Writes a snapshot as one JSON document in small pieces, so that no piece holds the interpreter's lock for long."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from typing import Any

from pydantic_core import from_json, to_json

from mockserver.engine.journal import SHORTEST_SECRET, without
from mockserver.engine.snapshot import State
from mockserver.engine.text import write_json

_PIECE = {"tasks": 100, "deliveries": 50, "accounts": 1, "sinks": 1}
"""How many records of a list make a piece; an account has up to 1,000 usage records, a sink as many requests."""

_SMALL_RECORDS = 1_000


def pieces(state: State, faults: Mapping[str, Any], secrets: Sequence[str]) -> Iterator[bytes]:
    """The document `{"engine": state, **faults}`; in the state, no text has one of the secrets."""
    searched = [(to_json(secret)[1:-1], secret) for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def written(value: Any) -> bytes:
        data = write_json(value, inf_nan_mode="strings")
        for escaped, secret in searched:
            if escaped in data:
                data = to_json(without(from_json(data), secret))
        return data

    yield b'{"engine":{'
    for number, part in enumerate(fields(State)):
        value = getattr(state, part.name)
        yield b'%s"%s":' % (b"," if number else b"", part.name.encode())
        if isinstance(value, list | dict):
            yield from _of_many(value, _PIECE.get(part.name, _SMALL_RECORDS), written)
        else:
            yield written(value)
    yield b"}," + to_json(faults)[1:]


def _of_many(records: list[Any] | dict[str, Any], size: int, written: Any) -> Iterator[bytes]:
    """A JSON array or object, `size` records at a time."""
    start, end = (b"{", b"}") if isinstance(records, dict) else (b"[", b"]")
    rest = iter(records.items() if isinstance(records, dict) else records)
    yield start
    comma = b""
    while piece := list(islice(rest, size)):
        yield comma + written(dict(piece) if isinstance(records, dict) else piece)[1:-1]
        comma = b","
    yield end
