"""The JSON that control calls answer, as types: for the OpenAPI description. `views.py` writes it.

Times are Unix seconds of the clock, and money is decimal text.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from mockserver.advice.base import Advice
from mockserver.providers.operations import exact

Decimal = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]


@exact
class Clock(TypedDict):
    """`next_due` is when something falls due next, null if nothing is planned."""

    now: float
    mode: Literal["real", "virtual"]
    speed: float
    autojump: bool
    next_due: float | None


@exact
class Ran(TypedDict):
    time: float
    kind: Literal["finish", "attempt"]
    id: str


@exact
class Advanced(Clock):
    """The clock, and the events that an advance ran, the first 1,000 of `ran_total`."""

    ran: list[Ran]
    ran_total: int


@exact
class Pending(TypedDict):
    tasks: int
    callback_attempts: int


@exact
class Defect(TypedDict):
    number: int
    where: str
    account: str | None
    traceback: str


@exact
class Defects(TypedDict):
    """Internal errors since the start."""

    count: int
    last: list[Defect]


@exact
class Kept(TypedDict):
    count: int
    bound: int
    dropped: int


@exact
class Health(TypedDict):
    status: Literal["ok"]
    version: str
    process: int
    providers: list[str]
    clock: Clock
    seed: str
    pending: Pending
    defects: Defects
    kept: dict[str, Kept]


@exact
class Proxy(TypedDict):
    port: int
    hosts: list[str]
    ca_pem: str
    ca_bundle: str | None


@exact
class TaskFailure(TypedDict):
    kind: str
    code: str
    detail: str


@exact
class Task(TypedDict):
    """A generation. `will_fail` is the error code with which one that is under way will end, if it fails."""

    id: str
    provider: str
    account: str
    model: str
    prompt: str
    size: str
    width: int
    height: int
    count: int
    status: Literal["pending", "processing", "completed", "failed"]
    progress: int
    created: float
    starts: float
    due: float | None
    price: Decimal
    held: Decimal
    captured: Decimal
    currency: str
    failure: TaskFailure | None
    will_fail: str | None
    callback_url: str | None
    callback: str | None


@exact
class Tasks(TypedDict):
    tasks: list[Task]
    next: str | None


@exact
class Request(TypedDict):
    """A call to a provider, and its answer."""

    id: str
    time: float
    provider: str
    account: str | None
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    body_size: int
    pictures: list[dict[str, Any]]
    status: int | None
    response: Any
    response_type: str
    duration: float | None
    task_id: str | None
    cost: Decimal | None
    error: str | None
    note: str | None


@exact
class RequestSummary(TypedDict):
    """A call to a provider in one row."""

    id: str
    time: float
    provider: str
    account: str | None
    method: str
    path: str
    status: int | None
    duration: float | None
    task_id: str | None
    cost: Decimal | None
    currency: str | None
    error: str | None
    note: str | None
    model: str
    prompt: str


@exact
class Requests(TypedDict):
    """Whole records, or rows with `view=summary`."""

    requests: list[Request] | list[RequestSummary]
    next: str | None


@exact
class Resent(TypedDict):
    status: int
    id: str | None


@exact
class Attempt(TypedDict):
    time: float
    status: int | None
    duration: float
    error: str | None
    response: str


@exact
class Callback(TypedDict):
    """A callback with every attempt."""

    id: str
    task_id: str
    provider: str
    account: str
    target: str
    routed: str | None
    state: Literal["waiting", "delivered", "gave_up", "captured", "lost"]
    created: float
    next_attempt: float | None
    attempts: list[Attempt]
    body: Any


@exact
class Callbacks(TypedDict):
    callbacks: list[Callback]
    next: str | None


@exact
class RateLimit(TypedDict):
    requests: int
    seconds: float


@exact
class Money(TypedDict):
    """An account: opening is the sum of balance, held and captured."""

    account: str
    provider: str
    currency: str
    opening: Decimal
    balance: Decimal
    held: Decimal
    captured: Decimal
    quota: Decimal | None
    rate_limit: RateLimit | None
    generations: int


@exact
class UsageRecord(TypedDict):
    time: float
    task_id: str
    model: str
    amount: Decimal
    cost_breakdown: dict[str, Any]


@exact
class Account(Money):
    """An account with its usage records, newest first."""

    usage: list[UsageRecord]
    usage_dropped: int


@exact
class Accounts(TypedDict):
    accounts: list[Money]
    next: str | None


@exact
class Rule(TypedDict):
    """A fault rule, and how often it matched and fired."""

    id: str
    match: dict[str, str]
    skip: int
    times: int | None
    every: int
    probability: float
    fault: dict[str, Any]
    matched: int
    fired: int


@exact
class Rules(TypedDict):
    faults: list[Rule]
    next: None


@exact
class Removed(TypedDict):
    removed: int


Route = TypedDict("Route", {"from": str, "to": str})


@exact
class RouteTable(TypedDict):
    routes: list[Route]


@exact
class Reply(TypedDict):
    status: int
    delay: float


@exact
class Received(TypedDict):
    time: float
    headers: dict[str, str]
    body: Any


@exact
class Sink(TypedDict):
    """A built-in receiver: what is left of its script, and what it was sent, oldest first."""

    name: str
    received_dropped: int
    responses: list[Reply]
    received: list[Received]


@exact
class Provider(TypedDict):
    name: str
    title: str
    base_url: str
    hosts: list[str]
    currency: str
    models: list[str]
    routes: list[str]
    failure_codes: list[str]
    curl: str


@exact
class Providers(TypedDict):
    providers: list[Provider]


@exact
class FaultKind(TypedDict):
    type: str
    stage: Literal["before", "after", "task", "callback"]
    description: str
    parameters: dict[str, Any]
    required: list[str]


@exact
class FaultKinds(TypedDict):
    kinds: list[FaultKind]


@exact
class AdviceList(TypedDict):
    """What was found, and the titles of all rules by name."""

    advice: list[Advice]
    rules: dict[str, str]


@exact
class Snapshot(TypedDict):
    engine: dict[str, Any]
    faults: list[Rule]
    faults_added: int


@exact
class Charge(TypedDict):
    provider: str
    currency: str
    generations: int
    captured: Decimal
    held: Decimal


@exact
class Usage(TypedDict):
    callbacks: int
    charges: list[Charge]


@exact
class ResetDone(TypedDict):
    status: Literal["reset"]
    defects: int
    forgotten: Usage


class Description(TypedDict):
    """An OpenAPI description."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: NotRequired[dict[str, Any]]
    servers: NotRequired[list[dict[str, Any]]]


@exact
class HarLog(TypedDict):
    """HAR 1.2; `entries` are its entries."""

    version: Literal["1.2"]
    creator: dict[str, str]
    entries: list[dict[str, Any]]


@exact
class HarArchive(TypedDict):
    log: HarLog
