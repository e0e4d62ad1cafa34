"""`mockserver` on a given event loop: `python -m benchmarks.servers.ours asyncio|uvloop HEARTBEAT|- serve …`.

HEARTBEAT is a file for the longest stalls of the event loop, in milliseconds: by the wall clock, where the machine's
other work counts too, and by the loop's own CPU time, where it does not.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

BEAT_SECONDS = 0.005
SETTLED_SECONDS = 0.3
"""After the start, whose own work is no stall."""


class Heartbeat:
    """Comes round every 5 ms and writes down how much later it came than that."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._path, self._loop = path, loop
        self._longest = {"wall": 0.0, "cpu": 0.0}
        self._plan()

    def _plan(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.thread_time()
        self._loop.call_later(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        late = {"wall": time.perf_counter() - self._wall - BEAT_SECONDS, "cpu": time.thread_time() - self._cpu}
        found = {name: max(1e3 * late[name], longest) for name, longest in self._longest.items()}
        if found != self._longest:
            self._longest = found
            whole = self._path.with_suffix(".new")  # whoever reads meanwhile sees one or the other, whole
            whole.write_text(json.dumps(found))
            whole.replace(self._path)
        self._plan()


def _watch(path: Path) -> None:
    from mockserver.app import App

    start = App.start

    async def started(self: App) -> None:
        await start(self)
        loop = asyncio.get_running_loop()
        loop.call_later(SETTLED_SECONDS, Heartbeat, path, loop)

    App.start = started  # type: ignore[method-assign]


def main(loop: str, heartbeat: str, arguments: list[str]) -> int:
    if loop != "uvloop":  # which is used where it is installed
        sys.modules["uvloop"] = None  # type: ignore[assignment]  # as if it were not installed
    from mockserver.cli import main as serve

    if heartbeat != "-":
        _watch(Path(heartbeat))
    return serve(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
