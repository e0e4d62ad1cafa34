"""xhuoapi: the documented price of a request (XH-PRICE-1, -2, -3)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..library import sizes
from ..pricing import entry_of, pictures_of


def price(request: Mapping[str, Any]) -> Decimal:
    model, size = request["model"], request.get("size") or "auto"
    entry = entry_of("xhuoapi", model)
    if model == "gpt-image-2" and size not in gpt_image_2_standard_sizes():
        return Decimal(entry["price"]) * Decimal(entry["other_sizes_factor"])
    if model == "dall-e-3":
        return Decimal(entry[_dall_e_3_band(request, size)])
    return Decimal(entry["price"]) * (pictures_of(request) if entry.get("each") else 1)


def _dall_e_3_band(request: Mapping[str, Any], size: object) -> str:
    other = size not in ("1024x1024", "auto")
    if request.get("quality") == "hd":
        return "hd_other_sizes" if other else "hd"
    return "other_sizes" if other else "price"


def gpt_image_2_standard_sizes() -> frozenset[str]:
    """The sizes at the standard price (XH-PRICE-1)."""
    table = sizes()["xhuoapi"]["gpt-image-2"]
    return frozenset([*(row[0] for row in table["recommended"].values()), *table["aliases"], "auto", ""])
