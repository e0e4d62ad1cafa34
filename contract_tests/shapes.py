"""Values for comparisons with `==`: any UUID, time, text or link of the right form."""

import re
from typing import Any
from urllib.parse import urlsplit

from dirty_equals import DirtyEquals, IsInt, IsStr

from .library import PROVIDERS

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


def is_uuid() -> Any:
    return IsStr(regex=_UUID)


def is_unix() -> Any:
    """Unix seconds, whole."""
    return IsInt(gt=1_500_000_000, lt=4_000_000_000)


def begins_with(text: str) -> Any:
    """Text that begins with a documented message; more may follow."""
    return IsStr(regex=re.escape(text) + r".*", regex_flags=re.DOTALL)


def is_text() -> Any:
    """Any non-empty text."""
    return IsStr(min_length=1)


class IsUrl(DirtyEquals[str]):
    """An absolute http(s) URL; `path` is a regular expression of its whole path. Its host is not compared."""

    def __init__(self, path: str = ".*") -> None:
        self.path = path
        super().__init__(path)

    def equals(self, other: Any) -> bool:
        if not isinstance(other, str):
            return False
        parts = urlsplit(other)
        web = parts.scheme in ("http", "https") and bool(parts.netloc)
        return web and re.fullmatch(self.path, _documented_path(parts.path)) is not None


def _documented_path(path: str) -> str:
    """The path without the prefix under which a mock serves several providers on one port."""
    first, slash, rest = path[1:].partition("/")
    return slash + rest if first in PROVIDERS else path


UUID = _UUID
"""The form of a UUID, for regular expressions."""


def assert_same_shape(documented: Any, actual: Any, where: str = "$") -> None:
    """Assert that an answer has exactly the fields of a documented one, each of the same JSON type, in lists too."""
    assert _type(documented) == _type(actual), f"{where}: {documented!r} is documented, {actual!r} came"
    if isinstance(documented, dict):
        assert documented.keys() == actual.keys(), f"{where}: {set(documented)} documented, {set(actual)} came"
        for name in documented:
            assert_same_shape(documented[name], actual[name], f"{where}.{name}")
    elif isinstance(documented, list):
        assert actual, f"{where}: empty"
        for index, item in enumerate(actual):
            assert_same_shape(documented[0], item, f"{where}[{index}]")


def _type(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__
