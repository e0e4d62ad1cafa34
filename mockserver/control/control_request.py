"""One call to the control surface: what a handler is given, and how it refuses."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, HTTPRequestEntityTooLarge, RequestPayloadError
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1_000
LONGEST_WAIT = 60.0

M = TypeVar("M", bound=BaseModel)


class Refusal(Exception):
    """An error of the control surface: a 4xx and a sentence that says what exists instead."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def bad(message: str) -> Refusal:
    """400: what was asked makes no sense."""
    return Refusal(400, "bad_request", message)


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """The request, the variable parts of its path, and how many bytes its body may have."""

    http_request: BaseRequest
    params: Mapping[str, str]
    largest: int

    def query(self, name: str) -> str | None:
        """A query parameter; None if it is absent or empty."""
        return self.http_request.query.get(name) or None

    def limit(self) -> int:
        """How many records a list is to have."""
        text = self.query("limit") or str(DEFAULT_LIMIT)
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_LIMIT):
            raise bad(f"limit is a whole number from 1 to {LARGEST_LIMIT}.")
        return int(text)

    def wait(self) -> float | None:
        """For how many real seconds an outcome is to be waited for."""
        text = self.query("wait")
        if text is None:
            return None
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= LONGEST_WAIT:
            raise bad(f"wait is a number of seconds from 0 to {LONGEST_WAIT:g}.")
        return seconds

    async def raw(self) -> bytes:
        """The body's bytes. Raises Refusal for one that is too large, by its header if that says so, or broken off."""
        too_large = Refusal(413, "too_large", f"The body is larger than --max-body allows: {self.largest} bytes.")
        if (self.http_request.content_length or 0) > self.largest:
            raise too_large
        try:
            return await self.http_request.read()
        except HTTPRequestEntityTooLarge:
            raise too_large from None
        except (RequestPayloadError, ClientPayloadError, HttpProcessingError):
            raise bad("The body is broken off, or not framed as its headers say.") from None

    async def body(self) -> dict[str, Any]:
        """The JSON object sent along; an empty body is an empty object."""
        data = await self.raw()
        if not data.strip():
            return {}
        try:
            value = from_json(data, allow_inf_nan=False)
        except ValueError as error:
            raise bad(f"The body is not valid JSON: {str(error)[:100]}.") from None
        if not isinstance(value, dict):
            raise bad("The body must be a JSON object.")
        return value

    async def read(self, model: type[M]) -> M:
        """The body as a model."""
        try:
            return model.model_validate(await self.body())
        except ValidationError as error:
            raise bad(first_error(error, model)) from None


Handler = Callable[[ControlRequest], Awaitable[Any]]


def first_error(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """What pydantic found first, in a sentence that echoes no input and says which fields there are."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the body"
    known = f" There are {', '.join(model.model_fields)}." if model and first["type"] == "extra_forbidden" else ""
    return f"{place[:60]}: {first['msg'][:160]}.{known}"
