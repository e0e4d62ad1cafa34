"""The table: as text, as JSON, and in docs/performance.md between two markers."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.processes import CPUS, ROOT

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- table: scripts/bench writes this -->", "<!-- end of the table -->"
HEAD = ("what", "", "min", "median", "max", "unit", "least", "goal", "reached", "measured with")


def number(value: float | None, better: str = "") -> str:
    """A number with three significant digits; "" for None."""
    if value is None:
        return ""
    sign = {"higher": "≥ ", "lower": "≤ "}.get(better, "")
    return sign + (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}")


def cells(figure: Figure) -> list[str]:
    """The cells of a figure's row."""
    spread = [number(value) for value in (figure.low, figure.middle, figure.high)] if figure.values else ["–"] * 3
    bounds = [number(bound, figure.better) for bound in (figure.least, figure.goal)]
    return [figure.row, figure.what, *spread, figure.unit, *bounds, figure.verdict, figure.note or figure.with_]


def markdown(figures: Sequence[Figure]) -> str:
    lines = [HEAD, ["---"] * len(HEAD), *map(cells, figures)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def text(figures: Sequence[Figure]) -> str:
    """The table for a terminal, in columns."""
    lines = [list(HEAD), *map(cells, figures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def circumstances(command: str) -> dict[str, Any]:
    """The machine, the versions and the time of the run."""
    return {
        "command": command,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(CPUS),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("aiohttp", "pydantic", "uvloop", "pillow")},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def write(figures: Sequence[Figure], command: str, results: Path, page: Path | None) -> None:
    """Write the results, and put the table into a page if one is given."""
    facts = circumstances(command)
    results.parent.mkdir(parents=True, exist_ok=True)
    told = [{**asdict(figure), "verdict": figure.verdict} for figure in figures]
    results.write_text(json.dumps({**facts, "figures": told}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if page is not None:
        before, _, rest = page.read_text("utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        page.write_text(f"{before}{BEGIN}\n\n{_said(facts)}\n\n{markdown(figures)}\n\n{END}{after}", "utf-8")


def _said(facts: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {found}" for name, found in facts["versions"].items() if found)
    where = f"{facts['cores']} cores, Python {facts['python']}, {versions}"
    when = facts["time"][:16].replace("T", " ")
    return f"`{facts['command']}`, {when} UTC: {where}; load average at its end {facts['load']}."
