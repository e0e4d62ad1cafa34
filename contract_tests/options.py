"""The suite's command-line options."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .budget import Budget
from .target import Target, parse_targets
from .usage import OPTIONS


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run."""

    targets: Mapping[str, Target]
    budget: Budget
    claims: tuple[str, ...]
    over_budget: str
    require_live: bool
    record: Path | None
    drift: bool
    callback_base_url: str
    callback_read_url: str
    ca_bundle: str | None
    patience: float
    json: Path | None
    markdown: Path | None


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "contract tests")
    for flag, facts in OPTIONS.items():
        group.addoption(flag, **facts)


def read_options(config: pytest.Config) -> Options:
    """Raises pytest.UsageError for an invalid option."""
    get = config.getoption
    try:
        targets = parse_targets(get("--target"), os.environ)
        budget = Budget.parse(get("--budget"), [name for name, target in targets.items() if target.is_paid])
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    base_url = (get("--callback-base-url") or "").rstrip("/")
    return Options(
        targets=targets,
        budget=budget,
        claims=tuple(get("--claim")),
        over_budget=get("--over-budget"),
        require_live=get("--require-live"),
        record=_path(get("--record")),
        drift=get("--drift"),
        callback_base_url=base_url,
        callback_read_url=(get("--callback-read-url") or base_url).rstrip("/"),
        ca_bundle=get("--ca-bundle"),
        patience=get("--patience"),
        json=_path(get("--contract-json")),
        markdown=_path(get("--contract-markdown")),
    )


def _path(text: Any) -> Path | None:
    return Path(text) if text else None
