"""Records that are fixed once made, and cheap to make: the classes at the start, their instances at each request."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def fast_dataclass(cls: type[T]) -> type[T]:
    """A dataclass with slots that the type checker holds to be frozen; hashable if its fields are.

    `frozen=True` would set each field by a call of its own when a record is made, which takes five times as long.
    Together with a `__repr__`, `__eq__` and `__hash__` that are compiled for each class, it would take four times as
    long to make the classes: a tenth of the server's start.
    """
    made: Any = dataclass(slots=True, repr=False, eq=False)(cls)
    made.compared_fields = _fields_of([one.name for one in fields(made) if one.compare])
    made.__repr__, made.__eq__, made.__hash__ = _repr, _is_equal, _hash
    result: type[T] = made
    return result


def _fields_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What makes the tuple of a record's fields of some names."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda record: tuple([getattr(record, name) for name in names])


def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({shown})"


def _is_equal(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    compared = type(self).compared_fields
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash(type(self).compared_fields(self))
