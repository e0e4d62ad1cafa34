"""That the benchmark still runs: its smallest size, and its table. Nothing is timed here."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROWS = ("polling", "pictures", "callbacks", "embedded", "unwatched")

LOADED = """
import json, sys
from pathlib import Path
from benchmarks import load, report
from benchmarks.figures import Figure

load.shutil.which = lambda name: None
figures = [
    Figure("row", "ratio", "×", [0.5, 0.7, 0.6], "a harness", 0.55, 0.7),
    Figure("row", "p99", "ms", [4, 2], "a harness", 3, 1, "lower"),
    Figure("row", "absent", "×", [], "a harness", note="not installable here"),
]
page = Path(sys.argv[1])
page.write_text(f"before {report.BEGIN} old {report.END} after")
report.write(figures, "scripts/bench", page.with_suffix(".json"), page)
print(load.harness())
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_rows_run_at_their_smallest_size_and_leave_the_page_alone() -> None:
    page = (ROOT / "docs" / "performance.md").read_bytes()
    with ThreadPoolExecutor() as pool:
        rows = list(pool.map(lambda row: run("-m", "benchmarks", "--smoke", row), ROWS))
    for done in rows:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "goal" in done.stdout.splitlines()[0]
        assert len(done.stdout.splitlines()) > 2
    assert (ROOT / "docs" / "performance.md").read_bytes() == page


def test_a_row_that_does_not_exist_is_refused() -> None:
    done = run("-m", "benchmarks", "nonsense")
    assert done.returncode == 2
    assert "there is no row nonsense" in done.stderr


def test_the_table_tells_medians_and_what_was_reached_between_the_page_s_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    done = run("-c", LOADED, str(page))
    assert re.fullmatch(r"benchmarks/generator\.py, cores (awake|may sleep)\n", done.stdout), done.stderr
    text = page.read_text("utf-8")
    assert text.startswith("before <!--")
    assert text.endswith("--> after")
    assert " old " not in text
    assert "| row | ratio | 0.5 | 0.6 | 0.7 | × | ≥ 0.55 | ≥ 0.7 | least | a harness |" in text
    assert "| row | p99 | 2 | 3 | 4 | ms | ≤ 3 | ≤ 1 | least | a harness |" in text
    assert "| row | absent | – | – | – | × |  |  |  | not installable here |" in text
    assert [figure["verdict"] for figure in json.loads(page.with_suffix(".json").read_text())["figures"]] == [
        "least",
        "least",
        "",
    ]
