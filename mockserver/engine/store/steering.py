"""What tests steer a server by: fault rules with their counts, callback routes, and sinks. A part of every store."""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol, TypeVar

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.outbound import Route
from mockserver.engine.sinks import RECEIPTS_KEPT, RECEIPTS_LENGTH, SINKS_KEPT, Received, Reply, Sink


class StoredRule(Protocol):
    """A fault rule as a store knows it: a value. `account` is the hash of the one key it is for, None for every key."""

    @property
    def id(self) -> str: ...
    @property
    def account(self) -> str | None: ...


R = TypeVar("R", bound=StoredRule)


@fast_dataclass
class RuleForm:
    """Fault rules as JSON objects, which the layer that makes them knows: to one, and back to the rule of an id."""

    dump: Callable[[Any], Mapping[str, Any]]
    load: Callable[[str, Mapping[str, Any]], StoredRule]


@fast_dataclass
class RuleCounts:
    """How often a rule has matched, and how often its fault was applied."""

    matched: int = 0
    fired: int = 0


NO_MATCHES = RuleCounts()


@fast_dataclass
class SteeringRecords:
    """All of a `Steering`: rules with their counts in the order in which they were added, and how many ever were."""

    rules: list[tuple[StoredRule, RuleCounts]] = field(default_factory=list)
    rules_added: int = 0
    routes: list[Route] = field(default_factory=list)
    sinks: dict[str, Sink] = field(default_factory=dict)


class Steering(Protocol):
    """The verbs: each is one transaction on values, as those of `Store`.

    `rules` and `routes` are what is in force by this process's copy, which the first verb of each request brings up to
    date, and each change of it by this process. The functions that a verb is given are pure: a shared store may call
    one several times.
    """

    def rules(self) -> Sequence[StoredRule]:
        """The fault rules in force, in the order in which they were added."""

    def routes(self) -> tuple[Route, ...]:
        """The callback routes in force, the first that fits going first."""

    async def rule_counts(self, rule_id: str) -> RuleCounts:
        """The counts of a rule; none for one that is gone."""

    async def add_rule(self, rule_of: Callable[[int], R]) -> R:
        """Add the rule that `rule_of` makes, given how many were added since the last reset, with this one."""

    async def remove_rules(self, ids: Collection[str]) -> int:
        """Remove rules; how many of them there were."""

    async def count_match(self, rule_id: str, fires: Callable[[RuleCounts], bool]) -> bool:
        """Count a match of a rule, and that it fired if `fires` says so; it is told the counts with this match.

        Returns:
            Whether it fired; False if the rule is gone.
        """

    async def change_routes(self, change: Callable[[tuple[Route, ...]], tuple[Route, ...]]) -> tuple[Route, ...]:
        """Put the routes that `change` makes of those in force in their place."""

    async def sinks(self) -> Mapping[str, Sink]:
        """The sinks by name, the one that was set up last coming last."""

    async def sink(self, name: str) -> Sink | None: ...

    async def is_scripted(self, name: str) -> bool:
        """Whether a sink has answers to come other than the usual one."""

    async def put_sink(self, name: str, script: Sequence[Reply] = ()) -> None:
        """Set up a sink, in place of one of that name; the oldest goes when there are as many as are kept."""

    async def deliver(self, name: str, received: Received) -> Reply:
        """Record what a sink was sent, and take its script's next answer. A sink is there as soon as it is named.

        Of all sinks together the newest `RECEIPTS_KEPT` requests are kept.
        """


class MemorySteering:
    """`Steering` without anything behind it."""

    def __init__(self) -> None:
        self.sinks_dropped = 0
        self.rules_added = 0
        self._rules: tuple[StoredRule, ...] = ()
        self._counts: dict[str, RuleCounts] = {}
        self._routes: tuple[Route, ...] = ()
        self._sinks: dict[str, Sink] = {}
        self._receipts: deque[tuple[str, Received]] = deque()
        self._receipts_length = 0

    def rules(self) -> tuple[StoredRule, ...]:
        return self._rules

    async def rule_counts(self, rule_id: str) -> RuleCounts:
        return self._counts.get(rule_id, NO_MATCHES)

    async def add_rule(self, rule_of: Callable[[int], R]) -> R:
        rule = rule_of(self.rules_added + 1)
        self.rules_added += 1
        self._rules = (*self._rules, rule)
        self._counts[rule.id] = NO_MATCHES
        return rule

    async def remove_rules(self, ids: Collection[str]) -> int:
        return self._remove_rules(ids)

    def _remove_rules(self, ids: Collection[str]) -> int:
        before = len(self._rules)
        self._rules = tuple(rule for rule in self._rules if rule.id not in ids)
        self._counts = {rule.id: self._counts[rule.id] for rule in self._rules}
        return before - len(self._rules)

    async def count_match(self, rule_id: str, fires: Callable[[RuleCounts], bool]) -> bool:
        counts = self._counts.get(rule_id)
        if counts is None:
            return False
        fired = fires(RuleCounts(counts.matched + 1, counts.fired))
        self._counts[rule_id] = RuleCounts(counts.matched + 1, counts.fired + fired)
        return fired

    def routes(self) -> tuple[Route, ...]:
        return self._routes

    async def change_routes(self, change: Callable[[tuple[Route, ...]], tuple[Route, ...]]) -> tuple[Route, ...]:
        self._routes = change(self._routes)
        return self._routes

    async def sinks(self) -> Mapping[str, Sink]:
        return self._sinks.copy()

    async def sink(self, name: str) -> Sink | None:
        return self._sinks.get(name)

    async def is_scripted(self, name: str) -> bool:
        return name in self._sinks and bool(self._sinks[name].script)

    async def put_sink(self, name: str, script: Sequence[Reply] = ()) -> None:
        self._put_sink(name, script)

    def _put_sink(self, name: str, script: Sequence[Reply]) -> None:
        self._sinks.pop(name, None)
        if len(self._sinks) >= SINKS_KEPT:
            del self._sinks[next(iter(self._sinks))]
            self.sinks_dropped += 1
        self._sinks[name] = Sink(tuple(script))

    async def deliver(self, name: str, received: Received) -> Reply:
        if name not in self._sinks:
            self._put_sink(name, ())
        sink = self._sinks[name]
        self._sinks[name] = sink.with_received(received)
        self._count_receipt(name, received)
        return sink.next_reply

    def _count_receipt(self, name: str, received: Received) -> None:
        """Count a request that a sink has, and drop the oldest of all sinks if there are too many.

        A request that its sink has dropped for a newer one of its own stays counted until its turn comes.
        """
        self._receipts.append((name, received))
        self._receipts_length += len(received.body)
        while len(self._receipts) > RECEIPTS_KEPT or (
            self._receipts_length > RECEIPTS_LENGTH and len(self._receipts) > 1
        ):
            owner, oldest = self._receipts.popleft()
            self._receipts_length -= len(oldest.body)
            sink = self._sinks.get(owner)
            if sink is not None and sink.received and sink.received[0] is oldest:
                self._sinks[owner] = sink.without_oldest()

    @property
    def sinks_kept(self) -> int:
        return len(self._sinks)

    def forget_account(self, account: str) -> None:
        """Remove the rules of one key's hash."""
        self._remove_rules({rule.id for rule in self._rules if rule.account == account})

    def dump(self) -> SteeringRecords:
        rules = [(rule, self._counts[rule.id]) for rule in self._rules]
        return SteeringRecords(rules, self.rules_added, list(self._routes), self._sinks.copy())

    def load(self, records: SteeringRecords) -> None:
        """Put records, as `dump` gave them, in place of everything."""
        self._rules = tuple(rule for rule, _ in records.rules)
        self._counts = {rule.id: counts for rule, counts in records.rules}
        self.rules_added = records.rules_added
        self._routes = tuple(records.routes)
        self._sinks = dict(records.sinks)
        self._receipts.clear()
        self._receipts_length = 0
        received = [(got, name) for name, sink in records.sinks.items() for got in sink.received]
        for got, name in sorted(received, key=lambda pair: pair[0].time):
            self._count_receipt(name, got)
