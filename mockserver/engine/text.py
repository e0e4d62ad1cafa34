"""Text that any JSON writer and any terminal's encoding can take, whatever bytes it came from.

aiohttp and the file system give bytes that are not UTF-8 as lone surrogates (PEP 383), which no UTF-8 writer accepts.
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal

from pydantic_core import PydanticSerializationError, to_json

_SURROGATE = re.compile("[\ud800-\udfff]")


def safe_text(text: str) -> str:
    """`text` with each lone surrogate escaped: a byte that was not UTF-8 as `\\xe9`, another one as `\\ud800`."""
    return text if text.isascii() else _SURROGATE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def safe_value(value: Any) -> Any:
    """A value that is about to be written as JSON, with every text in it made safe, names of fields included."""
    if isinstance(value, str):
        return safe_text(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: safe_value(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {safe_text(name) if isinstance(name, str) else name: safe_value(item) for name, item in value.items()}
    return [safe_value(item) for item in value] if isinstance(value, list | tuple | deque) else value


def write_json(value: Any, inf_nan_mode: Literal["null", "strings"] = "null") -> bytes:
    """`value` as JSON. Texts that no JSON can hold are escaped instead of failing."""
    try:
        return to_json(value, inf_nan_mode=inf_nan_mode)
    except (PydanticSerializationError, UnicodeError):
        return to_json(safe_value(value), inf_nan_mode=inf_nan_mode)
