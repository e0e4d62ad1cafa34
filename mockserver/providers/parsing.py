"""Reads request fields into a provider's model, and turns validation errors into Problems. Shared by all providers."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mockserver.engine.addresses import BadTarget
from mockserver.engine.problems import Kind, Problem

M = TypeVar("M", bound="Fields")

LONGEST_MESSAGE = 160
"""Characters of pydantic's message that an error shows."""


class Fields(BaseModel):
    """The base of a provider's request models: JSON types are strict, unknown fields are ignored (ALL-TYPE-1).

    Of several wrong fields, the one that the model declares first is reported: declare `model`, then the required ones.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


LONGEST_PROMPT = 100_000
"""Characters of a prompt where a service documents no limit of its own; a ruling of ours, so that tasks stay small."""

LONGEST_SIZE = 10_000
"""Characters of a `size`; no documented one comes near."""

NOT_BLANK = AfterValidator(_not_blank)
"""Refuses blank text. Put it last in a field's annotation: pydantic checks what follows a function more slowly."""

Prompt = Annotated[str, Field(max_length=LONGEST_PROMPT), NOT_BLANK]
"""A prompt, where a service documents no limit of its own."""


_FALSE = ("", "false", "0", "no", "off")
"""How forms write false."""


def _not_streamed(value: Any) -> Any:
    if value.strip().lower() not in _FALSE if isinstance(value, str) else value:
        raise ValueError("this service does not stream; every answer is one JSON body, so leave stream out")
    return value


NotStreamed = Annotated[Any, AfterValidator(_not_streamed)]
"""`stream`, refused unless it is false: an SDK would wait for events that never come (XH-STREAM-1)."""


def known_fields(model: type[Fields]) -> frozenset[str]:
    """The names of a model's fields as requests write them."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def read(model: type[M], fields: Mapping[str, Any]) -> M:
    """The model of a JSON body's fields. Raises Problem(INVALID_PARAMETER) for the first that is wrong."""
    try:
        found: M = model.__pydantic_validator__.validate_python(fields)  # as model_validate does, without its options
    except ValidationError as error:
        raise _first_problem(error, model) from None
    return found


def read_text(model: type[M], fields: Mapping[str, Any]) -> M:
    """The model of a form's fields, where numbers and booleans come as text. Raises Problem(INVALID_PARAMETER)."""
    try:
        return model.model_validate_strings(fields, strict=False)
    except ValidationError as error:
        raise _first_problem(error, model) from None


def _first_problem(error: ValidationError, model: type[BaseModel]) -> Problem:
    """The first problem in the order of the model's fields, in a sentence that echoes no input."""
    order = [field.alias or name for name, field in model.model_fields.items()]
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = min(problems, key=lambda problem: order.index(str(problem["loc"][0])) if problem["loc"] else -1)
    field = str(first["loc"][0]) if first["loc"] else None
    if first["type"] == "missing":
        return Problem(Kind.INVALID_PARAMETER, f"{field} is required", field=field)
    place = "".join(f"[{part}]" for part in first["loc"][1:] if isinstance(part, int))
    said = first["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    return Problem(Kind.INVALID_PARAMETER, f"{field}{place}: {said[:LONGEST_MESSAGE]}", field=field)


def read_callback_url(url: str | None, check: Callable[[str], None]) -> str | None:
    """The callback URL of a request, None for None and "".

    `check` raises BadTarget for a URL that the service refuses.

    Raises:
        Problem: INVALID_PARAMETER on `callback_url`.
    """
    if not url:
        return None
    try:
        check(url)
    except BadTarget as error:
        raise Problem(Kind.INVALID_PARAMETER, f"callback_url: {error}", field="callback_url") from None
    return url
