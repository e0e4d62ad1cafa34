"""Sinks: what is kept of all together, as in memory."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from engine.store.redis.shared import STATE, Process, processes
from engine.world import T0
from mockserver.engine.sinks import Received, Reply, Sink
from mockserver.engine.store import steering as memory
from mockserver.engine.store.redis import steering
from support.valkey import Valkey

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def store(valkey: Valkey) -> AsyncIterator[Process]:
    async with processes(valkey, 1) as (made,):
        yield made


@pytest.mark.parametrize(("count", "length"), [(3, 1000), (1000, 10), (1000, 1)])
async def test_of_all_sinks_together_the_newest_requests_stay(
    store: Process, monkeypatch: pytest.MonkeyPatch, count: int, length: int
) -> None:
    for module in (memory, steering):
        monkeypatch.setattr(module, "RECEIPTS_KEPT", count)
        monkeypatch.setattr(module, "RECEIPTS_LENGTH", length)
    like = memory.MemorySteering()
    for place, name in enumerate("aabacabbcaacb"):
        if place == 8:
            await store.load(await store.dump(), STATE)
            like.load(like.dump())
        if place == 6:
            await store.steering.put_sink("a", [Reply(500)])
            await like.put_sink("a", [Reply(500)])
        received = Received(T0 + place, {}, "狐" * (place % 4))
        assert await store.steering.deliver(name, received) == await like.deliver(name, received)
        assert dict(await store.steering.sinks()) == dict(await like.sinks())


async def test_a_sink_of_any_name_keeps_what_it_got(store: Process) -> None:
    received = Received(T0, {"A": "b"}, "a\n1\nb")
    for name in ("a\nb", "", "\udc80", "狐"):
        assert await store.steering.deliver(name, received) == Reply()
        assert await store.steering.sink(name) == Sink((), (received,))
    assert list(await store.steering.sinks()) == ["a\nb", "", "\udc80", "狐"]
