"""`--drift`: each call is sent to a mock too, and the two answers are compared.

Ids, times, links and texts may differ in value but not in kind. Critical: a client would break. Warning: a
client may notice. Info: a client should not rely on it.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import httpx

from .client import Client
from .exchange import Answer, Call, Exchange
from .pictures import picture_in_base64, picture_of


class Level(Enum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: its place (`status`, a header, a JSON path), and what the mock and the target have there."""

    level: Level
    where: str
    mock: str
    target: str
    call: str = ""
    test: str = ""
    claims: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.level.value}: {self.call} {self.where}: the mock has {self.mock}, the target {self.target}"


MEANINGFUL = frozenset({"code", "type", "status", "object", "success", "provider", "billing_rule", "param", "count"})
"""Fields whose values clients branch on."""

PRICED = frozenset({"cost", "credits_reserved", "estimated_time", "user_group"})
MIGHT_BE_ABSENT = frozenset({"param", "elapsed"})
_SPAN = frozenset({"created_at_min", "created_at_max"})
"""Fields of a request that name instants; the mock's tasks were made at others."""

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_TASK = re.compile(r"task-unified-\d+-[a-z0-9]{8}")
_DAY = re.compile(r"\b20\d{6}\b")


def compare(mock: Answer, target: Answer) -> Iterator[Finding]:
    """The differences between two answers to one request."""
    if mock.status != target.status:
        same_class = mock.status // 100 == target.status // 100
        gentle = same_class and mock.status >= 400
        yield Finding(Level.WARNING if gentle else Level.CRITICAL, "status", str(mock.status), str(target.status))
    if mock.content_type != target.content_type:
        yield Finding(Level.CRITICAL, "content-type", mock.content_type, target.content_type)
    for name in ("retry-after", "location", "content-disposition"):
        if (name in mock.headers) != (name in target.headers):
            yield Finding(Level.WARNING, name, _presence(mock.headers, name), _presence(target.headers, name))
    if mock.value is not None and target.value is not None:
        yield from _values("$", "", mock.value, target.value)
    else:
        yield from _pictures("body", picture_of(mock.content), picture_of(target.content))


def _presence(headers: Mapping[str, str], name: str) -> str:
    return "one" if name in headers else "none"


def _values(where: str, name: str, mock: Any, target: Any) -> Iterator[Finding]:
    if _kind(mock) != _kind(target):
        level = Level.WARNING if None in (mock, target) else Level.CRITICAL
        yield Finding(level, where, _kind(mock), _kind(target))
    elif isinstance(mock, dict):
        yield from _objects(where, mock, target)
    elif isinstance(mock, list):
        if len(mock) != len(target):
            yield Finding(Level.CRITICAL, where, f"{len(mock)} items", f"{len(target)} items")
        for index, (left, right) in enumerate(zip(mock, target, strict=False)):
            yield from _values(f"{where}[{index}]", name, left, right)
    elif name == "b64_json":
        yield from _pictures(where, picture_in_base64(mock), picture_in_base64(target))
    elif mock != target and (weight := _weight(name, mock, target)) is not None:
        yield Finding(weight, where, repr(mock)[:120], repr(target)[:120])


def _objects(where: str, mock: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Finding]:
    for name in mock.keys() - target.keys():
        yield Finding(Level.INFO if name in MIGHT_BE_ABSENT else Level.CRITICAL, f"{where}.{name}", "it", "nothing")
    for name in target.keys() - mock.keys():
        yield Finding(Level.INFO, f"{where}.{name}", "nothing", f"it: {_kind(target[name])}")
    for name in sorted(mock.keys() & target.keys()):
        yield from _values(f"{where}.{name}", name, mock[name], target[name])


def _kind(value: Any) -> str:
    """A JSON type; for text, the kind of id or URL that it is, if any."""
    if isinstance(value, bool) or value is None:
        return {True: "boolean", False: "boolean", None: "null"}[value]
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return _text_kind(value)
    return "list" if isinstance(value, list) else "object"


def _text_kind(text: str) -> str:
    if _UUID.fullmatch(text):
        return "UUID"
    if _TASK.fullmatch(text):
        return "evolink task id"
    return "URL" if urlsplit(text).scheme in ("http", "https") else "text"


def _weight(name: str, mock: Any, target: Any) -> Level | None:
    """How much it matters that two values of one kind differ; None if it does not."""
    if _kind(mock) in ("UUID", "evolink task id", "URL"):
        return None
    if name in MEANINGFUL or isinstance(mock, bool):
        return Level.CRITICAL
    if name in PRICED:
        return Level.WARNING
    if name == "created":
        return Level.CRITICAL if (mock == 0) != (target == 0) else None
    return Level.INFO if name == "message" else None


def _pictures(where: str, mock: Any, target: Any) -> Iterator[Finding]:
    if (mock is None) != (target is None):
        yield Finding(Level.CRITICAL, where, "a picture" if mock else "no picture", "a picture" if target else "none")
    elif mock is not None and mock.format != target.format:
        yield Finding(Level.CRITICAL, where, mock.format, target.format)
    elif mock is not None and mock.size != target.size:
        alike = abs(mock.ratio / target.ratio - 1) < 0.02
        yield Finding(Level.INFO if alike else Level.WARNING, where, mock.size, target.size)


@dataclass(slots=True)
class Tally:
    """How many answers of one provider were compared with the mock's, and how many not, by reason."""

    compared: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class MockComparison:
    """Sends each call of the target to a mock too, with the mock's ids in place of the target's, and compares."""

    mock: Client
    test: str
    claims: tuple[str, ...]
    base_url: str
    key: str
    findings: list[Finding]
    tally: "Tally"
    _known: dict[str, str] = field(default_factory=dict)

    def __call__(self, exchange: Exchange) -> None:
        """A client's listener: compare one exchange of the target."""
        call = exchange.call
        if not call.url.startswith(self.base_url) and call.url not in self._known:
            self.tally.left_out["an address that the mock has no counterpart of"] += 1
            return
        if _SPAN & _body_names(call):
            self.tally.left_out["it asks for a span of the target's time"] += 1
            return
        if _unfinished(call, exchange.answer.value):
            self.tally.left_out["the task was still under way"] += 1
            return
        try:
            answer = self._ask(call)
        except httpx.HTTPError as error:
            self.findings.append(self._signed(Finding(Level.WARNING, "answer", type(error).__name__, "one"), call))
            return
        self.tally.compared += 1
        target = exchange.answer
        if _lists_an_account(call):
            ours = set(self._known.values())
            target, answer = _only(target, self._known.keys()), _only(answer, ours)
        self._learn(target.value, answer.value)
        self._learn(*(side.headers.get("location") for side in (target, answer)))
        self.findings.extend(self._signed(finding, call) for finding in compare(answer, target))

    def _signed(self, finding: Finding, call: Call) -> Finding:
        path = urlsplit(call.url.removeprefix(self.base_url)).path
        for identity, name in ((_TASK, "{task}"), (_UUID, "{uuid}"), (_DAY, "{day}")):
            path = identity.sub(name, path)
        return replace(finding, call=f"{call.method} {path}", test=self.test, claims=self.claims)

    def _ask(self, call: Call) -> Answer:
        """The mock's answer to the same call, with its own key in the place of the target's."""
        headers = dict(call.headers)
        if headers.get("Authorization") == f"Bearer {self.key}":
            headers["Authorization"] = f"Bearer {self.mock.key}"
        url = self._known.get(call.url) or self._translated(call.url.removeprefix(self.base_url))
        return self.mock.send(replace(call, url=url, headers=headers, body=self._deep(call.body)), authorize=False)

    def _deep(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._translated(value)
        if isinstance(value, list):
            return [self._deep(item) for item in value]
        return {name: self._deep(item) for name, item in value.items()} if isinstance(value, dict) else value

    def _translated(self, text: str) -> str:
        for theirs, ours in sorted(self._known.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(theirs, ours)
        return text

    def _learn(self, target: Any, mock: Any) -> None:
        """Remember which id of the mock corresponds to which of the target."""
        if isinstance(target, dict) and isinstance(mock, dict):
            for name in target.keys() & mock.keys():
                self._learn(target[name], mock[name])
        elif isinstance(target, list) and isinstance(mock, list):
            for left, right in zip(target, mock, strict=False):
                self._learn(left, right)
        elif isinstance(target, str) and isinstance(mock, str) and _kind(target) in ("UUID", "URL", "evolink task id"):
            self._known[target] = mock


def _body_names(call: Call) -> Set[str]:
    return call.body.keys() if isinstance(call.body, dict) else frozenset()


def _lists_an_account(call: Call) -> bool:
    """Whether a call asks for all tasks of an account: the target's has those of other tests and of earlier runs, while
    the mock's account was made for this test."""
    names = _body_names(call)
    return "action" in names and call.body["action"] == "retrieve_batch" and not names & {"ids", "trace_ids"}


def _only(answer: Answer, known: Collection[str]) -> Answer:
    """A list of tasks with those alone that the test itself has seen, and their number as its count."""
    value = answer.value
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return answer
    items = [item for item in value["items"] if isinstance(item, dict) and item.get("id") in known]
    count = {"count": len(items)} if "count" in value else {}
    return replace(answer, content=json.dumps({**value, "items": items, **count}).encode())


def _unfinished(call: Call, body: Any) -> bool:
    """Whether a polled task is still under way: the mock's may have ended, and that is no difference."""
    if not isinstance(body, dict):
        return False
    polled = call.method == "GET" and body.get("status") in ("pending", "processing")
    return polled or ("finished_at" in body and body["finished_at"] is None)
