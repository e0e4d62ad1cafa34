"""`Range` requests on pictures, as object stores answer them (RFC 9110, section 14)."""

import re

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE | re.ASCII)
_MOST_DIGITS = 18


class Unsatisfiable(Exception):
    """A range that lies behind the end of the content."""


def requested_part(header: str | None, size: int) -> slice | None:
    """The part of `size` bytes that a `Range` header asks for; None for all of it.

    Several ranges at once, another unit and a malformed header get all of it, as RFC 9110 allows.

    Raises:
        Unsatisfiable: for a range that has no byte of the content.
    """
    match = _ONE_RANGE.fullmatch(header) if header else None
    if match is None:
        return None
    first, last = match.groups()
    if first:
        if last and _number(last) < _number(first):
            return None
        start, end = _number(first), _number(last) + 1 if last else size
    elif last:
        start, end = max(0, size - _number(last)), size
    else:
        return None
    if start >= size or (not first and not _number(last)):
        raise Unsatisfiable
    return slice(start, min(end, size))


def _number(digits: str) -> int:
    """A number of a header; one of more digits than any size has is just a very large one."""
    short = digits.lstrip("0")
    return int(short or "0") if len(short) <= _MOST_DIGITS else 10**_MOST_DIGITS
