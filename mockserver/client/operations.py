"""Every operation of the control surface, once: the calls that it takes and what is made of their answers.

Lists are oldest first. With an `Owner` that sees its own alone, they are of its API key unless `everyone` is set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from types import EllipsisType
from typing import Any, Literal

from mockserver.client.models import Advanced, Clock, Defect, Request, Rule, Sink, Task
from mockserver.client.money import Account
from mockserver.client.protocol import ControlCall, MockError, Operation, segment

PAGE = "1000"
MATCH = ("provider", "path", "method", "model", "prompt", "task_id")

Amount = Decimal | int | float | str
Reply = int | tuple[int, float]
"""What a sink answers: a status, or a status after so many seconds of the clock."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose records an operation is about: its key's alone if `alone`, else everybody's.

    One that is alone remembers what it has added that has no key of its own, so that it can be cleaned up.
    """

    api_key: str
    alone: bool = False
    rules: list[str] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)

    def key(self, everyone: bool = False) -> str | None:
        """What to filter by."""
        return self.api_key if self.alone and not everyone else None


def pages(noun: str, **query: str | None) -> Operation[list[Any]]:
    """A whole list."""
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
    body: dict[str, Any] = {"until": until} if seconds is None else {"seconds": seconds}
    return Advanced.read((yield ControlCall("POST", "clock/advance", body=body, timeout=None)))


def requests(
    owner: Owner,
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
    rows = yield from pages("requests", provider=provider, api_key=owner.key(everyone))

    def wanted(request: Request) -> bool:
        return (
            method in (None, request.method)
            and model in (None, request.model)
            and status in (None, request.status)
            and task_id in (None, request.task_id)
            and (prompt is None or prompt in (request.prompt or ""))
            and (path is None or fnmatchcase(documented_path(request), path))
        )

    return [request for request in map(Request.read, rows) if wanted(request)]


def documented_path(request: Request) -> str:
    """A request's path as the provider documents it: without our prefix and the query."""
    return request.path.partition("?")[0].removeprefix(f"/{request.provider}")


def tasks(
    owner: Owner, provider: str | None, status: str | None, model: str | None, everyone: bool
) -> Operation[list[Task]]:
    rows = yield from pages("tasks", provider=provider, api_key=owner.key(everyone))
    found = map(Task.read, rows)
    return [task for task in found if status in (None, task.status) and model in (None, task.model)]


def task(task_id: str) -> Operation[Task]:
    return Task.read((yield ControlCall("GET", f"tasks/{segment(task_id)}")))


def add_fault(owner: Owner, type_: str, given: Mapping[str, Any], everyone: bool, key: str | None) -> Operation[Rule]:
    """Add a rule. What is no part of its match or its timing in `given` is a parameter of the fault."""
    present = {name: value for name, value in given.items() if value is not None}
    match = {name: present.pop(name) for name in MATCH if name in present}
    if (key := key or owner.key(everyone)) is not None:
        match["api_key"] = key
    when: dict[str, Any] = {
        name: present.pop(name) for name in ("skip", "times", "every", "probability") if name in present
    }
    body: dict[str, Any] = {"match": match, **when, "fault": {"type": type_, **present}}
    rule = Rule.read((yield ControlCall("POST", "faults", body=body)))
    if owner.alone and "api_key" not in match:
        owner.rules.append(rule.id)
    return rule


def faults(owner: Owner, everyone: bool) -> Operation[list[Rule]]:
    rows = (yield ControlCall("GET", "faults", {"api_key": owner.key(everyone)}))["faults"]
    return [Rule.read(row) for row in reversed(rows)]


def fault(rule_id: str) -> Operation[Rule]:
    return Rule.read((yield ControlCall("GET", f"faults/{segment(rule_id)}")))


def remove_fault(rule_id: str) -> Operation[Rule]:
    return Rule.read((yield ControlCall("DELETE", f"faults/{segment(rule_id)}")))


def clear_faults(owner: Owner, everyone: bool) -> Operation[int]:
    removed = (yield ControlCall("DELETE", "faults", {"api_key": owner.key(everyone)}))["removed"]
    return int(removed)


def routes() -> Operation[dict[str, str]]:
    return {route["from"]: route["to"] for route in (yield ControlCall("GET", "routes"))["routes"]}


def put_routes(table: Mapping[str, str]) -> Operation[dict[str, str]]:
    body = {"routes": [{"from": source, "to": target} for source, target in table.items()]}
    return {route["from"]: route["to"] for route in (yield ControlCall("PUT", "routes", body=body))["routes"]}


def add_route(owner: Owner, source: str, target: str) -> Operation[dict[str, str]]:
    """A route goes ahead of those that are there."""
    if owner.alone:
        owner.routes.append(source)
    answer = yield ControlCall("POST", "routes", body={"from": source, "to": target})
    return {route["from"]: route["to"] for route in answer["routes"]}


def clean_up(owner: Owner) -> Operation[None]:
    """Remove the faults and the routes that an owner has added."""
    yield from clear_faults(owner, everyone=False)
    for rule in owner.rules:
        try:
            yield from remove_fault(rule)
        except MockError as error:  # removed already
            if error.status != 404:
                raise
    for source in owner.routes:
        yield ControlCall("DELETE", "routes", {"from": source})
    owner.routes.clear()


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


def accounts(owner: Owner, provider: str | None = None, everyone: bool = False) -> Operation[list[Account]]:
    """Every account that was used; without their usage records."""
    rows = yield from pages("accounts", provider=provider, api_key=owner.key(everyone))
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


def reset(key: str | None) -> Operation[None]:
    """Forget everything, or one key's."""
    yield ControlCall("POST", "reset", body={} if key is None else {"api_key": key})
