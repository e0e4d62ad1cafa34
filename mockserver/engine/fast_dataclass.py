"""Records that every request makes by the handful: fixed once made, and cheap to make."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def fast_dataclass(cls: type[T]) -> type[T]:
    """A dataclass with slots that the type checker holds to be frozen.

    `frozen=True` would set each field by a call of its own when a record is made, which takes five times as long.
    """
    return dataclass(slots=True)(cls)
