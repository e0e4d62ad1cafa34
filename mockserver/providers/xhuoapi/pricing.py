"""xhuoapi: what a call costs and how long it takes (000/003, "Supported sizes and price bands", "Nano Banana")."""

from collections.abc import Mapping

from mockserver.engine.latency import Range
from mockserver.engine.ledger import Currency
from mockserver.engine.sizes import Pair

CURRENCY = Currency("credits", 4)

PRICES: Mapping[str, str] = {
    "gpt-image-2": "0.2",  # XH-PRICE-3; every size outside the 1K set costs 1.5 times as much (XH-PRICE-1)
    "gpt-image-1": "0.2",
    "gpt-image-1.5": "0.55",
    "dall-e-2": "0.1",  # an image
    "dall-e-3": "0.2",
    "dall-e-3/large": "0.4",
    "dall-e-3/hd": "0.4",
    "dall-e-3/hd/large": "0.6",
    "nano-banana": "0.14",  # XH-PRICE-2
    "nano-banana-2": "0.28",
    "nano-banana-pro": "0.35",
}

ONE_K: frozenset[Pair] = frozenset(
    {(1024, 1024), (1536, 1024), (1024, 1536), (1792, 1024), (1024, 1792)}  # XH-SIZE-6
    | {(1254, 1254), (1672, 941), (941, 1672)}  # XH-SIZE-4
)
"""What gpt-image-2 makes at the standard price (XH-PRICE-1)."""

LARGER: frozenset[Pair] = frozenset(
    {(2048, 2048), (2048, 1536), (1536, 2048), (2048, 1152), (1152, 2048)}
    | {(2880, 2880), (3264, 2448), (2448, 3264), (3840, 2160), (2160, 3840)}
)
"""The recommended 2K and 4K sizes of gpt-image-2 (XH-SIZE-6)."""

FOUR_K_PIXELS = 2048 * 2048
"""A size of more pixels than the largest recommended 2K one counts as 4K for the time it takes (XH-LAT-2)."""

LATENCIES: Mapping[str, Range] = {
    "gpt-image-2": (60.0, 90.0),  # XH-LAT-1
    "gpt-image-2/4k": (240.0, 480.0),
    # no figures are documented for these; they are ours
    "gpt-image-1": (20.0, 60.0),
    "gpt-image-1.5": (20.0, 60.0),
    "dall-e-2": (5.0, 15.0),
    "dall-e-3": (10.0, 30.0),
    "nano-banana": (5.0, 15.0),
    "nano-banana-2": (10.0, 30.0),
    "nano-banana-pro": (15.0, 45.0),
}


def price(prices: Mapping[str, int], model: str, size: Pair, quality: str, count: int) -> int:
    """Minor units of a call. `size` is the size asked for, (1024, 1024) where none was."""
    if model == "gpt-image-2":
        standard = prices[model]
        return standard if size in ONE_K else (standard * 3 + 1) // 2
    if model == "dall-e-3":
        name = model + "/hd" * (quality == "hd") + "/large" * (size != (1024, 1024))
        return prices[name]
    return prices[model] * count


def duration(latencies: Mapping[str, Range], model: str, size: Pair) -> Range:
    """The documented (shortest, longest) duration of a call, in seconds."""
    large = model == "gpt-image-2" and size[0] * size[1] > FOUR_K_PIXELS
    return latencies["gpt-image-2/4k" if large else model]
