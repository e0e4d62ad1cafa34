"""A store's URL, and the ways to its server."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from engine.store.redis.shared import OPENING, RULES, STATE, Process, submit, until
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store import Bounds
from mockserver.engine.store.redis import RedisStore
from mockserver.engine.store.redis.address import Server
from support.valkey import Valkey, valkey_cluster, valkey_running


@pytest.mark.parametrize(
    ("url", "name", "root"),
    [
        ("redis://127.0.0.1:7000", "redis://127.0.0.1:7000", "{mock}"),
        ("valkey://me:secret@db.example/3?prefix=team.one", "valkey://db.example/3", "{team.one}"),
        ("rediss://:secret@[::1]:7000/?ssl_cert_reqs=none", "rediss://[::1]:7000/", "{mock}"),
        ("valkeys://db.example", "valkeys://db.example", "{mock}"),
        ("unix:///run/valkey.sock?db=2", "unix:///run/valkey.sock", "{mock}"),
    ],
)
def test_a_url_names_a_server_and_a_prefix(url: str, name: str, root: str) -> None:
    server = Server.parse(url)
    assert (server.name, server.root) == (name, root)
    assert "secret" not in repr(server)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1", "http: is no scheme of Redis or Valkey"),
        ("redis://127.0.0.1?prefix={a}", "the store's prefix is up to 64 letters"),
        ("redis://127.0.0.1?prefix=", "the store's prefix is up to 64 letters"),
        ("redis://:secret@127.0.0.1:99999", "the store's URL can't be read"),
        ("redis://:secret@127.0.0.1?no_such=1", "has an option that is not known"),
        ("redis://:secret@127.0.0.1?socket_timeout=x", "the store's URL can't be read"),
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        RedisStore(url, OPENING, Bounds(), RULES)
    assert "secret" not in str(refusal.value)


def test_a_server_that_is_too_old_is_refused_and_one_that_evicts_is_told_of() -> None:
    server = Server.parse("redis://127.0.0.1")
    for version in ("5.0.7", "6.0.16"):
        with pytest.raises(StoreUnavailable, match=f"is Redis {version}: 6.2 or later is needed"):
            server.unfit(f"redis_version:{version}\r\n")
    for told in (
        "",
        "redis_version:6.2.0\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n",
        "redis_version:10.0.0\r\n",
    ):
        assert server.unfit(told) == ""
    assert "maxmemory-policy noeviction" in server.unfit("maxmemory:1024\r\nmaxmemory_policy:allkeys-lru\r\n")


@pytest.mark.asyncio
async def test_an_evicting_server_is_told_of_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    with valkey_running("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as server:
        store = Process(server.url())
        await store.begin_anew()
        await store.close()
    assert [line for line in caplog.messages if "forgets records when it is full (allkeys-lru)" in line]


@pytest.mark.asyncio
async def test_stores_of_different_prefixes_and_databases_know_nothing_of_one_another(valkey: Valkey) -> None:
    base = f"redis://127.0.0.1:{valkey.port}"
    stores = [Process(f"{base}/{place}") for place in ("0?prefix=one", "0?prefix=two", "1?prefix=one")]
    try:
        for store in stores:
            assert await store.begin_anew() is None
        task = await submit(stores[0])
        await stores[1].reset(STATE)
        assert [await store.task(task.id) for store in stores] == [task, None, None]
    finally:
        for store in stores:
            await store.close()


@pytest.mark.asyncio
async def test_a_server_on_a_unix_socket_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "valkey.sock"
    with valkey_running("--unixsocket", str(path)):
        store = Process(f"unix://{path}?prefix=here")
        try:
            assert await store.begin_anew() is None
            task = await submit(store)
            assert await store.task(task.id) == task
        finally:
            await store.close()


@pytest.mark.asyncio
async def test_in_a_cluster_the_node_that_has_the_keys_is_found_from_any() -> None:
    with valkey_cluster(2) as nodes:
        here, there = [Process(node.url("same")) for node in nodes]
        try:
            await here.begin_anew()
            await there.begin_anew()
            task = await submit(here)
            assert await there.settle(task)
            await until(lambda: here.told("ended"))
            await here.load(await there.dump(), STATE)
            assert await there.task(task.id) == task
        finally:
            await here.close()
            await there.close()


@pytest.mark.asyncio
async def test_a_server_behind_tls_is_reached_and_its_certificate_checked(valkey: Valkey, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    relays = asyncio.TaskGroup()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", valkey.port)
        relays.create_task(_copy(reader, other_writer))
        relays.create_task(_copy(other_reader, writer))

    async with relays:
        proxy = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
        address = f"valkeys://127.0.0.1:{proxy.sockets[0].getsockname()[1]}/?prefix=tls"
        trusting, wary = Process(f"{address}&ssl_ca_certs={tmp_path / 'ca.pem'}"), Process(address)
        try:
            assert await trusting.begin_anew() is None
            task = await submit(trusting)
            assert await trusting.task(task.id) == task
            with pytest.raises(StoreUnavailable, match="certificate verify failed"):
                await wary.begin_anew()
        finally:
            await trusting.close()
            await wary.close()
            proxy.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()
