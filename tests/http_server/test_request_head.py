"""The texts of a request's header are made safe, and a header that is safe already is left as it is."""

import pytest
from aiohttp import HttpVersion11
from aiohttp.http import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from mockserver.http.request_head import safe_message


def message(path: str, **headers: str) -> RawRequestMessage:
    given = CIMultiDictProxy(CIMultiDict(headers))
    return RawRequestMessage("POST", path, HttpVersion11, given, (), False, None, False, False, URL("/"))


def test_a_header_in_ascii_is_left_as_it_is() -> None:
    """A prompt in Korean or Japanese, which comes in the same packet, is in the body and costs nothing here."""
    plain = message("/evolink/v1/images/generations", host="a", authorization="Bearer k")
    assert safe_message(plain) is plain


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/\udce9", {"host": "a"}), ("/a", {"host": "\udce9"}), ("/a", {"x-\udce9": "b"})],
)
def test_bytes_that_are_no_text_are_escaped(path: str, headers: dict[str, str]) -> None:
    safe = safe_message(message(path, **headers))
    written = f"{safe.path} {dict(safe.headers)}"
    assert written.isascii()
    assert "xe9" in written
