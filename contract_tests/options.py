"""The suite's command-line options."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .budget import Budget
from .target import Target, parse_targets


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told."""

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
    add = group.addoption
    add(
        "--target",
        action="append",
        default=[],
        metavar="PROVIDER=URL",
        help="speak to this address (mock or real) instead of the documented host; also PROVIDER=mock and "
        "[PROVIDER=]replay:DIR. Repeatable; the key comes from PROVIDER_API_KEY. Default: a mock of the suite's own.",
    )
    add(
        "--budget",
        action="append",
        default=[],
        metavar="[PROVIDER=]AMOUNT",
        help="the most that may be spent at each addressed provider, in its own unit (credits, CNY); repeatable",
    )
    add(
        "--over-budget",
        choices=("trim", "refuse"),
        default="trim",
        help="what to do if the plan costs more: leave out tests, dear variants first (default), or run nothing",
    )
    add("--require-live", action="store_true", help="fail, not skip, for want of a key, a budget or a target")
    add("--claim", action="append", default=[], metavar="ID", help="run the tests of this claim alone; repeatable")
    add("--record", metavar="DIR", help="keep redacted exchanges here; --target replay:DIR runs on them")
    add("--drift", action="store_true", help="ask a mock the same, and report how the target's answers differ")
    add(
        "--callback-base-url",
        metavar="URL",
        help="public address of a receiver (python -m contract_tests.receiver); without it callback tests skip",
    )
    add("--callback-read-url", metavar="URL", help="where the suite reads that receiver, if not at the same address")
    add("--ca-bundle", metavar="PEM", help="certificates to trust instead of the public ones")
    add("--patience", type=float, default=600, metavar="SECONDS", help="the longest wait for a generation (600)")
    add("--contract-json", metavar="FILE", help="write the report per claim as JSON")
    add("--contract-markdown", metavar="FILE", help="write the report as a Markdown page, for a CI job summary")


def read_options(config: pytest.Config) -> Options:
    """Raises pytest.UsageError for options that make no sense."""
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
