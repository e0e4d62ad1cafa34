"""A server that is away, stands still, comes back empty, is full, or is not what it should be."""

import asyncio
import logging
from dataclasses import replace

import pytest

from engine.store.redis.shared import (
    OPENING,
    RULES,
    STATE,
    Process,
    Rule,
    callback,
    ended_with_callback,
    processes,
    submit,
    until,
    until_awaited,
)
from engine.world import T0
from mockserver.engine.callbacks import DOCUMENTED, Attempt, Outcome
from mockserver.engine.clock import monotonic, pause
from mockserver.engine.journal import Exchange
from mockserver.engine.problems import Kind, StoreUnavailable
from mockserver.engine.store import Bounds, Wanted
from mockserver.engine.store.codec import FORM
from mockserver.engine.store.redis import RedisStore
from support.valkey import Valkey, valkey_running

pytestmark = pytest.mark.asyncio


async def unavailable(store: Process) -> StoreUnavailable:
    """What a verb says of a store that can't be used; it must say it soon."""
    async with asyncio.timeout(2.0):
        with pytest.raises(StoreUnavailable) as refusal:
            await store.count_request("studio", "acct_1")
    assert refusal.value.kind is Kind.UNAVAILABLE
    return refusal.value


async def answers(store: Process) -> bool:
    try:
        await store.count_request("studio", "acct_1")
    except StoreUnavailable:
        return False
    return True


# away


async def test_a_server_that_was_away_is_used_again_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "mockserver")
    with valkey_running("--appendonly", "yes", "--appendfsync", "always") as server:
        async with processes(server, 2) as (here, there):
            task = await submit(here)
            assert await here.claim_due(T0 + 10) == (T0 + 10, "finish", task.id)
            server.stop()
            problem = await unavailable(here)
            assert problem.detail.startswith(f"the store redis://127.0.0.1:{server.port}/ is away: ")
            assert await until_refused_at_once(here)
            await pause(1.5)
            server.start()
            await until_awaited(lambda: answers(here))
            await until_awaited(lambda: answers(there))
            await pause(2.5)  # long enough for either to be taken for dead, if it did not beat
            assert await there.claim_due(T0 + 10) is None
            assert await here.settle(task)
            await until(lambda: task.id in there.told("ended"))
            said = [record.getMessage() for record in caplog.records]
            assert said.count("the store can be used again") == 2
            assert len([line for line in said if line.startswith("calls are refused (503): ")]) == 2


async def until_refused_at_once(store: Process) -> bool:
    """Whether calls are refused without a wait once the server has been away for a while."""
    await pause(1.2)
    began = monotonic()
    await unavailable(store)
    return monotonic() - began < 0.1


async def test_a_connection_that_is_cut_off_is_replaced_and_no_claim_is_lost(valkey: Valkey) -> None:
    async with processes(valkey, 2) as (here, there):
        mine, other = await submit(here, due=T0 + 1), await submit(here, due=T0 + 2)
        assert await here.claim_due(T0 + 1) == (T0 + 1, "finish", mine.id)
        await here.plan_alarm(T0 + 1, "1")
        claim = asyncio.ensure_future(here.claim_due(T0 + 2))
        await there._database.command("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "yes")
        await asyncio.gather(claim, return_exceptions=True)
        await until_awaited(lambda: answers(here))
        if isinstance(claim.exception(), StoreUnavailable):
            assert await there.claim_due(T0 + 2) == (T0 + 2, "finish", other.id)
        await pause(2.2)
        assert await there.claim_due(T0 + 2) is None
        assert await there.claimed_elsewhere() == [mine.id]
        assert await there.begin_advance()
        assert await there.claim_due(T0 + 1) == (T0 + 1, "alarm", "1")
        assert await here.settle(mine)


async def test_a_server_that_stands_still_is_given_up_and_used_again(valkey: Valkey) -> None:
    with valkey_running() as server:
        async with processes(server, 2) as (here, there):
            delivery = await ended_with_callback(here)
            assert await here.claim_due(T0) is not None
            server.pause()
            try:
                assert "no answer for 1.5 s" in (await unavailable(here)).detail
                await pause(3.0)
                await unavailable(there)
            finally:
                server.go_on()
            await until_awaited(lambda: answers(here))
            await until_awaited(lambda: answers(there))
            await pause(2.5)
            assert await there.claim_due(T0) is None
            concluded = delivery.concluded(Attempt(T0, Outcome(200, 0.0)), T0, DOCUMENTED)
            assert await here.update_delivery(delivery, concluded)


# lost


@pytest.mark.parametrize("restarts", [True, False])
async def test_a_server_that_comes_back_empty_is_begun_anew(caplog: pytest.LogCaptureFixture, restarts: bool) -> None:
    caplog.set_level(logging.WARNING, "mockserver")
    with valkey_running() as server:
        async with processes(server, 2) as (here, there):
            await submit(here)
            await here.steering.add_rule(lambda number: Rule("fault"))
            if restarts:
                server.stop()
                await unavailable(here)
                server.start()
            else:
                await here._database.command("FLUSHALL")
            await until_awaited(lambda: answers(here))
            await until_awaited(lambda: answers(there))
            await until(lambda: here.told("reset") and there.told("reset"))
            assert sorted([*here.told("reset"), *there.told("reset")]) == ["", "begun"]
            assert [*here.steering.rules(), *there.steering.rules()] == []
            assert await there.tasks(Wanted(), 9) == ([], None)
            task = await submit(here)
            assert await there.task(task.id) == task
            assert len([line for line in caplog.messages if "has lost everything" in line]) == 2


async def test_scripts_that_the_server_has_lost_are_sent_again(valkey: Valkey) -> None:
    async with processes(valkey, 1) as (store,):
        await store._database.command("SCRIPT", "FLUSH")
        tasks = await asyncio.gather(*[submit(store, cost=0) for _ in range(3)])
        assert len({task.id for task in tasks}) == 3


# full


async def test_a_full_server_refuses_what_is_new_and_goes_on_with_what_it_has(caplog: pytest.LogCaptureFixture) -> None:
    with valkey_running() as server:
        async with processes(server, 2, tasks=100) as (here, there):
            tasks = [await submit(here, cost=1) for _ in range(4)]
            deliveries = [await ended_with_callback(here, cost=1)]
            await here._database.command("CONFIG", "SET", "maxmemory", "1mb")
            with pytest.raises(StoreUnavailable, match="is full: its memory is used up"):
                await submit(here)
            assert (await here.account("studio", "acct_1")).held == 4
            assert await here.claim_due(T0) is not None
            assert await there.claim_due(T0 + 10) is not None
            assert await here.settle(tasks[1], [callback(tasks[1])])
            concluded = deliveries[0].concluded(Attempt(T0, Outcome(200, 0.0)), T0, DOCUMENTED)
            assert await here.update_delivery(deliveries[0], concluded)
            await pause(2.5)  # beats go on: nobody is taken for dead
            assert await here.claimed_elsewhere() == [tasks[0].id]
            assert "the store can be used again" not in caplog.messages
            await here.reset_account("acct_1")
            await here.reset(STATE)
            await here._database.command("CONFIG", "SET", "maxmemory", "0")
            assert (await submit(here)).id
            await until(lambda: "the store can be used again" in caplog.messages)


async def test_a_journal_that_is_full_does_not_hold_up_what_follows() -> None:
    with valkey_running() as server:
        async with processes(server, 1) as (store,):
            await store.count_request("studio", "")
            await store._database.command("CONFIG", "SET", "maxmemory", "1mb")
            entry = Exchange("r1", T0, "studio", "", "GET", "/", {})
            assert await store.open_entry(entry)
            with pytest.raises(StoreUnavailable):
                await store.count_request("studio", "acct_1")
            await store._database.command("CONFIG", "SET", "maxmemory", "0")
            await store.close_entry(entry, replace(entry, status=200))
            assert await store.entry("r1") is None


async def test_a_server_that_cant_save_is_unavailable() -> None:
    with valkey_running() as server:
        async with processes(server, 1) as (store,):
            await store._database.command("CONFIG", "SET", "save", "1 1")
            (server.folder / "dump.rdb").mkdir()
            await store._database.command("BGSAVE")
            await until_awaited(lambda: _not(answers(store)))
            assert "can't write to its disk" in (await unavailable(store)).detail


async def _not(condition: object) -> bool:
    return not await condition  # type: ignore[misc]


# not what it should be


async def opened_and_begun(store: RedisStore) -> None:
    await store.open(lambda _: None)
    await store.begin(STATE)


async def opened(url: str) -> str:
    """What opening a store says that can't be opened."""
    store = RedisStore(url, OPENING, Bounds(), RULES)
    try:
        async with asyncio.timeout(10.0):
            with pytest.raises(StoreUnavailable) as refusal:
                await opened_and_begun(store)
    finally:
        await store.close()
    return refusal.value.detail


async def test_a_store_of_another_form_is_not_opened(valkey: Valkey) -> None:
    url = valkey.url()
    store = Process(url)
    try:
        await store.begin_anew()
        await store._database.command("HSET", store._database.root, "form", "0")
        assert f"holds records of form 0, this version reads {FORM}" in await opened(url)
    finally:
        await store.close()


async def test_a_prefix_that_others_use_is_refused(valkey: Valkey) -> None:
    async with processes(valkey, 1) as (store,):
        await store._database.command("SET", "{theirs}", "something")
        assert "has other keys under this prefix" in await opened(valkey.url("theirs"))


async def test_a_wrong_password_is_told_and_none_is_shown() -> None:
    with valkey_running("--requirepass", "right") as server:
        told = await opened(f"redis://:wr0ng@127.0.0.1:{server.port}")
        assert "refuses the user name or password" in told
        assert "wr0ng" not in told
        assert "asks for a password" in await opened(f"redis://127.0.0.1:{server.port}")
        store = RedisStore(f"valkey://:right@127.0.0.1:{server.port}", OPENING, Bounds(), RULES)
        await store.open(lambda _: None)
        await store.close()


async def test_a_host_that_is_not_there_is_told() -> None:
    assert "is away: " in await opened("redis://no-such-host.invalid:6379")
    assert "is away: " in await opened("redis://127.0.0.1:1")


async def test_something_else_behind_the_address_is_told() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        assert f"the store redis://127.0.0.1:{port} is " in await opened(f"redis://127.0.0.1:{port}")
    finally:
        server.close()
        await server.wait_closed()


async def test_a_server_that_does_not_answer_is_told() -> None:
    with valkey_running() as server:
        server.pause()
        try:
            assert "is away: it does not answer" in await opened(server.url())
        finally:
            server.go_on()
