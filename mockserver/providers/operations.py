"""What a provider may say of its routes beyond its models and refusals: for its OpenAPI description alone.

A provider's `described_in` names a module with `OPERATIONS`, an `Operation` for each "METHOD /path" that it describes.
The module is imported when the description is asked for.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, TypeVar

from pydantic import ConfigDict, with_config

from mockserver.engine.fast_dataclass import fast_dataclass

T = TypeVar("T")


def exact(answer: type[T]) -> type[T]:
    """Decorates a TypedDict of `typing_extensions` that describes JSON: no other fields, no other types."""
    return with_config(ConfigDict(extra="forbid", strict=True))(answer)


@fast_dataclass
class Query:
    """A query parameter, or a request header if `place` is "header"."""

    name: str
    meaning: str
    type: Any = str
    place: str = "query"
    required: bool = False


@fast_dataclass
class Operation:
    """The description of a route.

    Args:
        summary: what it does, in a line.
        answers: the type of the JSON answer by status, None for an answer without a body.
        requests: types of the JSON body; without them, those of the provider's module `models`.
        also: the type of further fields of a JSON body, which the models lack.
        files: the form fields that are files, each once, or repeated if its name ends in [].
        example: a documented request body; without one, the provider's example on its own path.
        parameters: what it reads from its query and its headers.
        callback: the type of the body that is posted to the request's `callback_url`.
        headers: headers of the answers, with what each says.
    """

    summary: str
    answers: Mapping[int, Any] = field(default_factory=dict)
    requests: tuple[Any, ...] = ()
    also: Any = None
    files: tuple[str, ...] = ()
    example: Mapping[str, Any] | None = None
    parameters: tuple[Query, ...] = ()
    callback: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
