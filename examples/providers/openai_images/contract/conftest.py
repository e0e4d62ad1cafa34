"""The contract suite's options, hooks and fixtures, for the tests beside this file."""
# ruff: noqa: E402, F403 - the suite is found first, then it learns of this provider, then it begins

import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from mockserver.cli.contract import suite as suite_folder

sys.path.insert(0, str(suite_folder().parent))

from contract_tests import pricing
from contract_tests.library import add_provider


def price(request: Mapping[str, Any]) -> Decimal:
    """OI-BILL-1: by quality and size, or by size alone."""
    model, size = str(request.get("model", "dall-e-2")), request.get("size", "1024x1024")
    table = pricing.entry_of("openai_images", model)
    if model == "dall-e-2":
        return Decimal(table[size if size in table else "1024x1024"]) * pricing.pictures_of(request)
    usual = "medium" if model == "gpt-image-1" else "standard"
    quality = request.get("quality", "auto")
    tier = quality if quality in table else usual
    return Decimal(table[tier + "_large" * (size not in ("1024x1024", "auto"))]) * pricing.pictures_of(request)


add_provider("openai_images", Path(__file__).parent, price)

from contract_tests.conftest import *
