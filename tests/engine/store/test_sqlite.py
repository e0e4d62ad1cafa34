"""What is the SQLite store's own: its file, its transactions, and what is left of them after a crash."""

import asyncio
import logging
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.store.processes import Member, member, submit
from engine.store.test_store import STATE, callback, exchange
from engine.world import PLAIN, T0
from mockserver.engine.clock import ClockState, ServerState, wall
from mockserver.engine.ledger import AccountChange
from mockserver.engine.problems import Problem, StoreUnavailable
from mockserver.engine.sinks import Received
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.engine.store.shared import LARGEST_AMOUNT
from mockserver.engine.store.sqlite import SqliteStore
from mockserver.engine.store.sqlite.transaction import Transaction
from mockserver.engine.tasks import Task

pytestmark = pytest.mark.asyncio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


# the file


async def test_everything_is_there_after_a_restart(path: Path) -> None:
    async with member(path) as store:
        task = await submit(store, "a")
        await store.steering.change_routes(lambda _: (("http://a", "http://b"),))
        await store.open_entry(exchange("r1"))
        before = await store.dump()
    async with member(path) as store:
        assert (await store.dump(), await store.task("a")) == (before, task)
        assert ([entry.id for entry in (await store.entries(Wanted(), 9))[0]]) == ["r1"]
        assert store.steering.routes() == (("http://a", "http://b"),)


async def test_nothing_is_in_force_before_a_store_is_opened(path: Path) -> None:
    store = Member(path)
    assert (store.steering.rules(), store.steering.routes(), store.may_be_due(T0)) == ((), (), False)
    await store.close()


async def test_a_store_goes_on_with_its_own_state(path: Path) -> None:
    async with member(path):
        pass
    other_one = replace(STATE, seed="another")
    async with Later(path) as store:
        found = await store.begin(other_one)
        assert found is not None
        assert (found.seed, found.clock.mode, found.clock.instant) == (STATE.seed, "virtual", T0)


class Later(Member):
    """A process that has opened the store and not begun."""

    async def __aenter__(self) -> "Later":
        await self.open(self.changes.append)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def test_time_passes_for_a_real_clock_while_no_process_lives(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ServerState(ClockState("real", T0, 2.0), "test", seeded=True, autojump=False)
    async with member(path, real):
        began = wall()
    async with Later(path) as store:
        store._process.copy._real_time = lambda: began + 100
        found = await store.begin(real)
        assert found is not None
        assert found.clock.instant == pytest.approx(T0 + 200, abs=2)


# transactions


async def test_what_is_called_in_one_turn_is_one_transaction(path: Path) -> None:
    async with member(path) as store:
        commits = spied(store, "COMMIT")
        await asyncio.gather(*[submit(store, str(number)) for number in range(20)])
        assert len(commits) == 1


def spied(store: SqliteStore, statement: str) -> list[str]:
    """Every such statement from now on."""
    seen: list[str] = []
    store._writer.connection.set_trace_callback(lambda text: seen.append(text) if text == statement else None)
    return seen


async def test_a_refusal_spoils_nothing_of_its_turn(path: Path) -> None:
    def crash(*_: object) -> Task:
        raise RuntimeError("a plan that fails")

    async with member(path) as store:
        asked = [
            submit(store, "a"),
            submit(store, "dear", cost=5000),
            store.submit(PLAIN, T0, crash),
            submit(store, "b"),
        ]
        first, dear, crashed, last = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(first, Task)
        assert isinstance(dear, Problem)
        assert isinstance(crashed, RuntimeError)
        assert isinstance(last, Task)
        account = await store.account("studio", "acct_1")
        assert (account.balance, account.held, account.submissions) == (950, 50, 2)


async def test_of_a_turn_in_which_sqlite_fails_nothing_is_kept(path: Path) -> None:
    def fail(transaction: Transaction) -> None:
        transaction.run("INSERT INTO force VALUES (1, NULL, '')")  # there is one row of these

    async def failing() -> None:
        await store._writer.run(fail)

    async with member(path) as store:
        outcomes = await asyncio.gather(submit(store, "a"), failing(), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable, StoreUnavailable]
        await submit(store, "b")
        account = await store.account("studio", "acct_1")
        assert (await store.task("a"), account.held, account.submissions) == (None, 25, 1)


async def test_of_a_turn_on_a_full_disk_nothing_is_kept_and_it_goes_on_when_there_is_room(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with member(path) as store:
        await submit(store, "before")
        connection = store._writer.connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with caplog.at_level(logging.WARNING):
            for turn in range(3):
                asked = [submit(store, f"{turn} {number}", request=b"x" * 5000, cost=1) for number in range(40)]
                outcomes = await asyncio.gather(*asked, return_exceptions=True)
                assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
            assert "the disk is full" in str(outcomes[0])
            connection.execute("PRAGMA max_page_count = 1000000")
            await submit(store, "after")
        assert [task.id for task in (await store.tasks(Wanted(), 99))[0]] == ["after", "before"]
        assert (await store.account("studio", "acct_1")).held == 50
        said = [record.message for record in caplog.records]
        assert [("is full" in line, "again" in line) for line in said] == [(True, False), (False, True)]


async def test_the_lock_of_the_file_is_waited_for_without_holding_the_loop_up(path: Path) -> None:
    async with member(path) as store:
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(submit(store, "a"))
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert not waiting.done()
        assert await store.task("a") is None  # reading goes on
        lock.execute("COMMIT")
        lock.close()
        assert (await waiting).id == "a"


async def test_a_lock_that_is_never_given_up_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with member(path) as store:
        await store._rounds.stop()
        monkeypatch.setattr("mockserver.engine.store.sqlite.writer.PATIENCE", 0.02)
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="another process has held it"):
            await submit(store, "a")
        lock.close()
        await submit(store, "b")


async def test_a_caller_that_leaves_before_its_turn_has_done_nothing(path: Path) -> None:
    async with member(path) as store:
        leaving, staying = asyncio.ensure_future(submit(store, "a")), asyncio.ensure_future(submit(store, "b"))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        assert (await store.task("a"), await store.task("b")) == (None, await staying)


async def test_amounts_that_are_too_large_are_refused(path: Path) -> None:
    async with member(path) as store:
        with pytest.raises(Problem, match=f"up to {LARGEST_AMOUNT} "):
            await store.change_account("studio", "acct_1", AccountChange(balance=LARGEST_AMOUNT + 1), T0)
        assert (await store.account("studio", "acct_1")).balance == 1000


async def test_no_api_key_is_in_the_file(path: Path) -> None:
    key = "sk-0123456789abcdef"
    arrived = replace(exchange("r", "acct_1"), headers={"Authorization": f"Bearer {key}"}, path=f"/{key}")
    async with member(path) as store:
        await store.open_entry(arrived)
        asked = replace(PLAIN, prompt=key, request=b"\xff" + key.encode(), trace_id=key)
        task = await store.submit(asked, T0, lambda *_: Task("a", asked, T0, T0, T0, None))
        await store.settle(task, [replace(callback(task), body=key.encode())])
        await store.close_entry(arrived, replace(arrived, response=key.encode(), status=200))
        found = await store.traced("studio", "acct_1", key)
        assert found is not None
        assert found.job.prompt == "[redacted]"
        assert not [part for part in files(path) if key.encode() in part.read_bytes()]


def files(path: Path) -> list[Path]:
    """The file with its log."""
    return [part for part in path.parent.iterdir() if part.name.startswith(path.name)]


async def test_of_all_sinks_the_newest_requests_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.engine.store.sqlite.steering.RECEIPTS_KEPT", 4)
    monkeypatch.setattr("mockserver.engine.store.sqlite.steering.RECEIPTS_LENGTH", 250)
    async with member(path) as store:
        for number, name in enumerate("abacab"):
            await store.steering.deliver(name, Received(T0 + number, {}, name))
        assert await kept_of_sinks(store) == {"a": (2, 1), "b": (1, 1), "c": (1, 0)}
        await store.load(await store.dump(), STATE)
        await store.steering.deliver("c", Received(T0 + 9, {}, "x" * 240))
        assert await kept_of_sinks(store) == {"a": (1, 2), "b": (1, 1), "c": (2, 0)}
        await store.steering.deliver("d", Received(T0 + 9, {}, "x" * 500))
        assert await kept_of_sinks(store) == {"a": (0, 3), "b": (0, 2), "c": (0, 2), "d": (1, 0)}
        await store.steering.put_sink("d")
        await store.steering.deliver("a", Received(T0 + 9, {}, "x" * 250))
        assert await kept_of_sinks(store) == {"a": (1, 3), "b": (0, 2), "c": (0, 2), "d": (0, 0)}


async def kept_of_sinks(store: SqliteStore) -> dict[str, tuple[int, int]]:
    """How many requests each sink has, and how many it has dropped."""
    return {name: (len(sink.received), sink.dropped) for name, sink in sorted((await store.steering.sinks()).items())}


async def test_a_file_that_is_taken_away_is_a_reset_that_is_said(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with member(path) as store:
        await submit(store, "a")
        for part in files(path):
            part.unlink()
        with caplog.at_level(logging.WARNING):
            await store.keep()
        assert await store.task("a") is None
        assert [change.state and change.state.seed for change in store.changes if change.kind == "reset"] == ["test"]
        assert "as after a reset" in caplog.text
        await submit(store, "a")


async def test_a_store_whose_directory_is_gone_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    directory = tmp_path / "there"
    directory.mkdir()
    async with member(directory / "store.db") as store:
        shutil.rmtree(directory)
        with pytest.raises(StoreUnavailable):
            await store.keep()
        for verb in (submit(store, "a"), store.task("a"), store.dump()):
            with pytest.raises(StoreUnavailable):
                await verb
        directory.mkdir()
        await store.keep()
        assert (await submit(store, "a")).id == "a"


async def test_the_log_of_the_file_is_kept_short(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.engine.store.sqlite.following.LOG_KEPT", 100_000)
    async with member(path) as store:
        for number in range(60):
            await submit(store, str(number), cost=1)
        log = path.with_name(path.name + "-wal")
        assert log.stat().st_size > 100_000
        await store.keep()
        assert log.stat().st_size < 100_000
        assert len((await store.tasks(Wanted(), EVERYTHING))[0]) == 60


async def test_nothing_is_loaded_at_the_start_but_what_is_in_force(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with member(path) as store:
        await asyncio.gather(*[submit(store, str(number), cost=0) for number in range(50)])
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(*args: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **named)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    async with Later(path) as store:
        await store.begin(STATE)
        read = {text.split(" FROM ")[1].split()[0] for text in statements if " FROM " in text}
        assert {"header", "force", "rules"} <= read
        assert not read & {"accounts", "usage", "tasks", "names", "deliveries", "entries", "answers", "sinks"}
