"""The sizes of a benchmark run."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Scale:
    """One size: each candidate is measured in `rounds` of `seconds`.

    `rest` is how long a server that nobody watches any more is left alone: it observes for 30 s.
    """

    rounds: int
    seconds: float
    connections: int = 32
    warm_up: float = 2.0
    held: int = 50_000
    pending: int = 100_000
    flat_requests: int = 100_000
    stored: int = 200_000
    callbacks: int = 20_000
    late_seconds: float = 10
    starts: int = 11
    embedded: int = 100
    pictures: int = 200
    kept: int = 1_000_000
    advanced: int = 100_000
    fixtures: int = 1_000
    peers: bool = True
    rest: float = 32


WHOLE = Scale(rounds=5, seconds=3)
LONG = replace(WHOLE, flat_requests=1_000_000, stored=1_000_000)
QUICK = Scale(
    rounds=3,
    seconds=1,
    warm_up=1,
    held=10_000,
    pending=20_000,
    flat_requests=0,
    stored=50_000,
    callbacks=5_000,
    late_seconds=3,
    starts=5,
    embedded=30,
    pictures=50,
    kept=50_000,
    advanced=10_000,
    fixtures=300,
    peers=False,
)
SMOKE = Scale(
    rounds=1,
    seconds=0.1,
    connections=2,
    warm_up=0.05,
    held=20,
    pending=20,
    flat_requests=50,
    stored=50,
    callbacks=20,
    late_seconds=0.05,
    starts=1,
    embedded=2,
    pictures=2,
    kept=20,
    advanced=20,
    fixtures=2,
    peers=False,
    rest=0,
)
"""To see that everything still runs; its numbers mean nothing."""
