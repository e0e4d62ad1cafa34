"""The request bodies of the control calls."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST_ADVANCE = 10 * 365 * 86_400.0
"""The longest advance, in seconds: ten years."""


class Body(BaseModel):
    """A JSON object without unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class Advance(Body):
    """Advance by `seconds`, or `until` an instant (Unix seconds) or "idle": until no event is planned."""

    seconds: Annotated[float, Field(ge=0, le=LONGEST_ADVANCE)] | None = None
    until: float | Literal["idle"] | None = None


class ClockChange(Body):
    """The properties of the clock to change. `speed` is its seconds per real second."""

    mode: Literal["real", "virtual"] | None = None
    speed: Annotated[float, Field(gt=0, le=100_000)] | None = None
    autojump: bool | None = None


class RateLimitBody(Body):
    """At most `requests` billable calls in any period of `seconds` of the clock."""

    requests: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(gt=0)]


Amount = Annotated[Decimal, Field(ge=0, le=10**12)]


class AccountChange(Body):
    """The properties of an account to change; amounts as decimal text or numbers. null removes a quota or a limit."""

    balance: Amount | None = None
    quota: Amount | None = None
    rate_limit: RateLimitBody | None = None


class ReplyBody(Body):
    """One answer in a sink's script; a number is that status without a delay."""

    @model_validator(mode="before")
    @classmethod
    def _status_alone(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.keys() <= {"status", "delay"}:
            raise ValueError("a reply has status and delay")
        return {"status": given} if isinstance(given, int) else given

    status: Annotated[int, Field(ge=100, le=599)] = 200
    delay: Annotated[float, Field(ge=0, le=86_400)] = 0.0


class SinkScript(Body):
    """A sink's answers, in order."""

    responses: Annotated[list[ReplyBody], Field(max_length=1_000)] = Field(default_factory=list)


class TaskEnd(Body):
    """The error code with which a task fails; without it, the provider's general failure."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] | None = None


class RouteBody(BaseModel):
    """A callback route: URL prefixes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    source: Annotated[str, Field(alias="from")]
    to: str


class Routes(Body):
    """The whole routing table."""

    routes: Annotated[list[RouteBody], Field(max_length=10_000)]


class Reset(Body):
    """The key whose state is removed; without it, all state."""

    api_key: str | None = None


class SavedRule(Body):
    """A fault rule in a snapshot, in the form in which rules are listed."""

    model_config = ConfigDict(strict=True)

    id: Annotated[str, Field(pattern=r"^fault-[1-9][0-9]{0,9}$")]
    match: dict[str, Any]
    skip: int
    times: int | None
    every: int
    probability: float
    fault: dict[str, Any]
    matched: Annotated[int, Field(ge=0)]
    fired: Annotated[int, Field(ge=0)]


class SnapshotBody(Body):
    """A snapshot, as `GET /_mock/snapshot` returned it."""

    model_config = ConfigDict(strict=True)

    engine: dict[str, Any]
    faults: list[SavedRule]
    faults_added: Annotated[int, Field(ge=0)]
