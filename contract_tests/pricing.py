"""What a request costs by the price tables, and what it can cost at worst."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .library import prices, sizes

NOTHING = Decimal(0)


def unit(provider: str) -> str:
    return str(prices()[provider]["unit"])


def price_of(provider: str, request: Mapping[str, Any]) -> Decimal:
    """The documented price of a valid request, in the provider's unit."""
    return _PRICERS[provider](request)


def worst_case(provider: str, request: object) -> Decimal:
    """The most that any request, valid or not, can cost if it is accepted."""
    if isinstance(request, Mapping) and (provider != "xhuoapi" or request.get("model") in _models(provider)):
        return price_of(provider, request)
    dear = [
        {"model": model, "size": "x", "quality": quality} for model in _models(provider) for quality in ("high", "hd")
    ]
    return max(price_of(provider, request) for request in dear)


def gpt_image_2_standard_sizes() -> frozenset[str]:
    """The sizes at the standard price (XH-PRICE-1)."""
    table = sizes()["xhuoapi"]["gpt-image-2"]
    return frozenset([*(row[0] for row in table["recommended"].values()), *table["aliases"], "auto", ""])


def _models(provider: str) -> list[str]:
    return [name for name, entry in prices()[provider].items() if isinstance(entry, dict)]


def _entry(provider: str, model: object) -> Mapping[str, Any]:
    entry: Mapping[str, Any] = prices()[provider][model]
    return entry


def _times(request: Mapping[str, Any]) -> int:
    """The number of pictures asked for; 1 if that is no sensible number."""
    text = str(request.get("n", 1))
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 1000 else 1


def _xhuoapi(request: Mapping[str, Any]) -> Decimal:
    model, size = request["model"], request.get("size") or "auto"
    entry = _entry("xhuoapi", model)
    if model == "gpt-image-2" and size not in gpt_image_2_standard_sizes():
        return Decimal(entry["price"]) * Decimal(entry["other_sizes_factor"])
    if model == "dall-e-3":
        return Decimal(entry[_dall_e_3_band(request, size)])
    return Decimal(entry["price"]) * (_times(request) if entry.get("each") else 1)


def _dall_e_3_band(request: Mapping[str, Any], size: object) -> str:
    other = size not in ("1024x1024", "auto")
    if request.get("quality") == "hd":
        return "hd_other_sizes" if other else "hd"
    return "other_sizes" if other else "price"


def _icodeeasy(request: Mapping[str, Any]) -> Decimal:
    entry = _entry("icodeeasy", "gpt-image-2")
    quality = request.get("quality") or "medium"
    each = Decimal(entry[quality] if quality in ("low", "medium", "auto", "high") else entry["high"])
    return each * _times(request)


def _evolink(request: Mapping[str, Any]) -> Decimal:
    return Decimal(_entry("evolink", "gpt-image-2-beta")["price"])


_PRICERS = {"xhuoapi": _xhuoapi, "icodeeasy": _icodeeasy, "evolink": _evolink}
