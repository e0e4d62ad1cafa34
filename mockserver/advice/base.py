"""What a rule of advice is, what it says, and the discovery of all rules."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from mockserver.advice.records import Records
from mockserver.providers.base import Provider

MOST_IDS = 20
"""Ids of requests, of tasks and of callbacks that one piece of advice names."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that a client does.

    Args:
        rule: the rule's name.
        account: the account that did it, "" without a valid key.
        times: how often it was seen.
        seen: what was seen the first time, in a sentence with numbers, and how often more.
        why: why it hurts in production, and what to do instead.
        claim: the id of the claim that it rests on, "" if it is general.
        requests: ids of requests that show it, `MOST_IDS` at most; `tasks` and `callbacks` likewise.
    """

    rule: str
    title: str
    provider: str
    account: str
    times: int
    seen: str
    why: str
    claim: str = ""
    requests: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule has found, once. `claim` is "" where the provider's claim for the rule holds."""

    provider: str
    account: str
    seen: str
    claim: str = ""
    requests: Sequence[str] = ()
    tasks: Sequence[str] = ()
    callbacks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: `find` looks for it in what was recorded. `why` says why it hurts, and what to do instead."""

    name: str
    title: str
    why: str
    find: Callable[[Records], Iterable[Finding]]


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by name: each module of this package that has a `RULE`."""
    package = importlib.import_module(__package__ or "")
    modules = (importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    found: list[Rule] = [module.RULE for module in modules if hasattr(module, "RULE")]
    return tuple(sorted(found, key=lambda rule: rule.name))


def advice_for(records: Records) -> list[Advice]:
    """What all rules say of the records: one piece of advice for each rule, provider, account and claim."""
    return [advice for rule in rules() for advice in _advice_of(rule, records)]


def _advice_of(rule: Rule, records: Records) -> list[Advice]:
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for found in rule.find(records):
        claim = found.claim or claim_of(records.providers, found.provider, rule)
        groups.setdefault((found.provider, found.account, claim), []).append(found)
    return [
        Advice(
            rule.name,
            rule.title,
            provider,
            account,
            len(found),
            found[0].seen + (f" And {len(found) - 1} more of the kind." if len(found) > 1 else ""),
            rule.why,
            claim,
            _ids(one.requests for one in found),
            _ids(one.tasks for one in found),
            _ids(one.callbacks for one in found),
        )
        for (provider, account, claim), found in groups.items()
    ]


def claim_of(providers: Mapping[str, Provider], provider: str, rule: Rule) -> str:
    """The claim that a rule rests on at a provider, "" if it is general."""
    return providers[provider].client_facts.claims.get(rule.name, "")


def _ids(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(list(dict.fromkeys(name for part in parts for name in part))[:MOST_IDS])
