"""`python -m benchmarks`, which `scripts/bench` calls: measures the rows, prints the table, writes the results."""

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks import report
from benchmarks.figures import Figure
from benchmarks.idle_cores import keep_cores_awake
from benchmarks.load import harness
from benchmarks.processes import Broken
from benchmarks.rows import ROWS, Measure
from benchmarks.scale import LONG, QUICK, SMOKE, WHOLE, Scale

NO_WRK = "wrk is not installed (Debian: apt-get install wrk): benchmarks/generator.py is used, which is slower."


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure this server side by side with peers.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="scale", action="store_const", const=QUICK, help="rough figures in two minutes")
    size.add_argument(
        "--long", dest="scale", action="store_const", const=LONG, help="with 10^6 requests for flat memory"
    )
    size.add_argument("--smoke", dest="scale", action="store_const", const=SMOKE, help="see whether it runs at all")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these: {', '.join(ROWS)}")
    found = parser.parse_args(given)
    if unknown := set(found.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    return found


def measured(name: str, measure: Measure, scale: Scale) -> Sequence[Figure]:
    """A row's figures; a row that fails is one figure with the reason, and the other rows are still measured."""
    began = time.monotonic()
    try:
        figures = measure(scale)
    except Broken as error:
        figures = [Figure(name, "could not be measured", "", [], harness(), note=" ".join(str(error).split())[:300])]
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return figures


def main(given: Sequence[str] | None = None) -> int:
    asked = arguments(given)
    scale: Scale = asked.scale or WHOLE
    if not harness().startswith("wrk"):
        print(NO_WRK, file=sys.stderr)
    figures: list[Figure] = []
    with keep_cores_awake():
        for name in asked.rows or ROWS:
            figures += measured(name, ROWS[name], scale)
    print(report.text(figures))
    if not asked.rows and scale in (WHOLE, LONG):
        command = "scripts/bench" + (" --long" if scale is LONG else "")
        report.write(figures, command, report.RESULTS / "latest.json", report.PAGE)
    return int(any(figure.what == "could not be measured" for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
