"""A store that is in memory and behaves as a shared one: its verbs let others have a turn, and it can be away."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from mockserver.engine.problems import StoreUnavailable
from mockserver.engine.store.memory import MemoryStore
from mockserver.engine.store.steering import MemorySteering

NEVER_FAIL = ("end_advance", "close")


class Link:
    """What is between a process and its store. `away`: nothing can be asked."""

    def __init__(self) -> None:
        self.away = False


def _suspended(name: str, verb: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(verb)
    async def suspended(self: Any, *arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(0)
        if self.link.away and name not in NEVER_FAIL:
            raise StoreUnavailable("the store is away")
        result = await verb(self, *arguments, **named)
        await asyncio.sleep(0)
        return result

    return suspended


def suspending(plain: type) -> dict[str, Any]:
    """The verbs of a class, suspending."""
    return {name: _suspended(name, verb) for name, verb in vars(plain).items() if iscoroutinefunction(verb)}


class SuspendingSteering(MemorySteering):
    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link


class SuspendingStore(MemoryStore):
    def _clear(self) -> None:
        if not hasattr(self, "link"):
            self.link = Link()
        super()._clear()
        self.steering = SuspendingSteering(self.link)


for _class, _plain in ((SuspendingSteering, MemorySteering), (SuspendingStore, MemoryStore)):
    for _name, _verb in suspending(_plain).items():
        setattr(_class, _name, _verb)
