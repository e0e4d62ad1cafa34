"""From a URL to a store: which there are, and what is refused at the start."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from engine.store.test_store import OPENING, RULE_FORM, STATE
from mockserver.engine.clock import ServerState
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store import Bounds
from mockserver.engine.store.codec import FORM
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.store.opening import open_store
from mockserver.engine.store.sqlite import SqliteStore
from mockserver.engine.store.sqlite.file import Place


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def _opened(path: Path) -> ServerState | None:
    """Open a store and close it again; what it had."""
    store = SqliteStore(Place(path), OPENING, Bounds(), RULE_FORM)
    try:
        await store.open(lambda _: None)
        return await store.begin(STATE)
    finally:
        await store.close()


@pytest.mark.parametrize("url", ["", "memory"])
def test_the_default_is_in_memory(url: str) -> None:
    assert isinstance(open_store(url, OPENING, Bounds(tasks=7), RULE_FORM), MemoryStore)


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite://host/file.db", "names no file"),
        ("sqlite:///file.db?synchronous=off", "names no file"),
        ("sqlite:///file.db?mode=ro", "names no file"),
        ("postgres://host/db", "there is no store postgres"),
        ("sqlite:///{}", "is a directory"),
        ("sqlite:///{}/missing/file.db", "there is no directory"),
        ("sqlite:////proc/file.db", "can't be opened"),
    ],
)
def test_what_can_be_no_store_is_refused_with_a_sentence(tmp_path: Path, url: str, refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        open_store(url.format(tmp_path), OPENING, Bounds(), RULE_FORM)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///a.db", Place(Path.cwd() / "a.db")),
        ("sqlite:////tmp/a%20b.db?synchronous=full", Place(Path("/tmp/a b.db"), "full")),
    ],
)
def test_a_url_names_a_file(url: str, place: Place) -> None:
    assert Place.of(url) == place


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("notes" * 1000)
    with pytest.raises(ValueError, match="is no store of this server"):
        open_store(f"sqlite:///{path}", OPENING, Bounds(), RULE_FORM)
    assert path.read_text() == "notes" * 1000


def test_the_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is the database of another program"):
        open_store(f"sqlite:///{path}", OPENING, Bounds(), RULE_FORM)
    assert path.read_bytes() == before


def test_an_older_form_is_refused_with_what_to_do(path: Path) -> None:
    asyncio.run(_opened(path))
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {FORM - 1}")
    connection.close()
    with pytest.raises(ValueError, match=f"has form {FORM - 1}.*snapshot"):
        open_store(f"sqlite:///{path}", OPENING, Bounds(), RULE_FORM)
    with pytest.raises(StoreUnavailable, match="has form"):
        asyncio.run(_opened(path))


def test_an_empty_file_is_a_new_store(path: Path) -> None:
    path.touch()
    assert asyncio.run(_opened(path)) is None
