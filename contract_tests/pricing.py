"""The price of a request by the price tables, and its worst case."""

import importlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from .library import PRICE_RULES, PROVIDERS, prices

NOTHING = Decimal(0)


def unit(provider: str) -> str:
    return str(prices()[provider]["unit"])


def price_of(provider: str, request: Mapping[str, Any]) -> Decimal:
    """The documented price of a valid request, in the provider's unit.

    By the provider's own rule, `price` of a module `price.py` among its tests, where there is one; else the `price` of
    the request's model, times its number of pictures if the table says `each`.
    """
    rule = _own_rule(provider)
    if rule is not None:
        return rule(request)
    models = _models(provider)
    entry = entry_of(provider, models[0] if len(models) == 1 else request["model"])
    return Decimal(entry["price"]) * (pictures_of(request) if entry.get("each") else 1)


def _own_rule(provider: str) -> Callable[[Mapping[str, Any]], Decimal] | None:
    if provider in PRICE_RULES or not (PROVIDERS[provider] / "price.py").exists():
        return PRICE_RULES.get(provider)
    found: Callable[[Mapping[str, Any]], Decimal] = importlib.import_module(f".{provider}.price", __package__).price
    return PRICE_RULES.setdefault(provider, found)


def worst_case(provider: str, request: object) -> Decimal:
    """The most that any request, valid or not, can cost if it is accepted."""
    models = _models(provider)
    if isinstance(request, Mapping) and (len(models) == 1 or request.get("model") in models):
        return price_of(provider, request)
    dear = [{"model": model, "size": "x", "quality": quality} for model in models for quality in ("high", "hd")]
    return max(price_of(provider, request) for request in dear)


def _models(provider: str) -> list[str]:
    return [name for name, entry in prices()[provider].items() if isinstance(entry, dict)]


def entry_of(provider: str, model: object) -> Mapping[str, Any]:
    entry: Mapping[str, Any] = prices()[provider][model]
    return entry


def pictures_of(request: Mapping[str, Any]) -> int:
    """The number of pictures asked for; 1 if `n` is not a number from 1 to 1000."""
    text = str(request.get("n", 1))
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 1000 else 1
