"""A store whose verbs are called without `await`, so that its tests read like what they say."""

from collections.abc import Callable, Coroutine
from inspect import iscoroutine
from typing import Any


class Driven:
    """Calls the verbs of a store, or of its steering, and runs each to its end by `run`."""

    def __init__(self, verbs: Any, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self.verbs = verbs
        self._run = run

    @property
    def steering(self) -> "Driven":
        return Driven(self.verbs.steering, self._run)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.verbs, name)

        def call(*arguments: Any, **named: Any) -> Any:
            result = found(*arguments, **named)
            return self._run(result) if iscoroutine(result) else result

        return call if callable(found) else found
