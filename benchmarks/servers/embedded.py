"""Start, stop and reset of `MockServer`: `python -m benchmarks.servers.embedded TIMES`; milliseconds, wall clock."""

import json
import sys
import time

from mockserver.server import MockServer


async def _reset(mock: MockServer) -> float:
    before = time.perf_counter()
    await mock.app.engine.reset()
    return 1e3 * (time.perf_counter() - before)


def main(times: int) -> None:
    found: dict[str, list[float]] = {"start_stop": [], "reset": [], "reset_inside": []}
    for _ in range(times + 1):
        before = time.perf_counter()
        with MockServer():
            pass
        found["start_stop"].append(1e3 * (time.perf_counter() - before))
    with MockServer() as mock:
        for _ in range(times + 1):
            before = time.perf_counter()
            mock.reset()
            found["reset"].append(1e3 * (time.perf_counter() - before))
            found["reset_inside"].append(mock.run(_reset(mock)))
    print(json.dumps({name: values[1:] for name, values in found.items()}))  # the first pays for everybody's imports


if __name__ == "__main__":
    main(int(sys.argv[1]))
