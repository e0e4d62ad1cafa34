"""The plan of a paid run: what each test can cost, the order of the tests, and those that the budget leaves out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .budget import NOTHING, Budget
from .pricing import unit, worst_case


@dataclass(frozen=True, slots=True)
class Entry:
    """A test of the plan: `cost` is its worst case; priority 0 is a test that costs nothing."""

    test: str
    provider: str
    calls: int = 0
    cost: Decimal = NOTHING
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The tests that run, in order, and those that the budget leaves out, with the reason."""

    entries: tuple[Entry, ...]
    trimmed: Mapping[str, str]

    def cost(self, provider: str) -> Decimal:
        return sum((entry.cost for entry in self.entries if entry.provider == provider), NOTHING)

    def lines(self, budget: Budget) -> list[str]:
        """The plan as text, a line for each provider."""
        return [self._line(provider, allowance.cap) for provider, allowance in sorted(budget.allowances.items())]

    def _line(self, provider: str, cap: Decimal) -> str:
        mine = [entry for entry in self.entries if entry.provider == provider]
        calls, left_out = sum(entry.calls for entry in mine), self._trimmed_of(provider)
        worst = f"at most {self.cost(provider)} of {cap} {unit(provider)}"
        text = f"{provider}: {len(mine)} tests, {calls} paid calls, {worst}"
        return text + (f"; {left_out} tests left out by the budget" if left_out else "")

    def _trimmed_of(self, provider: str) -> int:
        return sum(1 for reason in self.trimmed.values() if reason.startswith(provider))


def entry_of(test: str, provider: str, marks: Iterable[Mapping[str, Any]], params: Mapping[str, Any]) -> Entry:
    """The calls, worst-case cost and priority that a test's `paid` marks (their keyword arguments) add up to."""
    calls, cost, priority = 0, NOTHING, 0
    for mark in marks:
        request = {name: _value(value, params) for name, value in mark["request"].items()}
        calls, cost, priority = (
            calls + mark["calls"],
            cost + worst_case(provider, request) * mark["calls"],
            max(priority, mark["priority"]),
        )
    return Entry(test, provider, calls, cost, priority)


def make_plan(entries: Iterable[Entry], budget: Budget) -> Plan:
    """Free tests first, then by priority and cost; tests that the caps do not cover are left out."""
    kept: list[Entry] = []
    trimmed: dict[str, str] = {}
    left = {provider: allowance.cap for provider, allowance in budget.allowances.items()}
    for entry in sorted(entries, key=lambda entry: (entry.priority, entry.cost)):
        if entry.cost <= left.get(entry.provider, NOTHING):
            left[entry.provider] = left.get(entry.provider, NOTHING) - entry.cost
            kept.append(entry)
        else:
            trimmed[entry.test] = _reason(entry)
    return Plan(tuple(kept), trimmed)


def _reason(entry: Entry) -> str:
    return (
        f"{entry.provider}: left out by the budget (priority {entry.priority}, "
        f"{entry.cost} {unit(entry.provider)} at worst)"
    )


def _value(value: Any, params: Mapping[str, Any]) -> Any:
    return params[value[1:]] if isinstance(value, str) and value.startswith("$") else value
