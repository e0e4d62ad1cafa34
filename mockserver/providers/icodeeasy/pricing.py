"""icodeeasy: what a picture costs and how long it takes (001, "Billing" and "Synchronous processing and time-out")."""

from collections.abc import Mapping

from mockserver.engine.latency import Range
from mockserver.engine.ledger import Currency

CURRENCY = Currency("CNY", 2)

PRICES: Mapping[str, str] = {"low": "0.10", "medium": "0.20", "high": "0.40"}
"""CNY an image, by quality (IC-BILL-1); `auto` and none are medium. Resolution does not matter."""

LATENCIES: Mapping[str, Range] = {
    "image": (30.0, 60.0),  # IC-LAT-1
    # "longer" for these is documented without figures; the figures are ours, and are added
    "references": (10.0, 30.0),
    "2k": (10.0, 30.0),
    "further image": (10.0, 20.0),
}


def price(prices: Mapping[str, int], quality: str, count: int) -> int:
    """Minor units of `count` pictures of a quality."""
    return prices["medium" if quality == "auto" else quality] * count


def duration(latencies: Mapping[str, Range], references: int, resolution: str, count: int) -> Range:
    """The documented (shortest, longest) duration of a call, in seconds."""
    if count == 1 and not references and resolution != "2k":
        return latencies["image"]
    shortest, longest = latencies["image"]
    further = (("further image", count - 1), ("references", references > 0), ("2k", resolution == "2k"))
    for name, times in further:
        shortest, longest = shortest + latencies[name][0] * times, longest + latencies[name][1] * times
    return shortest, longest
