"""A load generator for machines without wrk: `python -m benchmarks.generator SPEC`; `load.py` writes the JSON SPEC."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from benchmarks.load import COUNTER, DIGITS

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Tally:
    """The results of all connections together; `texts` are the requests, split at the place of the number."""

    texts: list[list[bytes]]
    until: float
    numbers: Iterator[int] = field(default_factory=count)
    latencies: list[float] = field(default_factory=list)
    errors: int = 0

    def next_request(self) -> bytes:
        number = next(self.numbers)
        return (b"%0*d" % (DIGITS, number)).join(self.texts[number % len(self.texts)])


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer is complete, until the time is over or the server closes."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._data = b""
        self._asked: float | None = None
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._tally.next_request())

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        length = _LENGTH.search(self._data, 0, end + 2) if end >= 0 else None
        if self._asked is None or length is None or len(self._data) < end + 4 + int(length[1]):
            return
        now = time.perf_counter()
        self._tally.latencies.append(now - self._asked)
        self._tally.errors += self._data[9:10] not in (b"2", b"3")
        self._data, self._asked = b"", None
        if now >= self._tally.until:
            self._transport.close()
        elif not self._transport.is_closing():
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.errors += bool(self._data)  # an answer broken off
        if not self.closed.done():
            self.closed.set_result(None)


async def _keep_asking(tally: Tally, port: int) -> None:
    loop = asyncio.get_running_loop()
    while time.perf_counter() < tally.until:
        _, connection = await loop.create_connection(lambda: Connection(tally), "127.0.0.1", port)
        await connection.closed


async def generate(port: int, texts: list[str], connections: int, seconds: float) -> dict[str, float]:
    """Load a port of this machine; counts, and latencies in milliseconds."""
    started = time.perf_counter()
    parts = [text.encode("ascii").split(COUNTER.encode()) for text in texts]
    tally = Tally(parts, started + seconds)
    asking = [_keep_asking(tally, port) for _ in range(connections)]
    async with asyncio.timeout(seconds + 10):
        await asyncio.gather(*asking)
    found = sorted(tally.latencies) or [0.0]
    return {
        "requests": len(tally.latencies),
        "seconds": time.perf_counter() - started,
        "p50": 1e3 * found[len(found) // 2],
        "p99": 1e3 * found[len(found) * 99 // 100],
        "longest": 1e3 * found[-1],
        "errors": tally.errors,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(generate(**json.loads(sys.argv[1])))))
