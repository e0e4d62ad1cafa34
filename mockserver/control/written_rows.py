"""Rows of the list of requests, written as JSON once: whoever watches asks for the same ones again and again."""

from collections.abc import Callable

from mockserver.engine.journal import Exchange

ROWS_KEPT = 1_000
"""The largest page of a list."""

LARGEST_KEPT = 4_096
"""Bytes of the largest row that is kept."""


class WrittenRows:
    """The rows of the requests that were listed last, by the requests' ids.

    A request that has been answered no longer changes, so its row stays valid as long as the record is the same object:
    after a reset an id may mean another request. A store that several processes share makes a new object at each
    reading, so no row is kept for it twice.
    """

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Exchange, bytes]] = {}

    def row(self, exchange: Exchange, write: Callable[[Exchange], bytes]) -> bytes:
        """A request as `write` writes it."""
        kept = self._rows.get(exchange.id)
        if kept is not None and kept[0] is exchange:
            return kept[1]
        data = write(exchange)
        if exchange.status is not None and len(data) <= LARGEST_KEPT:
            self._rows.pop(exchange.id, None)
            if len(self._rows) >= ROWS_KEPT:
                del self._rows[next(iter(self._rows))]
            self._rows[exchange.id] = exchange, data
        return data
