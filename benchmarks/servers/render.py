"""CPU of distinct pictures: `python -m benchmarks.servers.render WIDTH HEIGHT COUNT`; milliseconds, and kB."""

import json
import sys
import time
from collections.abc import Callable
from io import BytesIO
from statistics import median
from typing import TypeVar

from mockserver.engine.images import render
from mockserver.engine.picture_layout import Label

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Milliseconds of CPU, and the result."""
    before = time.process_time()
    done = work()
    return 1e3 * (time.process_time() - before), done


def main(width: int, height: int, count: int) -> None:
    def picture(number: int) -> bytes:
        prompt = f"A beautiful colorful sunset over the ocean, number {number}"
        return render(Label("xhuoapi", "gpt-image-2", f"{width}x{height}", f"{number:032x}", prompt), width, height)

    cold, first = timed(lambda: picture(0))
    each = [timed(lambda number=number: picture(number)) for number in range(1, count + 1)]  # type: ignore[misc]
    from PIL import Image

    with Image.open(BytesIO(first)) as opened:
        same = opened.convert("RGB")
    pillow = min(timed(lambda: same.save(BytesIO(), "png"))[0] for _ in range(3))
    found = {
        "cold": cold,
        "warm": median(cost for cost, _ in each),
        "largest": max(len(data) for _, data in [(0, first), *each]) / 1e3,
        "pillow": pillow,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
