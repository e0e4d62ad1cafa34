"""A fast callback receiver: `python -m benchmarks.servers.receiver PORT`. GET returns each callback's arrival time."""

import asyncio
import json
import re
import sys
import time

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TASK = re.compile(rb'"id" *: *"([^"]+)"')


class Receiver(asyncio.Protocol):
    """One connection."""

    def __init__(self, arrived: dict[str, float]) -> None:
        self._arrived = arrived
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._data, 0, end + 2)
        if len(self._data) < end + 4 + (int(length[1]) if length else 0):
            return
        asked, self._data = self._data, b""
        answer = b"{}"
        if asked.startswith(b"GET"):
            answer = json.dumps(self._arrived).encode()
        elif task := _TASK.search(asked, end):
            self._arrived.setdefault(task[1].decode(), time.time())
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))


async def main(port: int) -> None:
    arrived: dict[str, float] = {}
    server = await asyncio.get_running_loop().create_server(lambda: Receiver(arrived), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
