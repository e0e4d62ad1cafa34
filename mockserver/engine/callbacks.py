"""The delivery of a callback: its target, body, attempts and state, and the schedule of its retries.

A wait counts from the end of the failed attempt (EV-CB-4, EV-CB-5), so that a receiver
that refuses at once is tried at 0, 1, 3 and 7 s.
"""

from dataclasses import replace
from enum import StrEnum

from mockserver.engine.fast_dataclass import fast_dataclass


@fast_dataclass
class RetryPolicy:
    """The time-out of an attempt, and the waits after the first, second … failure; all in seconds."""

    timeout: float
    waits: tuple[float, ...]

    def next_wait(self, failures: int) -> float | None:
        """Seconds to wait after so many failures (1 or more); None if no further attempt follows."""
        return self.waits[failures - 1] if failures <= len(self.waits) else None


DOCUMENTED = RetryPolicy(timeout=10.0, waits=(1.0, 2.0, 4.0))
"""evolink, "Callback mechanism": time-out 10 s, at most 3 retries, 1, 2 and 4 s after a failure."""


@fast_dataclass
class DeliveryFault:
    """What a fault does to a callback: loses it, delays it (seconds), sends it `copies` more times, or holds it until
    the account's next callback has been sent, for at most `held` seconds."""

    lost: bool = False
    delay: float = 0.0
    copies: int = 0
    held: float | None = None


NO_DELIVERY_FAULT = DeliveryFault()


class State(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GAVE_UP = "gave_up"
    CAPTURED = "captured"
    LOST = "lost"


@fast_dataclass
class Outcome:
    """The result of one POST: a status, or an error message; `duration` in seconds; `response` is the body's start."""

    status: int | None
    duration: float
    error: str | None = None
    response: str = ""

    @property
    def success(self) -> bool:
        """2xx alone is success; a redirect is not followed and counts as a failure."""
        return self.status is not None and 200 <= self.status < 300


@fast_dataclass
class Attempt:
    """One POST of a delivery: when it began (Unix seconds), and its result."""

    time: float
    outcome: Outcome


@fast_dataclass
class Delivery:
    """The callback of one task. `target` is the URL as given, `routed` the URL really posted to (None: captured).

    `failures` counts since the schedule began (a redelivery begins it anew). `under_way` is an attempt that a
    built-in receiver answers later, at `next_attempt`. `held_back`: it waits until the account's next callback has
    been sent, or until `next_attempt`.
    """

    id: str
    task_id: str
    provider: str
    account: str
    target: str
    routed: str | None
    body: bytes
    created: float
    state: State = State.WAITING
    attempts: tuple[Attempt, ...] = ()
    next_attempt: float | None = None
    failures: int = 0
    under_way: Attempt | None = None
    held_back: bool = False

    @property
    def ended(self) -> bool:
        return self.state is not State.WAITING

    def concluded(self, attempt: Attempt, ended: float, policy: RetryPolicy) -> "Delivery":
        """This delivery after an attempt that ended at `ended` (Unix seconds): with the attempt and its new state."""
        success = attempt.outcome.success
        failures = self.failures + (not success)
        wait = None if success else policy.next_wait(failures)
        return replace(
            self,
            attempts=(*self.attempts, attempt),
            failures=failures,
            state=State.WAITING if wait is not None else State.DELIVERED if success else State.GAVE_UP,
            next_attempt=round(ended + wait, 6) if wait is not None else None,
            under_way=None,
            held_back=False,
        )
