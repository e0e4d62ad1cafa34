"""Writes lines to a file descriptor in a thread of its own, so that a slow reader does not delay requests."""

import os
from collections import deque
from threading import Event, Thread

GATHER_SECONDS = 0.02
"""How long lines are collected before they are written together: waking the thread costs the event loop more than the
line itself. A line appears at most this much later."""

MOST_WAITING = 10_000
"""The most lines that wait for a slow reader; more are discarded."""


class Writer:
    """Writes lines in their order; discards them once the reader has closed the descriptor.

    Call `line` from one thread only. `close` writes the lines that still wait.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._lines: deque[str] = deque()
        self._asleep = True
        self._wake = Event()
        self._closing = Event()
        self._thread = Thread(target=self._run, name="mockserver-lines", daemon=True)
        self._thread.start()

    def line(self, text: str) -> None:
        """Write a line, within `GATHER_SECONDS`."""
        if self._descriptor is None or len(self._lines) >= MOST_WAITING:
            return
        self._lines.append(text)
        if self._asleep:
            self._asleep = False
            self._wake.set()

    def close(self, seconds: float = 0.2) -> None:
        """Write the waiting lines, for at most `seconds`, and end the thread."""
        self._closing.set()
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._closing.wait(GATHER_SECONDS)
            self._asleep = True  # before the lines are taken: one that comes now wakes this thread again
            self._write_gathered()
        self._write_gathered()

    def _write_gathered(self) -> None:
        gathered = [self._lines.popleft() for _ in range(len(self._lines))]
        if gathered:
            self._write(("\n".join(gathered) + "\n").encode("utf-8", "backslashreplace"))

    def _write(self, data: bytes) -> None:
        try:
            while data and self._descriptor is not None:
                data = data[self._write_some(self._descriptor, data) :]
        except OSError:
            self._descriptor = None

    def _write_some(self, descriptor: int, data: bytes) -> int:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:  # a descriptor that another process has made non-blocking, and that is full
            self._closing.wait(GATHER_SECONDS)
            return 0
