"""Writes lines to a file descriptor in a thread of its own, so that a slow reader does not delay requests."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

GATHER_SECONDS = 0.02
"""How long lines are collected before they are written together: waking the thread costs the event loop more than the
line itself. A line appears at most this much later."""

MOST_WAITING = 10_000
"""The most lines that wait for a slow reader; more are discarded."""

TOGETHER = 4_096
"""Bytes that reach a pipe whole or not at all, even if the writing process is killed (PIPE_BUF on Linux)."""


class Writer:
    """Writes lines in their order; discards them once the reader has closed the descriptor.

    Call `line` from one thread only. `close` writes the lines that still wait.

    Args:
        turn: a file that every process which writes to this descriptor has open: they lock it in turn, so that lines
            stay whole. None if there is no other.
    """

    def __init__(self, descriptor: int | None, turn: int | None = None) -> None:
        self._descriptor = descriptor
        self._turn = turn
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
        if not gathered:
            return
        if self._turn is None:
            self._write(_bytes(gathered))
            return
        with _locked(self._turn):
            for data in _portions(gathered):
                self._write(data)

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


def _bytes(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _portions(lines: Sequence[str]) -> Iterator[bytes]:
    """The lines, as many together as reach a pipe whole."""
    portion = b""
    for line in lines:
        data = _bytes([line])
        if portion and len(portion) + len(data) > TOGETHER:
            yield portion
            portion = b""
        portion += data
    yield portion


@contextmanager
def _locked(turn: int) -> Iterator[None]:
    """Hold a file's lock, which the system takes from a process that is killed."""
    import fcntl  # not on Windows

    fcntl.lockf(turn, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.lockf(turn, fcntl.LOCK_UN)
