"""The file: where a URL says that it is, whether it can be this store, and connections to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from mockserver.engine.store.codec import FORM
from mockserver.engine.store.sqlite.schema import TABLES
from mockserver.engine.store.sqlite.transaction import NEW_HEADER, Header

APPLICATION_ID = 0x6D6F636B
"""What `file` and SQLite know this store's files by: "mock"."""

SYNCHRONOUS = ("normal", "full")
_SHAPE = "sqlite:///FILE, or sqlite:////FILE for an absolute path, and ?synchronous=full if wanted"


@dataclass(frozen=True, slots=True)
class Place:
    """A file. What is in it outlives a crash of the process; with `synchronous` "full" also a power cut, which may cost
    the last moments otherwise."""

    path: Path
    synchronous: str = "normal"

    @classmethod
    def of(cls, url: str) -> "Place":
        """The place that a URL names. Raises ValueError."""
        parts = urlsplit(url)
        path = unquote(parts.path.removeprefix("/"))
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        synchronous = options.pop("synchronous", "normal")
        if parts.scheme != "sqlite" or parts.netloc or not path or options or synchronous not in SYNCHRONOUS:
            raise ValueError(f"{url:.200} names no file: the form is {_SHAPE}")
        return cls(Path(path).absolute(), synchronous)

    def __str__(self) -> str:
        return str(self.path)


def connect(place: Place, wait: float = 5.0) -> sqlite3.Connection:
    """A connection to the file, which is made if it is new. `wait` is for how many seconds a lock is waited for here;
    afterwards none is.

    Raises:
        ValueError: it can't be this store; the text says why.
    """
    with _named(place):
        connection = sqlite3.connect(
            place.path, timeout=wait, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            _prepare(connection, place)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def _named(place: Place) -> Iterator[None]:
    """Say of which file an error is, and what it means."""
    if place.path.is_dir():
        raise ValueError(f"{place} is a directory: the store is a file")
    if not place.path.parent.is_dir():
        raise ValueError(f"there is no directory {place.path.parent} for the store's file")
    try:
        yield
    except sqlite3.OperationalError as error:
        raise ValueError(f"the store {place} can't be opened: {error}") from None
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{place} is no store of this server: {error}") from None


def _prepare(connection: sqlite3.Connection, place: Place) -> None:
    _is_ours(connection, place)  # before anything is changed
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {place.synchronous}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA temp_store = memory")
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_ours(connection, place):
            _create(connection)
        connection.execute("DELETE FROM alarms WHERE 0")  # a file that can't be written says so now
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("PRAGMA busy_timeout = 0")


def _is_ours(connection: sqlite3.Connection, place: Place) -> bool:
    """Whether the file has this store already; False if it is new. Raises ValueError for another form or program."""
    owner, form = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if owner == APPLICATION_ID:
        if form != FORM:
            raise ValueError(
                f"the store {place} has form {form}, and this version of the server has form {FORM}: begin with a new "
                "file, or take a snapshot with the version that wrote it (GET /_mock/snapshot) and put it into one"
            )
        return True
    if owner or form or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise ValueError(f"{place} is the database of another program")
    return False


def _create(connection: sqlite3.Connection) -> None:
    for statement in TABLES.split(";"):
        connection.execute(statement)
    connection.execute(NEW_HEADER, astuple(Header()))
    connection.execute("INSERT INTO force VALUES (1, NULL, ?)", (b"[]",))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORM}")
