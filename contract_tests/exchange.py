"""Requests and answers as the suite keeps them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from .pictures import Picture, picture_of

File = tuple[str, str, bytes, str]
"""A multipart file: field, file name, bytes, content type."""

KEPT_REQUEST_HEADERS = ("authorization", "content-type", "idempotency-key")
KEPT_ANSWER_HEADERS = (
    "content-type",
    "content-disposition",
    "location",
    "retry-after",
    "x-request-id",
    "idempotency-replayed",
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request before it is sent. One of `body` (JSON), `content` (raw), `form` with `files`, or none of them."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content: bytes | None = None
    form: Mapping[str, Any] | None = None
    files: tuple[File, ...] = ()

    @property
    def fields(self) -> Any:
        """The fields of a JSON or form body; None for any other body."""
        return self.body if self.form is None else dict(self.form)

    def built(self, client: httpx.Client, timeout: float) -> httpx.Request:
        sent: dict[str, Any] = {"headers": dict(self.headers), "timeout": timeout}
        if self.query:
            sent["params"] = dict(self.query)
        if self.content is not None:
            sent["content"] = self.content
        elif self.form is not None:
            sent["files"] = _parts(self.form, self.files)
        elif self.body is not None:
            sent["json"] = self.body
        return client.build_request(self.method, self.url, **sent)


def _parts(form: Mapping[str, Any], files: tuple[File, ...]) -> list[tuple[str, Any]]:
    fields: list[tuple[str, Any]] = [(name, (None, str(value))) for name, value in form.items()]
    return fields + [(name, (filename, data, kind)) for name, filename, data, kind in files]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole. Header names are lower-case; `elapsed` is in seconds."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    elapsed: float = 0.0

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip()

    def json(self) -> Any:
        """The JSON body. Raises AssertionError, with the answer, if it is not JSON or not declared as JSON."""
        assert self.content_type == "application/json", f"not declared as JSON: {self}"
        try:
            return json.loads(self.content)
        except ValueError:
            raise AssertionError(f"not JSON: {self}") from None

    @property
    def value(self) -> Any:
        """The JSON body, whatever its content type; None if it is not JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    def picture(self) -> Picture:
        """The picture in the body. Raises AssertionError if it does not decode."""
        found = picture_of(self.content)
        assert found is not None, f"not a picture: {self}"
        return found

    def __str__(self) -> str:
        return f"{self.status} {self.headers.get('content-type', '')} {self.content[:600]!r}"


@dataclass(frozen=True, slots=True)
class Exchange:
    call: Call
    answer: Answer
