"""The scenarios of one server: several are one, in which a later one adds to those before it or overrides them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mockserver.control.queries import account_name
from mockserver.engine.engine import Engine
from mockserver.engine.latency import Latency
from mockserver.engine.ledger import AccountChange, RateLimit
from mockserver.engine.outbound import parse_route
from mockserver.engine.sinks import Reply
from mockserver.engine.store.shared import LARGEST_AMOUNT, TOO_LARGE
from mockserver.faults.rules import RULES_KEPT, FaultRules, Rule
from mockserver.providers.base import Provider
from mockserver.scenarios.reading import AccountTerms, BadScenario, Scenario, path_of, read

Tables = Mapping[str, Mapping[str, str]]
Spans = Mapping[str, Mapping[str, tuple[float, float]]]


OWN = "scenario"
"""How the ids of the scenarios' rules begin. Any process of a server can tell by it which they are."""


class ScenariosInForce:
    """Puts scenarios in force: at the start, after each reset, and again when a file has changed.

    Args:
        names: names of shipped scenarios, or files.
        set_mounts: puts prices and durations by provider into the mounts.

    Raises:
        BadScenario: from the first one that can't be used.
    """

    def __init__(
        self,
        names: Sequence[str],
        engine: Engine,
        rules: FaultRules,
        providers: Mapping[str, Provider],
        set_mounts: Callable[[Tables, Spans], None],
    ) -> None:
        self.names = tuple(names)
        self._engine, self._rules, self._providers, self._set_mounts = engine, rules, providers, set_mounts
        self._configured = engine.config
        self._use([read(name, providers) for name in self.names], 0)

    @property
    def files(self) -> list[str]:
        """The absolute paths of the files, to watch."""
        return [str(path_of(name).absolute()) for name in self.names]

    async def reload(self, *, leads: bool = True) -> None:
        """Read every file, and put what they say in force. Raises BadScenario; then nothing has changed.

        Accounts that are open keep their money until the next reset. Of several processes, each has prices, durations
        and opening terms of its own to change; the one that `leads` changes what is in the store.
        """
        await self._engine.store.refresh()
        own = [rule for rule in self._rules.all() if _is_own(rule)]
        self._use([read(name, self._providers) for name in self.names], len(self._rules.all()) - len(own))
        if leads:
            await self._rules.remove(own)
            await self.begin()

    def _use(self, scenarios: Sequence[Scenario], other_rules: int) -> None:
        """Use scenarios from now on; `begin` puts in force what the store keeps of them. Raises BadScenario."""
        if other_rules + sum(len(one.faults) for one in scenarios) > RULES_KEPT:
            raise BadScenario(f"{', '.join(self.names)}: more than {RULES_KEPT} fault rules would be in force")
        terms = self._terms(scenarios)
        largest = max((amount or 0 for one in terms.values() for amount in (one.balance, one.quota)), default=0)
        if self._engine.store.shared and largest > LARGEST_AMOUNT:
            raise BadScenario(f"{', '.join(self.names)}: {TOO_LARGE}")
        self._scenarios = scenarios
        profile = next((one.latency for one in reversed(self._scenarios) if one.latency is not None), None)
        routes = [parse_route(f"{route.source}={route.to}") for one in self._scenarios for route in one.routes]
        routing = replace(self._configured.routing, routes=(*self._configured.routing.routes, *routes))
        latency = Latency.parse(profile) if profile else self._configured.latency
        self._engine.config = replace(self._configured, latency=latency, routing=routing)
        self._engine.dispatcher.defaults = routing
        self._engine.store.set_terms(terms)
        self._set_mounts(*self._tables())

    async def begin(self, account: str | None = None) -> None:
        """Put in force, at the start and after a reset, what the store keeps of the scenarios: for everybody, or the
        rules of one key's hash."""
        for rule in (rule for one in self._scenarios for rule in one.faults):
            named = rule.get("match", {}).get("api_key")
            if account is None or (named is not None and account_name(named) == account):
                await self._rules.add(rule, OWN)
        if account is None:
            await self._engine.dispatcher.restore_routes()
            for one in self._scenarios:
                for name, script in one.sinks.items():
                    replies = [Reply(item.status, item.delay) for item in script.responses]
                    await self._engine.store.steering.put_sink(name, replies)

    def _terms(self, scenarios: Sequence[Scenario]) -> dict[tuple[str, str], AccountChange]:
        """What accounts open with, by provider and account; "" stands for every account."""
        found: dict[tuple[str, str], AccountChange] = {}
        for given in (account for one in scenarios for account in one.accounts):
            for name in [given.provider] if given.provider else self._providers:
                place = name, account_name(given.key) if given.key else ""
                found[place] = self._added(found.get(place), given, name)
        return found

    def _added(self, before: AccountChange | None, given: AccountTerms, provider: str) -> AccountChange:
        currency, named, limit = self._providers[provider].currency, given.model_fields_set, given.rate_limit
        change = before or AccountChange()
        if given.balance is not None:
            change = replace(change, balance=currency.minor(given.balance))
        if "quota" in named:
            quota = None if given.quota is None else currency.minor(given.quota)
            change = replace(change, sets_quota=True, quota=quota)
        if "rate_limit" in named:
            rate = RateLimit(limit.requests, limit.seconds) if limit else None
            change = replace(change, sets_rate_limit=True, rate_limit=rate)
        return change

    def _tables(self) -> tuple[Tables, Spans]:
        prices: dict[str, dict[str, str]] = {}
        spans: dict[str, dict[str, tuple[float, float]]] = {}
        for one in self._scenarios:
            for name, table in one.prices.items():
                prices.setdefault(name, {}).update({key: str(price) for key, price in table.items()})
            for name, durations in one.latencies.items():
                spans.setdefault(name, {}).update(durations)
        return prices, spans


def _is_own(rule: Rule) -> bool:
    return rule.id.startswith(f"{OWN}-")
