"""multipart/form-data bodies: text fields and files, within bounds, in memory."""

from dataclasses import dataclass

from aiohttp import BodyPartReader, ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.multipart import BadContentDispositionHeader, BadContentDispositionParam
from aiohttp.web import BaseRequest, RequestPayloadError

_BROKEN = (
    *(ValueError, LookupError, AssertionError, RuntimeError, ConnectionError),
    *(RequestPayloadError, ClientPayloadError, HttpProcessingError),
    *(BadContentDispositionHeader, BadContentDispositionParam),  # warnings, which a test run may have made errors
)


class MalformedForm(Exception):
    """A body that is no form; the text says why."""


class TooLarge(Exception):
    """A form beyond the limit on bodies."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form."""

    field: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its text fields in the order in which they came, and its files."""

    texts: tuple[tuple[str, str], ...]
    uploads: tuple[Upload, ...]

    @property
    def fields(self) -> dict[str, str]:
        """The text fields by name; of a repeated one the last."""
        return dict(self.texts)

    def all_of(self, *names: str) -> list[str]:
        """Every value of the text fields of these names."""
        return [value for name, value in self.texts if name in names]


async def read_form(request: BaseRequest, most: int, largest: int) -> Form:
    """A request's form: at most `most` parts and `largest` bytes in all. Raises MalformedForm or TooLarge."""
    texts: list[tuple[str, str]] = []
    uploads: list[Upload] = []
    room = largest
    try:
        async for part in await request.multipart():
            if len(texts) + len(uploads) == most:
                raise MalformedForm(f"it has more than {most} parts")
            if not isinstance(part, BodyPartReader) or not part.name:
                raise MalformedForm("a part is nested, or has no name")
            part.name.encode()  # a name that is no text fails here
            data = await _read(part, room)
            room -= len(data)
            data = part.decode(data)
            if part.filename is None:
                texts.append((part.name, data.decode(part.get_charset("utf-8"))))
            else:
                uploads.append(Upload(part.name, data))
    except _BROKEN as error:
        raise MalformedForm("it is broken off, or not framed as its Content-Type says") from error
    return Form(tuple(texts), tuple(uploads))


async def _read(part: BodyPartReader, room: int) -> bytes:
    """All of a part. Raises TooLarge if it has more than `room` bytes."""
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > room:
            raise TooLarge
    return bytes(data)
