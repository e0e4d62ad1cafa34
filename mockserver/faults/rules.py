"""The fault rules: which calls, tasks and callbacks each applies to, on which matches, and how often it has fired."""

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field

from mockserver.engine.accounts import account_id, is_account_id
from mockserver.engine.clock import Entropy
from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.store.steering import RuleCounts, RuleForm, Steering
from mockserver.faults.base import Fault, Stage, kinds
from mockserver.http.context import Route
from mockserver.http.routing import path_pattern
from mockserver.providers.base import Provider

RULES_KEPT = 1_000


class BadRule(ValueError):
    """A rule that is invalid or could never fire; the text says what is valid."""


@fast_dataclass
class Subject:
    """The call, task or callback that rules match. "" is unknown: a rule with a value for that field does not match."""

    provider: str
    account: str = ""
    path: str = ""
    method: str = ""
    model: str = ""
    prompt: str = ""
    task_id: str = ""
    picture: bool = False


class Match(BaseModel):
    """The conditions of a rule; all of them must hold.

    `path` is the documented path, with `*` and `?` as in file names; `prompt` is a part of the prompt; `api_key` is a
    key or its hash, and is kept as the hash.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    provider: str | None = None
    path: str | None = None
    method: str | None = None
    model: str | None = None
    api_key: str | None = None
    prompt: str | None = None
    task_id: str | None = None

    def accepts(self, subject: Subject) -> bool:
        return (
            self.provider in (None, subject.provider)
            and self.method in (None, subject.method)
            and self.model in (None, subject.model)
            and self.api_key in (None, subject.account)
            and self.task_id in (None, subject.task_id)
            and (self.path is None or fnmatchcase(subject.path, self.path))
            and (self.prompt is None or self.prompt in subject.prompt)
        )

    @property
    def needs_body(self) -> bool:
        """Whether the request's body decides."""
        return self.model is not None or self.prompt is not None or self.task_id is not None


class When(BaseModel):
    """On which matches a rule fires: after the first `skip`, each `every`-th, with `probability`, at most `times`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] | None = None
    every: Annotated[int, Field(ge=1)] = 1
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0


@fast_dataclass
class Rule:
    """A fault with its conditions. How often it has matched and fired is in the store."""

    id: str
    match: Match
    when: When
    fault: Fault

    @property
    def account(self) -> str | None:
        """The account that the rule is limited to; None for all accounts."""
        return self.match.api_key

    def accepts(self, subject: Subject) -> bool:
        return (subject.picture or not self.fault.pictures_only) and self.match.accepts(subject)

    def fires(self, counts: RuleCounts, entropy: Entropy) -> bool:
        """Whether the rule fires at a match; `counts` include this match."""
        turn = counts.matched - self.when.skip
        if turn < 1 or turn % self.when.every or (self.when.times is not None and counts.fired >= self.when.times):
            return False
        rule = f"{self.match.model_dump_json()} {self.fault.model_dump_json()}"
        return entropy.draw("fault", rule, counts.matched).fraction() < self.when.probability


@fast_dataclass
class FaultRules:
    """Reads, matches and checks fault rules; the store keeps them, in the order in which they were added."""

    providers: Mapping[str, Provider]
    steering: Callable[[], Steering]

    def all(self) -> tuple[Rule, ...]:
        return cast(tuple[Rule, ...], self.steering().rules())  # `add` and `load` put in nothing else

    async def counts(self, rule: Rule) -> RuleCounts:
        return await self.steering().rule_counts(rule.id)

    async def add(self, rule: Mapping[str, Any], prefix: str = "fault") -> Rule:
        """Add a rule from its JSON form; its id is the prefix with a number.

        Raises BadRule, or pydantic's ValidationError for a wrong value.
        """

        def numbered(number: int) -> Rule:
            if len(self.all()) >= RULES_KEPT:
                raise BadRule(f"there are {RULES_KEPT} rules already; remove some")
            return self.read(f"{prefix}-{number}", rule)

        return await self.steering().add_rule(numbered)

    async def remove(self, rules: Iterable[Rule]) -> int:
        """Remove rules; how many of them there were."""
        return await self.steering().remove_rules({rule.id for rule in rules})

    def read(self, name: str, rule: Mapping[str, Any]) -> Rule:
        """A rule from its JSON form, under an id, without adding it. Raises as `add` does."""
        parts = dict(rule)
        match = self._match(parts.pop("match", {}))
        fault = _fault(parts.pop("fault", None))
        if unknown := parts.keys() - When.model_fields.keys():
            raise BadRule(f"a rule has match, fault, {', '.join(When.model_fields)}; not {_named(unknown)}")
        self._check_reach(match, fault)
        return Rule(name, match, When.model_validate(parts), fault)

    def form(self) -> RuleForm:
        """How a store that several processes share writes and reads these rules."""
        return RuleForm(_as_given, self.read)

    def _match(self, given: Any) -> Match:
        if not isinstance(given, Mapping):
            raise BadRule("match is an object")
        if unknown := given.keys() - Match.model_fields.keys():
            raise BadRule(f"a match has {', '.join(Match.model_fields)}; not {_named(unknown)}")
        match = Match.model_validate(dict(given))
        key = match.api_key
        if key is not None and not is_account_id(key) and not self._is_a_key(match.provider, key):
            raise BadRule("the api_key is not a valid key of the matched provider")
        hashed = key if key is None or is_account_id(key) else account_id(key)
        return match.model_copy(update={"api_key": hashed})

    def _is_a_key(self, name: str | None, key: str) -> bool:
        providers = [provider for provider in self.providers.values() if name in (None, provider.name)]
        return not providers or any(provider.accepts_key(key) for provider in providers)

    def _check_reach(self, match: Match, fault: Fault) -> None:
        """Refuse a rule that could never fire. Raises BadRule."""
        if match.provider is not None and match.provider not in self.providers:
            raise BadRule(f"there is no provider {match.provider!r:.40}; there are {', '.join(self.providers)}")
        reached = [self.providers[match.provider]] if match.provider else list(self.providers.values())
        models = [model for provider in reached for model in provider.models]
        if match.model is not None and match.model not in models:
            raise BadRule(f"there is no model {match.model!r:.60}; there are {', '.join(dict.fromkeys(models))}")
        if fault.stage == "callback":
            _check_callback_rule(match, self.providers)
        else:
            _check_routes(match, fault, reached)

    async def meets(self, rule: Rule, subject: Subject, entropy: Entropy) -> bool:
        """Match a rule with a subject and count a match; whether the rule fires.

        Rules are matched one after the other, as their faults are applied: if an earlier fault ends the call, the later
        rules have neither matched nor fired.
        """
        return rule.accepts(subject) and await self.steering().count_match(
            rule.id, lambda counts: rule.fires(counts, entropy)
        )

    def of_stage(self, stage: Stage) -> list[Rule]:
        """The rules whose fault acts at a stage, in the order in which they were added."""
        return [rule for rule in self.all() if rule.fault.stage == stage]

    def needs_body(self) -> bool:
        """Whether any rule needs a request's body before the handler."""
        return any(rule.match.needs_body and rule.fault.stage in ("before", "after") for rule in self.all())


def _as_given(rule: Rule) -> dict[str, Any]:
    """A rule in the JSON form that `read` takes."""
    return {
        "match": rule.match.model_dump(exclude_none=True),
        **rule.when.model_dump(),
        "fault": {"type": rule.fault.type, **rule.fault.model_dump(exclude_defaults=True)},
    }


def _fault(given: Any) -> Fault:
    known = kinds()
    if not isinstance(given, Mapping) or not isinstance(given.get("type"), str) or given["type"] not in known:
        raise BadRule(f"fault is an object with a type of {', '.join(sorted(known))}")
    kind = known[given["type"]]
    if unknown := given.keys() - kind.model_fields.keys():
        raise BadRule(f"{given['type']} has {', '.join(kind.model_fields)}; not {_named(unknown)}")
    return kind.model_validate(dict(given))


def _check_callback_rule(match: Match, providers: Mapping[str, Provider]) -> None:
    if match.path is not None or match.method is not None:
        raise BadRule("a callback has no path and no method; match provider, model, api_key, prompt or task_id")
    callers = [name for name, provider in providers.items() if provider.callback_body]
    if match.provider not in (None, *callers):
        raise BadRule(f"this provider sends no callbacks; {', '.join(callers)} do")


def _check_routes(match: Match, fault: Fault, reached: Iterable[Provider]) -> None:
    """Refuse a rule that no route could match. Raises BadRule with the routes that its fault can act on."""
    if fault.stage == "task" and match.task_id is not None:
        raise BadRule("a generation that is being accepted has no id yet; match provider, model, api_key or prompt")
    owners = [provider for provider in reached if match.model in (None, *provider.models)]
    routes = [route for provider in owners for route in provider.routes if _can_act_on(fault, route)]
    if not any(_fits(match, route) for route in routes):
        known = dict.fromkeys(f"{route.method} {route.path}" for route in routes)
        raise BadRule(f"no call has this method and path; this fault can act on {', '.join(known)}")


def _can_act_on(fault: Fault, route: Route) -> bool:
    return (route.picture or not fault.pictures_only) and (route.billable or fault.stage != "task")


def _fits(match: Match, route: Route) -> bool:
    methods = (None, route.method, "HEAD") if route.method == "GET" else (None, route.method)
    of_a_task = "{task_id}" in route.path or route.task_of is not None
    if (match.needs_body and not of_a_task) and (match.task_id is not None or not route.billable):
        return False  # a call of this route has no model, no prompt and no task
    return match.method in methods and (match.path is None or _may_match(route.path, match.path))


def _may_match(template: str, pattern: str) -> bool:
    """Whether a path of a route could match a pattern; its variable parts can be any text."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    if fixed == pattern:
        return path_pattern(template).fullmatch(pattern) is not None
    start = template.partition("{")[0]
    return start.startswith(fixed) or ("{" in template and fixed.startswith(start)) or fnmatchcase(template, pattern)


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(str(name)[:40] for name in names))
