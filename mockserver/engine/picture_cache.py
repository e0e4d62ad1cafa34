"""Keeps rendered pictures, so that the same picture again costs no rendering; bounded by bytes."""

from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from mockserver.engine.fast_dataclass import fast_dataclass

if TYPE_CHECKING:
    from mockserver.engine.picture_layout import Format, Label

ENTRY_BYTES = 1024
"""About what an entry takes besides its picture."""

Key = tuple["Label", int, int, "Format"]
"""What a picture is made from: label, width, height, format."""


@fast_dataclass
class Rendered:
    """A picture's bytes and their ETag."""

    data: bytes
    etag: str


class PictureCache:
    """At most `limit` bytes of pictures. Safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._lock = Lock()
        self._kept: OrderedDict[Key, Rendered] = OrderedDict()

    def find(self, key: Key) -> Rendered | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def add(self, key: Key, data: bytes) -> Rendered:
        """Keep a picture, and drop those that were not used for the longest time if there are too many."""
        rendered = Rendered(data, f'"{sha256(data).hexdigest()[:32]}"')
        with self._lock:
            if key not in self._kept and _weight(key, rendered) <= self.limit:
                self._kept[key] = rendered
                self.size += _weight(key, rendered)
            while self.size > self.limit:
                self.size -= _weight(*self._kept.popitem(last=False))
        return rendered


def _weight(key: Key, rendered: Rendered) -> int:
    return ENTRY_BYTES + 4 * len(key[0].prompt) + len(rendered.data)
