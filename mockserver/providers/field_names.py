"""Fields under a wrong name or in a wrong form: refused where the name is known, noted where it only looks like one."""

import re
from collections.abc import Iterable
from functools import lru_cache

from mockserver.engine.problems import Kind, Problem
from mockserver.http.context import RequestContext
from mockserver.http.multipart import Form

MOST_NOTED = 5
"""Names in a note."""

LONGEST_SHOWN = 40
"""Characters of a name or a text that a note or a message shows."""

_INDEX = re.compile(r"\[[^\]]*\]")
_OF_PICTURES = ("file", "image", "imageurl", "imageinput", "img", "inputimage", "mask", "photo", "picture", "reference")
_OF_CALLBACKS = ("async", "callback", "callbackurl", "webhook", "webhookurl")
_TELLING = frozenset({*_OF_PICTURES, *_OF_CALLBACKS})
"""Names, in the form of `_plain`, under which other services take pictures or call back."""


def check_form(form: Form, files: Iterable[str], known: frozenset[str]) -> None:
    """Check that the `files` of a form came as files, and its other known fields as text.

    Raises:
        Problem: INVALID_PARAMETER, saying what was sent instead.
    """
    for name, text in form.texts:
        if name in files:
            said = f"the text {_shown(text)}" if text else "an empty text"
            detail = f"{name} must be a file, but {said} was sent; curl needs an @: -F '{name}=@photo.png'"
            raise Problem(Kind.INVALID_PARAMETER, detail, field=name)
    for upload in form.uploads:
        if upload.field in known and upload.field not in files:
            detail = f"{upload.field} must be text, but a file of {len(upload.data)} bytes was sent"
            raise Problem(Kind.INVALID_PARAMETER, detail, field=upload.field)


def note_ignored(context: RequestContext, sent: Iterable[str], known: frozenset[str]) -> None:
    """Note on record the fields that are ignored although they look like known ones, such as `image[0]`."""
    if known.issuperset(sent):
        return
    unknown = [name for name in dict.fromkeys(sent) if name not in known]
    plain = _TELLING | _plain_names(known)
    noted = [_shown(name, quoted=False) for name in unknown if _plain(name[:200]) in plain]
    if noted:
        more = f" and {len(noted) - MOST_NOTED} more" if len(noted) > MOST_NOTED else ""
        context.exchange.note = f"ignored: {', '.join(noted[:MOST_NOTED])}{more}"


@lru_cache(maxsize=64)
def _plain_names(known: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_plain, known))


def _plain(name: str) -> str:
    """A name without case, separators, index and plural, so that `imageURLs[0]` is like `image_url`."""
    letters = "".join(filter(str.isalnum, _INDEX.sub("", name).lower()))
    return letters.removesuffix("s")


def _shown(text: str, quoted: bool = True) -> str:
    """The beginning of a text that a client sent, printable, in double quotes unless `quoted` is false."""
    short = "".join(character if character.isprintable() else "?" for character in text[:LONGEST_SHOWN])
    short += "…" if len(text) > LONGEST_SHOWN else ""
    return f'"{short}"' if quoted else short
