"""Every answered submission, each settlement, each delivery and all money survive `kill -9` at any instant."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from crash.storm import APP, CLIENTS, Client, Receiver, audit, read_books
from mockserver.engine.store.shared import INTERRUPTED
from support.serving import Running, running
from support.stores import store_url

WORKERS = 4
LONG = pytest.mark.skipif(not os.environ.get("MOCKSERVER_TEST_ALL"), reason="long: scripts/test --all runs it")


def workers_of(server: Running) -> list[int]:
    return list(map(int, Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()))


def kill_all(server: Running) -> None:
    """End every process of a server at once, in no order that helps it."""
    for pid in (*workers_of(server), server.process.pid):
        os.kill(pid, signal.SIGKILL)
    server.process.wait()


@contextmanager
def started(url: str, receiver: Receiver) -> Iterator[Running]:
    flags = ("--quiet", "--latency", "0.05-0.8", "--balance", "1000000", "--callback-route", f"{APP}={receiver.url}")
    with running("--store", url, "--workers", str(WORKERS), *flags) as server:
        yield server


async def storm(url: str, kills: int, every: float, pause: float, random: Random) -> str:
    receiver, stop = Receiver(Random(random.random())), asyncio.Event()
    runner = await receiver.start()
    clients = [Client(number, receiver.url, Random(random.random()), pause) for number in range(CLIENTS)]
    try:
        with started(url, receiver) as server:
            root = server.root
            calling = [asyncio.create_task(client.run(lambda: root, stop)) for client in clients]
            for _ in range(kills):
                await asyncio.sleep(every)
                if alive := workers_of(server):
                    os.kill(random.choice(alive), signal.SIGKILL)
            await asyncio.sleep(every)
            kill_all(server)
            stop.set()
            await asyncio.gather(*calling)
        with started(url, receiver) as server:
            books = await read_books(server.root)
    finally:
        await runner.cleanup()
    return audit([order for client in clients for order in client.orders], receiver.got, books, INTERRUPTED)


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_nothing_that_was_answered_is_lost_or_done_twice(kind: str, tmp_path: Path) -> None:
    with store_url(kind, tmp_path) as url:
        print(asyncio.run(storm(url, kills=5, every=0.8, pause=0.3, random=Random(kind))))


@LONG
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_nor_in_a_minute_of_it(kind: str, tmp_path: Path) -> None:
    with store_url(kind, tmp_path) as url:
        print(asyncio.run(storm(url, kills=60, every=1.0, pause=0.1, random=Random(kind))))
