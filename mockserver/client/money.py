"""An account's money, its limits and its usage, as frozen records."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from mockserver.client.models import JsonObject


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `requests` billable calls in any `seconds` of the clock."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Usage:
    """A line of the usage page: `cost_breakdown` as the provider documents it."""

    time: float
    task_id: str
    model: str
    amount: Decimal
    cost_breakdown: JsonObject


@dataclass(frozen=True, slots=True)
class Account:
    """An API key's money at a provider: opening == balance + held + captured. `usage` is newest first."""

    id: str
    provider: str
    currency: str
    opening: Decimal
    balance: Decimal
    held: Decimal
    captured: Decimal
    quota: Decimal | None
    rate_limit: RateLimit | None
    generations: int
    usage: tuple[Usage, ...]
    raw: JsonObject = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: JsonObject) -> Self:
        limit = raw["rate_limit"]
        usage = tuple(
            Usage(line["time"], line["task_id"], line["model"], Decimal(line["amount"]), line["cost_breakdown"])
            for line in raw.get("usage", ())
        )
        return cls(
            id=raw["account"],
            provider=raw["provider"],
            currency=raw["currency"],
            **{name: Decimal(raw[name]) for name in ("opening", "balance", "held", "captured")},
            quota=None if raw["quota"] is None else Decimal(raw["quota"]),
            rate_limit=RateLimit(limit["requests"], limit["seconds"]) if limit else None,
            generations=raw["generations"],
            usage=usage,
            raw=raw,
        )
