"""Keeps idle cores awake during a measurement.

The core of an idle load generator sleeps, and the write that wakes it is charged to the server: a slow server wakes it
for every answer, a fast one finds it awake. This needs root; without it, the table says so.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_DEVICE = Path("/dev/cpu_dma_latency")  # Linux's PM QoS: cores wake within so many microseconds while it is open


@cache
def possible() -> bool:
    """Whether this user can keep this machine's cores awake."""
    try:
        _DEVICE.open("wb", buffering=0).close()
    except OSError:
        return False
    return True


@contextmanager
def keep_cores_awake() -> Iterator[None]:
    """Let idle cores poll rather than sleep, where that is possible."""
    if not possible():
        yield
        return
    with _DEVICE.open("wb", buffering=0) as device:
        device.write(struct.pack("i", 0))
        yield
