"""openai_images: what a picture costs and how long it takes (OI-BILL-1, OI-USAGE-1)."""

from collections.abc import Mapping

from mockserver.engine.latency import Range
from mockserver.engine.ledger import Currency
from mockserver.engine.sizes import Pair

CURRENCY = Currency("USD", 4)

PRICES: Mapping[str, str] = {
    "gpt-image-1/low": "0.011",
    "gpt-image-1/medium": "0.042",
    "gpt-image-1/high": "0.167",
    "gpt-image-1/low/large": "0.016",
    "gpt-image-1/medium/large": "0.063",
    "gpt-image-1/high/large": "0.25",
    "dall-e-3/standard": "0.04",
    "dall-e-3/standard/large": "0.08",
    "dall-e-3/hd": "0.08",
    "dall-e-3/hd/large": "0.12",
    "dall-e-2/256": "0.016",
    "dall-e-2/512": "0.018",
    "dall-e-2/1024": "0.02",
}
"""A picture; `large` is every size but 1024x1024."""

LATENCIES: Mapping[str, Range] = {
    "gpt-image-1": (20.0, 120.0),  # OI-LAT-1: up to 2 minutes; the rest of these is ours
    "dall-e-3": (10.0, 30.0),
    "dall-e-2": (5.0, 15.0),
}

OUTPUT_TOKENS: Mapping[str, Mapping[Pair, int]] = {
    "low": {(1024, 1024): 272, (1024, 1536): 408, (1536, 1024): 400},
    "medium": {(1024, 1024): 1056, (1024, 1536): 1584, (1536, 1024): 1568},
    "high": {(1024, 1024): 4160, (1024, 1536): 6240, (1536, 1024): 6208},
}
"""Of a picture by gpt-image-1, by quality and size (OI-USAGE-1)."""


def price(prices: Mapping[str, int], model: str, tier: str, size: Pair, count: int) -> int:
    """Minor units of `count` pictures."""
    if model == "dall-e-2":
        return prices[f"{model}/{size[0]}"] * count
    return prices[f"{model}/{tier}" + "/large" * (size != (1024, 1024))] * count
