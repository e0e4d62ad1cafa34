"""How long a server's loop does nothing else."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time, thread_time

from mockserver.engine.clock import monotonic, pause
from support.scene import Scene


@contextmanager
def longest_stall(scene: Scene, cpu: Callable[[], float] = process_time) -> Iterator[list[float]]:
    """Measures in the server's loop; the list has the longest time for which it ran nothing else, as far as this
    process was busy then (seconds of CPU), so that other processes do not count."""
    longest = [0.0]

    async def watch() -> None:
        while True:
            before, busy = monotonic(), cpu()
            await pause(0.001)
            longest[0] = max(longest[0], min(monotonic() - before, cpu() - busy))

    async def begin() -> "asyncio.Task[None]":
        return asyncio.create_task(watch())

    async def end() -> None:
        await pause(0.01)  # so that a stall which ends just now is seen
        watching.cancel()

    watching = scene.server.run(begin())
    try:
        yield longest
    finally:
        scene.server.run(end())


@contextmanager
def longest_turn(scene: Scene) -> Iterator[list[float]]:
    """As `longest_stall`, of the loop's own thread alone: what other threads do, such as a test's client, is no turn of
    the loop."""
    with longest_stall(scene, thread_time) as longest:
        yield longest
