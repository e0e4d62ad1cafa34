"""icodeeasy: the documented price of a request (IC-BILL-1)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..pricing import entry_of, pictures_of


def price(request: Mapping[str, Any]) -> Decimal:
    entry = entry_of("icodeeasy", "gpt-image-2")
    quality = request.get("quality") or "medium"
    each = Decimal(entry[quality] if quality in ("low", "medium", "auto", "high") else entry["high"])
    return each * pictures_of(request)
