"""multipart/form-data bodies: text fields and files, within bounds, in memory."""

import warnings
from typing import Any

from aiohttp import BodyPartReader, ClientPayloadError, MultipartReader
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.multipart import BadContentDispositionHeader, BadContentDispositionParam
from aiohttp.web import BaseRequest, RequestPayloadError

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.http.timeouts import BodyTimeout, ServerStopping

_BAD_DISPOSITION = (BadContentDispositionHeader, BadContentDispositionParam)
_BROKEN = (
    *(ValueError, LookupError, AssertionError, RuntimeError, ConnectionError),
    *(RequestPayloadError, ClientPayloadError, HttpProcessingError),
)
for _category in _BAD_DISPOSITION:  # a client's mistake: it is answered with a 400, not with a warning on stderr
    warnings.filterwarnings("ignore", category=_category)


class MalformedForm(Exception):
    """The body is not a valid form; the text says why."""


class TooLarge(Exception):
    """The form is larger than a body may be."""


@fast_dataclass
class Upload:
    """A file of a form."""

    field: str
    data: bytes


@fast_dataclass
class Form:
    """A form: its text fields in the order sent, and its files."""

    texts: tuple[tuple[str, str], ...]
    uploads: tuple[Upload, ...]

    @property
    def fields(self) -> dict[str, str]:
        """The text fields by name; the last one of a repeated name."""
        return dict(self.texts)

    @property
    def names(self) -> list[str]:
        """The names of the text fields, then of the files, repetitions included."""
        return [*(name for name, _ in self.texts), *(upload.field for upload in self.uploads)]

    def all_of(self, *names: str) -> list[str]:
        """All values of the text fields with these names."""
        return [value for name, value in self.texts if name in names]


class _FormReader(MultipartReader):
    """aiohttp's reader without its own handling of a `_charset_` part, which makes it skip the part after that."""

    async def next(self) -> Any:
        if self._at_eof:
            return None
        await self._maybe_release_last_part()
        if self._at_bof:
            await self._read_until_first_boundary()
            self._at_bof = False
        else:
            await self._read_boundary()
        self._last_part = None if self._at_eof else await self.fetch_next_part()
        return self._last_part

    def set_charset(self, charset: str) -> None:
        """Set the charset of the text parts that have none of their own (RFC 7578, 4.6)."""
        self._default_charset = charset.strip()


async def read_form(request: BaseRequest, most: int, largest: int) -> Form:
    """Read a request's form: at most `most` parts and `largest` bytes in all.

    Raises:
        MalformedForm: naming the part and the reason.
        TooLarge: for more than `largest` bytes.
        BodyTimeout: if the client is too slow.
        ServerStopping: if the server stops before the whole form has come.
    """
    texts: list[tuple[str, str]] = []
    uploads: list[Upload] = []
    room, place = largest, ""
    try:
        reader = _FormReader(request.headers, request.content)
        async for part in reader:
            if len(texts) + len(uploads) == most:
                raise MalformedForm(f"it has more than {most} parts")
            place = f"part {len(texts) + len(uploads) + 1}"
            if not isinstance(part, BodyPartReader):
                raise MalformedForm(f"{place} has a Content-Type of multipart/…: a form within a form is not supported")
            name, is_file = _name_and_kind(part, place)
            place += f' ("{name}")'
            data = await _read(part, room)
            room -= len(data)
            data = part.decode(data)
            if is_file:
                uploads.append(Upload(name, data))
                continue
            texts.append((name, _text(part, data, place)))
            if name == "_charset_":
                reader.set_charset(texts[-1][1])
    except (BodyTimeout, ServerStopping):
        raise
    except _BROKEN as error:
        after = f" at or after {place}" if place else ""
        raise MalformedForm(f"it is incomplete, or not framed as its Content-Type says{after}") from error
    return Form(tuple(texts), tuple(uploads))


def _name_and_kind(part: BodyPartReader, place: str) -> tuple[str, bool]:
    """The field name of a part, and whether it is a file. Raises MalformedForm."""
    disposition = part.headers.get("Content-Disposition", "")
    try:
        name, file_name = part.name, part.filename
    except _BAD_DISPOSITION:
        raise MalformedForm(f"the Content-Disposition of {place} can't be read") from None
    if not name:
        raise MalformedForm(f'{place} has no name: its Content-Disposition must be form-data; name="…"')
    if not name.isascii():
        try:
            name.encode()
        except UnicodeEncodeError:
            raise MalformedForm(f"the name of {place} is not UTF-8") from None
    if file_name is None and "filename" in disposition.lower().replace('"' + name.lower() + '"', ""):
        raise MalformedForm(f'the file name of {place} ("{name}") can\'t be read')
    return name, file_name is not None


def _text(part: BodyPartReader, data: bytes, place: str) -> str:
    """The text of a part without a file name. Raises MalformedForm."""
    charset = part.get_charset("utf-8")
    try:
        text = data.decode(charset)
        text.encode()  # some charsets decode to lone surrogates, which JSON cannot represent
    except LookupError:
        raise MalformedForm(f"{place} is in an unknown charset, {charset[:40]}") from None
    except UnicodeEncodeError:
        raise MalformedForm(f"{place} has a lone surrogate, which is half of a character") from None
    except UnicodeDecodeError:
        raise MalformedForm(
            f"{place} has no file name and is not {charset[:40]} text: a file is sent with filename=…"
        ) from None
    return text


async def _read(part: BodyPartReader, room: int) -> bytes:
    """All of a part. Raises TooLarge if it has more than `room` bytes."""
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > room:
            raise TooLarge
    return bytes(data)
