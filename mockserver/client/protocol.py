"""Operations without I/O: a generator yields calls to the control surface, is sent their answers as JSON, and returns
the result. So each operation is written once, and runs over a blocking or an asynchronous connection.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

T = TypeVar("T")

PATIENCE = 30.0
"""Real seconds that a call may take beyond what it asks the server to wait."""


class MockError(Exception):
    """The control surface refused a call; `message` says what exists instead."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def hide_misuse(excinfo: Any) -> bool:
    """As a module's `__tracebackhide__`: pytest ends the traceback of a refusal or of a failed assertion at the
    caller's line; the traceback of a defect of this client is shown in full."""
    return excinfo is not None and isinstance(excinfo.value, (MockError, AssertionError))


__tracebackhide__ = hide_misuse


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One call. `timeout` is in real seconds; None waits as long as it takes."""

    method: str
    path: str
    query: Mapping[str, str | tuple[str, ...] | None] | None = None
    body: Any = None
    timeout: float | None = PATIENCE

    @property
    def target(self) -> str:
        """Path and query as they go into the request line."""
        given = {name: value for name, value in (self.query or {}).items() if value is not None}
        query = urlencode(given, doseq=True)
        return f"/_mock/{self.path}" + (f"?{query}" if query else "")

    @property
    def content(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body).encode()


Operation = Generator[ControlCall, Any, T]


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def read_answer(status: int, data: bytes) -> Any:
    """The JSON of an answer. Raises MockError for a refusal, and for what is no answer of a control surface."""
    try:
        answer = json.loads(data)
    except ValueError:
        raise MockError(status, "not_json", "This is not the address of a mock server: it answers no JSON.") from None
    if status < 400:
        return answer
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict) or "message" not in error:
        raise MockError(status, "unknown", f"This is not the address of a mock server: it answers {status}.")
    raise MockError(status, str(error.get("code")), str(error["message"]))
