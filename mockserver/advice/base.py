"""What a rule of advice is: a function of what was recorded; and the discovery of all rules."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from mockserver.engine.callbacks import Delivery
from mockserver.engine.journal import Exchange
from mockserver.engine.tasks import Task


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that a client does.

    Args:
        account: the account that did it, "" without a key.
        seen: what was seen, in a sentence with numbers.
        why: why it hurts in production.
        claim: the id of the claim that it rests on, "" if it is general.
        requests: ids of the requests that show it; `tasks` and `callbacks` likewise.
    """

    rule: str
    title: str
    account: str
    seen: str
    why: str
    claim: str = ""
    requests: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Records:
    """What a rule looks at, each oldest first; `now` is the server's time in Unix seconds."""

    now: float
    exchanges: Sequence[Exchange]
    tasks: Sequence[Task]
    deliveries: Sequence[Delivery]

    @cached_property
    def polls(self) -> dict[str, list[Exchange]]:
        """The task queries by the id of the task that they asked for."""
        found: dict[str, list[Exchange]] = {}
        for exchange in self.exchanges:
            if exchange.method in ("GET", "POST") and exchange.task_id and not _submits(exchange):
                found.setdefault(exchange.task_id, []).append(exchange)
        return found

    @cached_property
    def by_id(self) -> dict[str, Task]:
        return {task.id: task for task in self.tasks}

    def answered(self, *statuses: int) -> Iterator[Exchange]:
        """The exchanges that were answered with one of these statuses."""
        return (exchange for exchange in self.exchanges if exchange.status in statuses)


def _submits(exchange: Exchange) -> bool:
    return exchange.method == "POST" and exchange.path.partition("?")[0].endswith(("/generations", "/edits"))


Rule = Callable[[Records], Iterable[Advice]]


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule: each module of this package that has a function `advise`."""
    package = importlib.import_module(__package__ or "")
    modules = (importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    return tuple(module.advise for module in modules if hasattr(module, "advise"))


def advice_for(records: Records) -> list[Advice]:
    """What all rules say of the records, by rule and then by account."""
    return [advice for rule in rules() for advice in rule(records)]
