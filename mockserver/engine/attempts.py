"""The attempts of callbacks that this process makes: alone in the background, or side by side during an advance."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from mockserver.engine.clock import pause
from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.schedule import Event
from mockserver.engine.together import all_of

T = TypeVar("T")

SIDE_BY_SIDE = 64
"""Attempts of one instant that are under way at once during an advance."""

RETRY = 0.4
"""Real seconds after which something is tried again that the store could not do."""

Conclude = Callable[[], Awaitable[object]]
"""Puts on record what has been made of an event: an attempt, or how a task ends."""

Made = asyncio.Task[Conclude | None]


async def never_at_once(name: str, due: float) -> Conclude | None:
    """Every attempt needs a connection."""
    return None


async def _nothing() -> None:
    """Record nothing: the attempt has crashed."""


async def own_name(name: str) -> str:
    """Every callback has a receiver of its own."""
    return name


class Attempts:
    """Makes attempts and puts them on record.

    Args:
        attempt: makes a callback's attempt, by its id and the time it was planned for.
        attempt_at_once: makes an attempt that needs no connection, to a sink; else it does nothing and returns None.
        receiver: names who gets a callback, by its id: attempts for one receiver are made one after the other.
        failed: is told of an event that the store failed at, so that it is run again.
        crashed: is told of the error of an attempt that crashed.
        ended: is told that an attempt in the background has ended.
        together: whether several are claimed and put on record at once.
    """

    def __init__(
        self,
        attempt: Callable[[str, float], Awaitable[Conclude | None]],
        attempt_at_once: Callable[[str, float], Awaitable[Conclude | None]],
        receiver: Callable[[str], Awaitable[str]],
        failed: Callable[[Event], None],
        crashed: Callable[[Exception], None],
        ended: Callable[[], None],
        *,
        together: bool,
    ) -> None:
        self._attempt = attempt
        self._attempt_at_once = attempt_at_once
        self._receiver = receiver
        self._failed = failed
        self._crashed = crashed
        self._ended = ended
        self._together = together
        self._running: dict[asyncio.Task[Any], str] = {}
        self._recording: set[asyncio.Task[None]] = set()
        self.stopping = False

    def is_under_way(self, name: str) -> bool:
        """Whether an attempt of a callback, by its id, has begun and not ended."""
        return name in self._running.values()

    def begun(self) -> set[asyncio.Task[Any]]:
        """The attempts that have begun; others wait for one to the same receiver."""
        return {task for task, name in self._running.items() if name}

    async def wait(self) -> None:
        """Until no attempt is under way."""
        while self._running:
            await asyncio.wait(set(self._running))

    def break_off(self) -> None:
        """Cancel the attempts under way."""
        for task in self._running:
            task.cancel()

    def abandon(self) -> list[asyncio.Task[Any]]:
        """Cancel the attempts under way, and putting them on record; what was cancelled."""
        cancelled = [*self._running, *self._recording]
        for task in cancelled:
            task.cancel()
        return cancelled

    def make_alone(self, event: Event) -> None:
        """Make an attempt in the background, and put it on record."""
        self._run(self._make_and_record(event), event[2])

    async def make_at_once(self, event: Event) -> Conclude | None:
        """Make an attempt that waits for nobody; what puts it on record. None if it would have to wait."""
        try:
            conclude = await self._attempt_at_once(event[2], event[0])
        except (StoreUnavailable, asyncio.CancelledError):
            self._failed(event)
            raise
        except Exception as error:  # noqa: BLE001  # `crashed` is told
            self._crashed(error)
            return _nothing
        return None if conclude is None else partial(self._record_at_once, conclude, event)

    async def _record_at_once(self, conclude: Conclude, event: Event) -> None:
        try:
            await self._record(conclude)
        except (StoreUnavailable, asyncio.CancelledError):
            self._failed(event)
            raise
        except Exception as error:  # noqa: BLE001  # `crashed` is told
            self._crashed(error)

    async def make_side_by_side(
        self, first: Event, claim: Callable[[int], Awaitable[Sequence[Event]]], ran: list[Event]
    ) -> Event | None:
        """Make the attempts that follow one another at one instant side by side, and put them on record in order.

        What an attempt plans for the same instant comes after them, as it does when they are made one by one.

        Args:
            claim: the next events of the instant: at most so many attempts, or one event of another kind; none if there
                is none, or the advance does not go on.
            ran: is given each event that runs.

        Returns:
            The event of this instant that comes next, if it is no attempt.
        """
        window: deque[tuple[Made, Event]] = deque()
        latest: dict[str, Made] = {}
        following = [first]
        refilled_at = SIDE_BY_SIDE // 2 if self._together else SIDE_BY_SIDE - 1
        try:
            while True:
                while following and following[0][1] == "attempt" and len(window) <= refilled_at:
                    receivers = await all_of(map(self._receiver, [event[2] for event in following]))
                    for event, receiver in zip(following, receivers, strict=True):
                        latest[receiver] = task = self._make_after(latest.get(receiver), event)
                        window.append((task, event))
                        ran.append(event)
                    following = []
                    following += await claim(SIDE_BY_SIDE - len(window))
                if not window:
                    return following[0] if following else None
                await asyncio.wait({window[0][0]})
                made = [window.popleft()]
                while self._together and window and window[0][0].done():
                    made.append(window.popleft())
                await all_of([self._record_made(task, event) for task, event in made])
        except BaseException:  # the advance is broken off
            for event in following:
                self._failed(event)
            for task, event in window:
                self._record_later(task, event)
            raise

    def _make_after(self, other: Made | None, event: Event) -> Made:
        """Make an attempt in the background, once another one for the same receiver has ended."""

        async def attempt() -> Conclude | None:
            if other is not None:
                await asyncio.wait({other})
                self._running[task] = event[2]
            return await self._attempt(event[2], event[0])

        task = self._run(attempt(), event[2] if other is None else "")
        return task

    def _run(self, attempt: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run an attempt; `_running` maps its task to the delivery's id, or to "" while the attempt has not begun."""
        task = asyncio.ensure_future(attempt)
        self._running[task] = name
        task.add_done_callback(lambda ended: self._running.pop(ended, None))
        return task

    async def _make_and_record(self, event: Event) -> None:
        try:
            await self._record(await self._attempt(event[2], event[0]))
        except StoreUnavailable:
            self._failed(event)
            return
        except Exception as error:  # noqa: BLE001  # `crashed` is told
            self._crashed(error)
        self._ended()

    async def _record(self, conclude: Conclude | None) -> None:
        """Put an attempt that was made on record, as soon as the store can."""
        while conclude is not None:
            try:
                await conclude()
            except StoreUnavailable:
                if self.stopping:
                    raise
                await pause(RETRY)
            else:
                return

    async def _record_made(self, task: Made, event: Event) -> None:
        """Put an attempt on record that has ended, unless it was cancelled."""
        try:
            if not task.cancelled():
                await self._record(task.result())
        except StoreUnavailable:
            self._failed(event)
            raise
        except Exception as error:  # noqa: BLE001  # `crashed` is told
            self._crashed(error)

    def _record_later(self, task: Made, event: Event) -> None:
        """Put an attempt on record when it has ended."""

        async def record() -> None:
            with suppress(StoreUnavailable):
                await self._record_made(task, event)
            self._ended()

        def ended(_: object) -> None:
            if not task.cancelled():
                recording = asyncio.ensure_future(record())
                self._recording.add(recording)
                recording.add_done_callback(self._recording.discard)

        task.add_done_callback(ended)
