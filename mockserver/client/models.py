"""The control surface's answers as frozen records. Times are Unix seconds of the server's clock, money is Decimal.

`raw` is the JSON that a record was read from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Self

from mockserver.client.discovered import is_billable

JsonObject = Mapping[str, Any]
TaskStatus = Literal["pending", "processing", "completed", "failed"]
CallbackState = Literal["waiting", "delivered", "gave_up", "captured", "lost"]


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock. `speed` is its seconds in one real second, 0 for a virtual clock; `next_due` is None if nothing is
    planned."""

    now: float
    mode: Literal["real", "virtual"]
    speed: float
    autojump: bool
    next_due: float | None
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        return cls(raw["now"], raw["mode"], raw["speed"], raw["autojump"], raw["next_due"], raw)


@dataclass(frozen=True, slots=True)
class Ran:
    """An event that an advance ran: the "finish" of a task, or an "attempt" to deliver a callback; `id` is theirs."""

    time: float
    kind: Literal["finish", "attempt"]
    id: str


@dataclass(frozen=True, slots=True)
class Advanced:
    """The clock after an advance, and the events that it ran, in order."""

    now: float
    ran: tuple[Ran, ...]
    next_due: float | None
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        ran = tuple(Ran(event["time"], event["kind"], event["id"]) for event in raw["ran"])
        return cls(raw["now"], ran, raw["next_due"], raw)


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault rule. `match` has the API key's hash; `matched` and `fired` say how often it did so."""

    id: str
    match: JsonObject
    fault: JsonObject
    skip: int
    times: int | None
    every: int
    probability: float
    matched: int
    fired: int
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        names = ("id", "match", "fault", "skip", "times", "every", "probability", "matched", "fired")
        return cls(**{name: raw[name] for name in names}, raw=raw)


@dataclass(frozen=True, slots=True)
class Request:
    """A call to a provider and its answer. `account` is the key's hash, None without a valid key; `path` is as the
    client wrote it, prefix and query included; `cost` is that of the generation it began."""

    id: str
    time: float
    provider: str
    account: str | None
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int | None
    response: Any
    task_id: str | None
    cost: Decimal | None
    error: str | None
    duration: float | None
    raw: JsonObject = field(repr=False, compare=False)

    @property
    def model(self) -> str | None:
        return self._field("model")

    @property
    def prompt(self) -> str | None:
        return self._field("prompt")

    def _field(self, name: str) -> str | None:
        value = self.body.get(name) if isinstance(self.body, dict) else None
        return value if isinstance(value, str) else None

    @property
    def documented_path(self) -> str:
        """The path as the provider documents it: without the prefix of this server and the query."""
        return self.path.partition("?")[0].removeprefix(f"/{self.provider}")

    @property
    def generates(self) -> bool:
        """Whether it is a call that begins a generation, refused calls included."""
        return is_billable(self.provider, self.method, self.documented_path)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        return cls(
            raw["id"],
            raw["time"],
            raw["provider"],
            raw["account"],
            raw["method"],
            raw["path"],
            raw["headers"],
            raw["body"],
            raw["status"],
            raw["response"],
            raw["task_id"],
            _money(raw["cost"]),
            raw["error"],
            raw["duration"],
            raw,
        )


@dataclass(frozen=True, slots=True)
class Resent:
    """The answer to a request that was sent again: its status, and the id under which the new request is recorded."""

    status: int
    id: str | None
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        return cls(raw["status"], raw["id"], raw)


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that a client does and that would hurt in production: how many times and what was seen, why it hurts,
    and the ids of the requests, tasks and callbacks that show it. `claim` is the id of the claim that it rests on, or
    "" if it is general."""

    rule: str
    title: str
    provider: str
    account: str
    times: int
    seen: str
    why: str
    claim: str
    requests: tuple[str, ...]
    tasks: tuple[str, ...]
    callbacks: tuple[str, ...]
    raw: JsonObject = field(repr=False, compare=False)

    def __str__(self) -> str:
        """As two lines of a report."""
        rests = f" ({self.claim})" if self.claim else ""
        return f"{self.rule} at {self.provider}: {self.seen}\n  {self.why}{rests}"

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        plain = ("rule", "title", "provider", "account", "times", "seen", "why", "claim")
        values: dict[str, Any] = {name: raw[name] for name in plain}
        ids: dict[str, Any] = {name: tuple(raw[name]) for name in ("requests", "tasks", "callbacks")}
        return cls(**values, **ids, raw=raw)


@dataclass(frozen=True, slots=True)
class Task:
    """A generation. `due` is None if it never ends by itself; `callback` is its callback's id."""

    id: str
    provider: str
    account: str
    model: str
    prompt: str
    size: str
    width: int
    height: int
    count: int
    status: TaskStatus
    progress: int
    created: float
    due: float | None
    price: Decimal
    held: Decimal
    captured: Decimal
    currency: str
    failure: JsonObject | None
    callback_url: str | None
    callback: str | None
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        plain = ("id", "provider", "account", "model", "prompt", "size", "width", "height", "count", "status")
        more = ("progress", "created", "due", "currency", "failure", "callback_url", "callback")
        money: dict[str, Any] = {name: Decimal(raw[name]) for name in ("price", "held", "captured")}
        return cls(**{name: raw[name] for name in (*plain, *more)}, **money, raw=raw)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of a callback: its start, the receiver's status or an error in words, and its duration in seconds."""

    time: float
    status: int | None
    duration: float
    error: str | None
    response: str


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback: `target` is the client's URL, `routed` the one it is posted to (None: captured, never sent)."""

    id: str
    task_id: str
    provider: str
    account: str
    target: str
    routed: str | None
    state: CallbackState
    created: float
    next_attempt: float | None
    attempts: tuple[Attempt, ...]
    body: Any
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        plain = ("id", "task_id", "provider", "account", "target", "routed", "state", "created", "next_attempt")
        names = ("time", "status", "duration", "error", "response")
        attempts = tuple(Attempt(**{name: attempt[name] for name in names}) for attempt in raw["attempts"])
        return cls(**{name: raw[name] for name in plain}, attempts=attempts, body=raw["body"], raw=raw)


@dataclass(frozen=True, slots=True)
class Received:
    """A request that a sink received."""

    time: float
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Sink:
    """A built-in receiver: the number of scripted answers left, and the requests it received, oldest first."""

    name: str
    responses_left: int
    received: tuple[Received, ...]
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        received = tuple(Received(got["time"], got["headers"], got["body"]) for got in raw["received"])
        return cls(raw["name"], len(raw["responses"]), received, raw)


@dataclass(frozen=True, slots=True)
class Defect:
    """An internal error of the server: a bug of this package. `number` counts from the server's start."""

    number: int
    where: str
    account: str | None
    traceback: str


@dataclass(frozen=True, slots=True)
class Charge:
    """What was charged at one provider. `held` is for tasks that have not ended."""

    provider: str
    currency: str
    generations: int
    captured: Decimal
    held: Decimal


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a reset removed: callbacks, and charges by provider; and the number of internal errors since the start."""

    callbacks: int
    charges: tuple[Charge, ...]
    defects: int
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        forgotten = raw["forgotten"]
        charges = tuple(
            Charge(row["provider"], row["currency"], row["generations"], Decimal(row["captured"]), Decimal(row["held"]))
            for row in forgotten["charges"]
        )
        return cls(forgotten["callbacks"], charges, raw["defects"], raw)
