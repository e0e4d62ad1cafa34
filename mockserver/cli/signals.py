"""The signals that end a server."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Signals that end the server, where the platform has them: SIGHUP is sent when the terminal closes, SIGBREAK by
Ctrl-Break on Windows."""

GRACE_SECONDS = 0.5
"""Real seconds after which a stopping process exits in any case: a DNS lookup under way cannot be cancelled."""


def on_signals(call: Callable[[], None]) -> Callable[[], None]:
    """Call `call` in the running loop at every signal that ends a process; returns a function that restores them.

    An ignored SIGHUP, as under nohup, stays ignored.
    """
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        numbers.remove(signal.SIGHUP)
    for number in numbers:
        try:
            loop.add_signal_handler(number, call)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda number, frame: loop.call_soon_threadsafe(call))

    def restore() -> None:
        for number in numbers:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    return restore
