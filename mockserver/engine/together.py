"""Verbs of a store that are asked for together: a shared store gets them in one turn of the loop, in their order."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def beside(verbs: Sequence[Awaitable[object]], last: Awaitable[T], unwanted: Callable[[T], object]) -> T:
    """Run verbs side by side, beginning in their order; the result of the `last` one.

    `unwanted` is given that result if one of the others fails.
    """

    def refuse(done: "asyncio.Future[T]") -> None:
        if not done.cancelled() and done.exception() is None:
            unwanted(done.result())

    begun = [asyncio.ensure_future(verb) for verb in verbs]
    ending = asyncio.ensure_future(last)
    try:
        await all_of(begun)
    except BaseException:
        ending.add_done_callback(refuse)
        raise
    return await ending


async def all_of(verbs: Iterable[Awaitable[T]]) -> list[T]:
    """The results of verbs that run side by side, all of them to their end. Raises the first one's error."""
    begun = list(verbs)
    if len(begun) == 1:
        return [await begun[0]]
    results: list[T] = []
    for outcome in await asyncio.gather(*begun, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
        results.append(outcome)
    return results
