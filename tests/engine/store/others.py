"""What other processes do in the tests of shared stores: `python -m engine.store.others TASK FILE …`; each says on its
standard output what it has done, once that is in the file."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from engine.store.processes import member, submit
from engine.world import T0
from mockserver.engine.callbacks import Delivery
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.store.sqlite import SqliteStore
from mockserver.engine.tasks import Failure


async def write(store: SqliteStore, number: int) -> None:
    """Submit, settle every second one, and of these every second as a failure, with a callback for every fourth."""

    async def one(name: str, place: int) -> None:
        task = await submit(store, name, cost=1, account=f"acct_{place % 3}")
        print("submitted", name, flush=True)
        if place % 2:
            ended = replace(task, failure=Failure(Kind.FAILED) if place % 4 == 1 else None)
            await store.settle(ended, [callback(name, ended.job.account)] if place % 4 == 3 else [])
            print("settled", name, flush=True)

    for start in range(0, 1_000_000, 8):
        await asyncio.gather(*[one(f"{number} {place}", place) for place in range(start, start + 8)])


def callback(name: str, account: str) -> Delivery:
    url = "http://127.0.0.1:9/"
    return Delivery(f"cb {name}", name, "studio", account, url, url, b"{}", T0, next_attempt=T0)


async def starting_signal() -> None:
    """Wait until all others are as far, too."""
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def spend(store: SqliteStore, number: int) -> None:
    """Race for the last credits, 50 calls at once; how many were accepted."""

    async def one(place: int) -> bool:
        try:
            await submit(store, f"{number} {place}", cost=1)
        except Problem:
            return False
        return True

    await starting_signal()
    print(sum(await asyncio.gather(*map(one, range(50)))), flush=True)


async def fire(store: SqliteStore, number: int) -> None:
    """Meet the rule 40 times, which fires three times in all; how often it fired here."""
    await starting_signal()
    met = [store.steering.count_match("fault-1", lambda counts: counts.fired < 3) for _ in range(40)]
    print(sum(await asyncio.gather(*met)), flush=True)


async def claim(store: SqliteStore, number: int) -> None:
    """Claim all that is due, an attempt and an end at a time, and never do it."""
    while (event := await store.claim_due(T0 + 100)) is not None:
        print(event[2], flush=True)
    print("claimed", flush=True)
    await asyncio.Event().wait()


async def main(task: str, path: str, number: str) -> None:
    async with member(Path(path)) as store:
        await {"write": write, "spend": spend, "fire": fire, "claim": claim}[task](store, int(number))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
