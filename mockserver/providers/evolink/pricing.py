"""evolink: what a call costs and how long it takes (002, "usage" and "task_info" of the example)."""

from collections.abc import Mapping

from mockserver.engine.latency import Range
from mockserver.engine.ledger import Currency

CURRENCY = Currency("credits", 4)

PRICES: Mapping[str, str] = {
    "gpt-image-2-beta": "2.5",  # EV-BILL-1: credits_reserved of the example, whatever the request
}

LATENCIES: Mapping[str, Range] = {
    "gpt-image-2-beta": (60.0, 120.0),  # EV-LAT-1: estimated_time is 100; the range around it is ours
}

ESTIMATED_SECONDS = 100
BILLING_RULE = "per_call"
USER_GROUP = "default"
