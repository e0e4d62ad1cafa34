"""Every operation of the control surface: the calls that it makes, and the records read from their answers.

Lists are oldest first. With a `Scope` that is limited to its own keys, they are of those keys unless `everyone` is set.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from types import EllipsisType
from typing import Any, Literal

from mockserver.client.models import Advanced, Advice, Clock, Defect, Forgotten, Request, Resent, Rule, Sink, Task
from mockserver.client.money import Account
from mockserver.client.protocol import ControlCall, MockError, Operation, hide_misuse, segment
from mockserver.client.scope import AddedRule, Scope

__tracebackhide__ = hide_misuse
PAGE = "1000"
MATCH = ("provider", "path", "method", "model", "prompt", "task_id")

Amount = Decimal | int | float | str
Reply = int | tuple[int, float]
"""What a sink answers: a status, or a status after so many seconds of the clock."""


def pages(noun: str, **query: str | tuple[str, ...] | None) -> Operation[list[Any]]:
    """A whole list, page by page."""
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        page = yield ControlCall("GET", noun, {**query, "limit": PAGE, "cursor": cursor})
        rows += page[noun]
        cursor = page["next"]
        if cursor is None:
            return rows[::-1]


def health() -> Operation[Mapping[str, Any]]:
    found: Mapping[str, Any] = yield ControlCall("GET", "health")
    return found


def defects() -> Operation[list[Defect]]:
    found = (yield ControlCall("GET", "health"))["defects"]["last"]
    return [Defect(one["number"], one["where"], one["account"], one["traceback"]) for one in found]


def clock() -> Operation[Clock]:
    return Clock.read((yield ControlCall("GET", "clock")))


def set_clock(mode: Literal["real", "virtual"] | None, speed: float | None, autojump: bool | None) -> Operation[Clock]:
    asked = {"mode": mode, "speed": speed, "autojump": autojump}
    body = {name: value for name, value in asked.items() if value is not None}
    return Clock.read((yield ControlCall("PUT", "clock", body=body)))


def advance(seconds: float | None = None, until: float | Literal["idle"] | None = None) -> Operation[Advanced]:
    asked = {"seconds": seconds, "until": until}
    body = {name: value for name, value in asked.items() if value is not None}
    return Advanced.read((yield ControlCall("POST", "clock/advance", body=body, timeout=None)))


def requests(
    scope: Scope,
    provider: str | None = None,
    *,
    path: str | None = None,
    method: str | None = None,
    model: str | None = None,
    prompt: str | None = None,
    status: int | None = None,
    task_id: str | None = None,
    everyone: bool = False,
) -> Operation[list[Request]]:
    rows = yield from pages("requests", provider=provider, **scope.filter(everyone))

    def wanted(request: Request) -> bool:
        return (
            method in (None, request.method)
            and model in (None, request.model)
            and status in (None, request.status)
            and task_id in (None, request.task_id)
            and (prompt is None or prompt in (request.prompt or ""))
            and (path is None or fnmatchcase(request.documented_path, path))
        )

    return [request for request in map(Request.read, rows) if wanted(request)]


def tasks(
    scope: Scope, provider: str | None, status: str | None, model: str | None, everyone: bool
) -> Operation[list[Task]]:
    rows = yield from pages("tasks", provider=provider, **scope.filter(everyone))
    found = map(Task.read, rows)
    return [task for task in found if status in (None, task.status) and model in (None, task.model)]


def task(task_id: str) -> Operation[Task]:
    return Task.read((yield ControlCall("GET", f"tasks/{segment(task_id)}")))


def complete_task(task_id: str) -> Operation[Task]:
    return Task.read((yield ControlCall("POST", f"tasks/{segment(task_id)}/complete", body={})))


def fail_task(task_id: str, code: str | None) -> Operation[Task]:
    body = {} if code is None else {"code": code}
    return Task.read((yield ControlCall("POST", f"tasks/{segment(task_id)}/fail", body=body)))


def cancel_task(task_id: str) -> Operation[Task]:
    return Task.read((yield ControlCall("POST", f"tasks/{segment(task_id)}/cancel", body={})))


def resend(request_id: str) -> Operation[Resent]:
    return Resent.read((yield ControlCall("POST", f"requests/{segment(request_id)}/resend", timeout=None)))


def advice(scope: Scope, everyone: bool) -> Operation[list[Advice]]:
    answer = yield ControlCall("GET", "advice", scope.filter(everyone))
    return [Advice.read(one) for one in answer["advice"]]


def add_fault(
    scope: Scope, type_: str, given: Mapping[str, Any], everyone: bool, key: str | None, optional: bool
) -> Operation[Rule]:
    """Add a rule. What is no part of its match or its timing in `given` is a parameter of the fault."""
    present = {name: value for name, value in given.items() if value is not None}
    match = {name: present.pop(name) for name in MATCH if name in present}
    if key is None and scope.own_only and not everyone:
        key = scope.key_for(match.get("provider"))
    if key is not None:
        match["api_key"] = key
    when: dict[str, Any] = {
        name: present.pop(name) for name in ("skip", "times", "every", "probability") if name in present
    }
    body: dict[str, Any] = {"match": match, **when, "fault": {"type": type_, **present}}
    rule = Rule.read((yield ControlCall("POST", "faults", body=body)))
    scope.rules[rule.id] = AddedRule(key in scope.filter().get("api_key", ()), optional)
    return rule


def unused_faults(scope: Scope) -> Operation[list[Rule]]:
    """The rules that were added in this scope, are still in force, and never fired; without the optional ones."""
    expected = {rule_id for rule_id, added in scope.rules.items() if not added.optional}
    if not expected:
        return []
    rules = yield from faults(scope, everyone=True)
    return [rule for rule in rules if rule.id in expected and rule.fired == 0]


def faults(scope: Scope, everyone: bool) -> Operation[list[Rule]]:
    rows = (yield ControlCall("GET", "faults", scope.filter(everyone)))["faults"]
    return [Rule.read(row) for row in reversed(rows)]


def fault_kinds() -> Operation[dict[str, Mapping[str, Any]]]:
    return {kind["type"]: kind for kind in (yield ControlCall("GET", "fault-kinds"))["kinds"]}


def fault(rule_id: str) -> Operation[Rule]:
    return Rule.read((yield ControlCall("GET", f"faults/{segment(rule_id)}")))


def remove_fault(rule_id: str) -> Operation[Rule]:
    return Rule.read((yield ControlCall("DELETE", f"faults/{segment(rule_id)}")))


def clear_faults(scope: Scope, everyone: bool) -> Operation[int]:
    removed = (yield ControlCall("DELETE", "faults", scope.filter(everyone)))["removed"]
    return int(removed)


def routes() -> Operation[dict[str, str]]:
    return {route["from"]: route["to"] for route in (yield ControlCall("GET", "routes"))["routes"]}


def put_routes(table: Mapping[str, str]) -> Operation[dict[str, str]]:
    body = {"routes": [{"from": source, "to": target} for source, target in table.items()]}
    return {route["from"]: route["to"] for route in (yield ControlCall("PUT", "routes", body=body))["routes"]}


def add_route(scope: Scope, source: str, target: str) -> Operation[dict[str, str]]:
    """A route goes ahead of those that are there."""
    if scope.own_only:
        scope.routes.append(source)
    answer = yield ControlCall("POST", "routes", body={"from": source, "to": target})
    return {route["from"]: route["to"] for route in answer["routes"]}


def clean_up(scope: Scope) -> Operation[None]:
    """Remove the faults and the routes that were added in a scope."""
    yield from clear_faults(scope, everyone=False)
    for rule_id in [rule_id for rule_id, added in scope.rules.items() if not added.own_key]:
        try:
            yield from remove_fault(rule_id)
        except MockError as error:  # removed already
            if error.status != 404:
                raise
    for source in scope.routes:
        yield ControlCall("DELETE", "routes", {"from": source})
    scope.rules.clear()
    scope.routes.clear()


def account(provider: str, key: str) -> Operation[Account]:
    return Account.read((yield ControlCall("GET", f"accounts/{segment(key)}", {"provider": provider})))


def set_account(
    provider: str,
    key: str,
    balance: Amount | None,
    quota: Amount | EllipsisType | None,
    rate_limit: tuple[int, float] | EllipsisType | None,
) -> Operation[Account]:
    body: dict[str, Any] = {} if balance is None else {"balance": str(balance)}
    if not isinstance(quota, EllipsisType):
        body["quota"] = None if quota is None else str(quota)
    if not isinstance(rate_limit, EllipsisType):
        limit = rate_limit and {"requests": rate_limit[0], "seconds": rate_limit[1]}
        body["rate_limit"] = limit
    return Account.read((yield ControlCall("PUT", f"accounts/{segment(key)}", {"provider": provider}, body)))


def accounts(scope: Scope, provider: str | None = None, everyone: bool = False) -> Operation[list[Account]]:
    """Every account that was used; without their usage records."""
    rows = yield from pages("accounts", provider=provider, **scope.filter(everyone))
    return [Account.read(row) for row in rows]


def sink(name: str) -> Operation[Sink]:
    return Sink.read((yield ControlCall("GET", f"sink/{segment(name)}")))


def script_sink(name: str, replies: Sequence[Reply]) -> Operation[Sink]:
    script = [r if isinstance(r, int) else {"status": r[0], "delay": r[1]} for r in replies]
    return Sink.read((yield ControlCall("PUT", f"sink/{segment(name)}", body={"responses": script})))


def snapshot() -> Operation[Mapping[str, Any]]:
    state: Mapping[str, Any] = yield ControlCall("GET", "snapshot", timeout=None)
    return state


def restore(state: Mapping[str, Any]) -> Operation[Clock]:
    return Clock.read((yield ControlCall("PUT", "snapshot", body=dict(state), timeout=None)))


def reset(*keys: str) -> Operation[list[Forgotten]]:
    """Forget everything, or the state of some API keys alone; what was forgotten, call by call."""
    answers = []
    for key in keys or (None,):
        body = None if key is None else {"api_key": key}
        answers.append(Forgotten.read((yield ControlCall("POST", "reset", body=body))))
    return answers
