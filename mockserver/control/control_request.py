"""A request to the control surface, as its handler gets it, and the handler's refusals."""

import asyncio
import re
from codecs import getincrementaldecoder
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, HTTPRequestEntityTooLarge, RequestPayloadError
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from mockserver.http.body import BYTE_ORDER_MARK
from mockserver.http.timeouts import BodyTimeout, ServerStopping

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1_000
LONGEST_WAIT = 60.0
_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class Refusal(Exception):
    """An error answer of the control surface; the message names what is valid instead."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def bad(message: str) -> Refusal:
    """A refusal with status 400."""
    return Refusal(400, "bad_request", message)


def stopping() -> Refusal:
    """503: the server is about to stop, and what was waited for has not come."""
    return Refusal(503, "stopping", "The server is stopping.")


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A request, the variable parts of its path, and the largest size of its body in bytes."""

    http_request: BaseRequest
    params: Mapping[str, str]
    largest: int

    def query(self, name: str) -> str | None:
        """A query parameter; None if it is absent or empty."""
        return self.http_request.query.get(name) or None

    def limit(self) -> int:
        """The number of records in a list's page."""
        return int(self._number("limit", 1, LARGEST_LIMIT, _WHOLE, "a whole number") or DEFAULT_LIMIT)

    def wait(self) -> float | None:
        """For how many real seconds to wait for an outcome; None for not at all."""
        return self._number("wait", 0, LONGEST_WAIT, _DECIMAL, "a number of seconds")

    def _number(self, name: str, least: float, most: float, form: re.Pattern[str], what: str) -> float | None:
        """A number of the query within bounds; None if it is absent. Raises Refusal(400)."""
        text = self.query(name)
        if text is None:
            return None
        if not form.fullmatch(text) or not least <= float(text) <= most:
            raise bad(f"{name} is {what} from {least:g} to {most:g}.")
        return float(text)

    async def raw(self) -> bytes:
        """The body's bytes. Raises Refusal: 413 if it is too large, 408 if it is too slow, 400 if it is incomplete."""
        return await self._complete(self.http_request.read, self.largest, "--max-body")

    async def text(self, largest: int, flag: str) -> str:
        """The body as text, of at most `largest` bytes, which a flag sets. Raises Refusal as `raw` does.

        It is decoded as it arrives, and put together in a thread: a long one would keep others waiting.
        """
        content = self.http_request.content
        decoder = getincrementaldecoder("utf-8-sig")()

        async def decoded() -> str:
            parts, size = list[str](), 0
            async for chunk in content.iter_any():
                size += len(chunk)
                if size > largest:
                    raise HTTPRequestEntityTooLarge(largest, size)
                parts.append(decoder.decode(chunk))
            return await asyncio.to_thread("".join, [*parts, decoder.decode(b"", final=True)])

        try:
            return await self._complete(decoded, largest, flag)
        except UnicodeDecodeError:
            raise bad("The body is not valid UTF-8.") from None

    async def _complete(self, read: Callable[[], Awaitable[T]], largest: int, flag: str) -> T:
        """What `read` makes of the whole body. Raises Refusal as `raw` does."""
        too_large = Refusal(413, "too_large", f"The body is larger than {flag} allows: {largest} bytes.")
        if (self.http_request.content_length or 0) > largest:
            raise too_large
        try:
            return await read()
        except HTTPRequestEntityTooLarge:
            raise too_large from None
        except BodyTimeout as error:
            raise Refusal(408, "timeout", f"{error}.") from None
        except ServerStopping:
            raise stopping() from None
        except (RequestPayloadError, ClientPayloadError, HttpProcessingError):
            raise bad("The body is incomplete, or not framed as its headers say.") from None

    async def body(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty object."""
        data = (await self.raw()).removeprefix(BYTE_ORDER_MARK)
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
    """pydantic's first error as a sentence, without the input; for an unknown field it lists the known ones."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the body"
    known = f" There are {', '.join(model.model_fields)}." if model and first["type"] == "extra_forbidden" else ""
    return f"{place[:60]}: {first['msg'][:160]}.{known}"
