"""Clocks and randomness: the only module that reads the wall clock, sleeps, or draws random values.

Everything else is given a `Clock` and an `Entropy`, so that a test can advance the time, and two runs with the same
seed give the same results.
"""

import asyncio
import os
import time
from collections.abc import Callable
from hashlib import blake2b
from struct import Struct
from typing import Literal, Protocol

from mockserver.engine.fast_dataclass import fast_dataclass

Mode = Literal["real", "virtual"]

VIRTUAL_START = 1_767_225_600.0
"""The time at which a virtual clock starts by default: 2026-01-01T00:00:00Z, in Unix seconds."""

_ALPHABET = b"abcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS = bytes(_ALPHABET[value % len(_ALPHABET)] for value in range(256))
_SERIES_KEPT = 4_096
_DIGEST = 24
"""Bytes of a draw: 16 for its name, 8 for its number."""

_number = Struct(">Q").unpack_from

_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def monotonic(_read: Callable[[], float] = time.perf_counter) -> float:
    """Real seconds from an arbitrary start, never going back.

    The reader is bound here, at definition: libraries that freeze time in a test replace module attributes, and
    the server must not be stopped by them.
    """
    return _read()


def wall(_read: Callable[[], float] = time.time) -> float:
    """The time of this host, in Unix seconds. It may go back; bound here as `monotonic` is."""
    return _read()


async def pause(seconds: float) -> None:
    """Sleep for `seconds` of real time."""
    await asyncio.sleep(seconds)


class Clock(Protocol):
    """The current time, and how long to wait for an instant."""

    @property
    def mode(self) -> Mode: ...

    @property
    def speed(self) -> float:
        """Seconds of this clock in one real second."""

    def now(self) -> float:
        """Unix seconds."""

    def move_to(self, instant: float) -> None:
        """Set the clock forward to `instant` (Unix seconds); one in the past changes nothing."""

    def real_delay(self, instant: float) -> float | None:
        """Real seconds until `instant`, 0 if it is past; None if the clock does not run by itself."""


class SystemClock:
    """Runs with real time, `speed` times as fast, from `start` (Unix seconds; the wall clock's time if absent)."""

    mode: Mode = "real"

    def __init__(self, start: float | None = None, speed: float = 1.0) -> None:
        self.speed = speed
        self._base = time.time() if start is None else start
        self._zero = monotonic()

    def now(self) -> float:
        return self._base + (monotonic() - self._zero) * self.speed

    def move_to(self, instant: float) -> None:
        self._base += max(0.0, instant - self.now())

    def real_delay(self, instant: float) -> float | None:
        return max(0.0, instant - self.now()) / self.speed


class VirtualClock:
    """Its time passes only by `move_to`."""

    mode: Mode = "virtual"
    speed = 0.0

    def __init__(self, start: float = VIRTUAL_START) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def move_to(self, instant: float) -> None:
        self._now = max(self._now, instant)

    def real_delay(self, instant: float) -> float | None:
        return 0.0 if instant <= self._now else None


@fast_dataclass
class ClockState:
    """A clock as a value: it shows `instant` (Unix seconds) and runs `speed` times as fast as real time.

    Between a process and its store, it is the clock of this moment. `at` is a shared store's own: its real time (Unix
    seconds, by one clock for all hosts) at which the clock showed `instant`; 0 outside of the store.
    """

    mode: Mode
    instant: float
    speed: float
    at: float = 0.0

    @classmethod
    def of(cls, clock: Clock) -> "ClockState":
        """What a clock shows now."""
        return cls(clock.mode, clock.now(), clock.speed)

    def clock(self) -> Clock:
        """A clock that shows `instant` now."""
        return VirtualClock(self.instant) if self.mode == "virtual" else SystemClock(self.instant, self.speed)

    def shown_at(self, at: float) -> "ClockState":
        """What this clock shows when the store's real time is `at`. A virtual clock stands."""
        passed = max(0.0, at - self.at) * self.speed if self.mode == "real" else 0.0
        return ClockState(self.mode, self.instant + passed, self.speed, at)


@fast_dataclass
class ServerState:
    """What all processes of a server share besides records: the clock, the seed, and whether waits move the clock.

    `seeded`: the user gave the seed, and a reset keeps it.
    """

    clock: ClockState
    seed: str
    seeded: bool
    autojump: bool


class Draw:
    """The random values of one scope: an identifier, as a UUID or a token, and a number that is independent of it."""

    __slots__ = ("_digest",)

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def uuid(self) -> str:
        """A version 4 UUID in its text form."""
        digits = self._digest.hex()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANTS[digits[16]]}{digits[17:20]}-{digits[20:32]}"

    def token(self, length: int) -> str:
        """`length` characters (at most 16) of a-z and 0-9."""
        return self._digest[:length].translate(_LETTERS).decode()

    def fraction(self) -> float:
        """A number in [0, 1), evenly distributed, with 53 bits."""
        number: int = _number(self._digest, 16)[0]
        return (number >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """A number in [low, high], neither negative, evenly distributed and rounded to thousandths."""
        exact = low + self.fraction() * (high - low) if high > low else low
        return int(exact * 1e3 + 0.5) / 1e3  # `round` goes by way of a text


class Entropy:
    """The source of every `Draw`. With the same seed, the n-th call of an account draws the same in every process.

    `seeded` says whether the user gave the seed: then a reset keeps it.
    """

    def __init__(self, seed: str | None = None, *, seeded: bool | None = None) -> None:
        self.seeded = seed is not None if seeded is None else seeded
        self.seed = seed if seed is not None else os.urandom(8).hex()
        key = blake2b(self.seed.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        self._start = blake2b(key, digest_size=_DIGEST)
        self._series: dict[tuple[str, ...], blake2b] = {}

    def draw(self, *scope: str | int) -> Draw:
        """The random values of a scope, such as ("task", provider, account, n); always the same for seed and scope."""
        digest = self._start.copy()
        digest.update("\0".join([str(part) for part in scope]).encode("utf-8", "surrogatepass"))
        return Draw(digest.digest())

    def draw_nth(self, series: tuple[str, ...], number: int) -> Draw:
        """As `draw(*series, number)`, for a series of which many are drawn: what it has in common is hashed once."""
        start = self._series.get(series)
        if start is None:
            if len(self._series) >= _SERIES_KEPT:
                self._series.clear()
            self._series[series] = start = self._start.copy()
            start.update(("\0".join(series) + "\0").encode("utf-8", "surrogatepass"))
        digest = start.copy()
        digest.update(b"%d" % number)
        return Draw(digest.digest())

    def renewed(self) -> "Entropy":
        """What a reset continues with: the same seed if the user gave one, else a new one."""
        return Entropy(self.seed) if self.seeded else Entropy()
