"""Every code block of README.md and docs/ works as it stands.

- `python` is executed, block after block; if it has test functions, it is run by pytest with the plugin (and with the
  `ini` block of the same page, if there is one).
- `sh` with curl or mockserver is run; a `json` block right behind it has the shape of what it prints. In a `console`
  block, lines after `$ ` are run, and the others are what they print, `...` standing for anything.
- `127.0.0.1:8080` becomes a server of the test: latency `instant`, unless `<!-- server: clock=virtual seed=x -->`
  stands before a block; that begins another one.
- `text` is for reading. Whatever else is not run says so: `<!-- not run: why -->` before the block.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import create_app
from mockserver.control.operations import CALLS
from mockserver.faults.base import kinds
from mockserver.server import MockServer
from mockserver.settings import Settings
from support.blocks import Block, blocks_of
from support.forked_pytest import PytestForks

ROOT = Path(__file__).parents[1]
ELSEWHERE = {"docs/contract-tests.md": "its commands take the contract suite's minutes, or a paid service"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if str(page.relative_to(ROOT)) not in ELSEWHERE]
BLOCKS = [block for page in PAGES for block in blocks_of(page, ROOT)]
ADVICE = {"README.md": [], "docs/advice.md": ["off-list-size"]}
"""The advice on the examples of a page."""

RUN_SHELL = re.compile(r"^(\$ )?(curl|mockserver) ", re.M)
KNOWN = {"python", "json", "ini", "text"}

RUNNER = """
import ast, asyncio, inspect, sys
namespace = {"__name__": "docs"}
for name in sys.argv[1:]:
    code = compile(open(name).read(), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, namespace)
    if inspect.iscoroutine(result):
        asyncio.run(result)
"""


def environment() -> dict[str, str]:
    """The variables for what a page runs: its `python` and `mockserver` are those of this run."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**clean, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}", "NO_PROXY": "*"}


class Desk:
    """Runs the blocks of one page against the server that they are written for."""

    def __init__(self, stack: ExitStack, where: Path) -> None:
        self._stack, self._where = stack, where
        self._server: MockServer | None = None

    def address(self, text: str, settings: str | None) -> str:
        """A text with the address of a server that runs."""
        if settings is not None or self._server is None:
            given: dict[str, Any] = dict(pair.split("=", 1) for pair in (settings or "").split())
            self._server = self._stack.enter_context(MockServer(Settings(**{"latency": "instant", **given})))
        return text.replace("http://127.0.0.1:8080", self._server.root_url)

    def advice(self) -> list[str]:
        """The rules of the advice on what was run against the newest server."""
        assert self._server is not None
        return [advice.rule for advice in self._server.advice(everyone=True)]

    def call(self, *command: str) -> str:
        """What a command prints; it must succeed."""
        done = subprocess.run(
            command,
            cwd=self._where,
            env={**environment(), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)[:300]}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def console(self, block: Block) -> None:
        """Run the commands of a console block and hold what each prints against what the block shows."""
        text = self.address(block.code, block.server)
        for command, shown in re.findall(r"^\$ (.*(?:\\\n.*)*)\n?((?:(?!\$ ).*\n?)*)", text, re.M):
            printed = self.call("sh", "-c", command).strip()
            pattern = re.sub(r"\[", "[[]", shown.strip()).replace("...", "*")
            assert not shown.strip() or fnmatchcase(printed, pattern), f"{block}: {command}\n{printed}"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(stack, tmp_path)


@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS}))
def test_examples(page: str, desk: Desk, tmp_path: Path) -> None:
    """What is not a test: in order, on one server, until another one is asked for."""
    printed: str | None = None
    scripts: list[str] = []
    blocks = [block for block in BLOCKS if block.page == page and not block.not_run]
    for number, (block, following) in enumerate(pairwise([*blocks, None])):
        assert block is not None
        if block.language == "json":
            _check_json(block, printed)
            printed = None
        elif block.language in ("sh", "console"):
            assert RUN_SHELL.search(block.code), f"{block}: neither curl nor mockserver; say <!-- not run: why -->"
            if block.language == "console":
                desk.console(block)
            else:
                printed = desk.call("sh", "-ec", desk.address(block.code, block.server))
                shown = following is not None and following.language == "json"
                assert shown or '"error":{' not in printed, f"{block}: {printed}"
        elif block.language == "python" and not block.is_test:
            script = tmp_path / f"block{number}_line{block.line}.py"
            script.write_text("\n" * block.line + desk.address(block.code, block.server))
            scripts.append(str(script))
        else:
            assert block.is_test or block.language in KNOWN, f"{block}: say <!-- not run: why -->"
    if scripts:
        desk.call(sys.executable, "-c", RUNNER, *scripts)
    if page in ADVICE:
        assert desk.advice() == ADVICE[page]


def _check_json(block: Block, printed: str | None) -> None:
    shown = json.loads(block.code)
    if printed is not None:
        assert _shape(json.loads(printed), shown) == _shape(shown, shown), f"{block}: it prints {printed}"


def _shape(value: Any, like: Any) -> Any:
    """A value as far as it is the same each time: digits, and whatever hangs on them, are not."""
    if isinstance(value, dict):
        return {name: _shape(item, like.get(name) if isinstance(like, dict) else None) for name, item in value.items()}
    if isinstance(value, list):
        likes = like if isinstance(like, list) and like else [None]
        return [_shape(item, likes[min(index, len(likes) - 1)]) for index, item in enumerate(value)]
    if isinstance(value, str):
        return "text with digits" if re.search("[0-9]", f"{value}{like}") else value
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else value


@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS if block.is_test and not block.not_run}))
def test_tests(page: str, forks: PytestForks, tmp_path: Path) -> None:
    """The test functions, by pytest with the plugin."""
    own = [block for block in BLOCKS if block.page == page and not block.not_run]
    ini = "".join(block.code for block in own if block.language == "ini")
    (tmp_path / "pytest.ini").write_text(ini or "[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    tests = [block for block in own if block.is_test]
    for block in tests:
        (tmp_path / f"test_line{block.line}.py").write_text("\n" * block.line + block.code)
    options = ("-q", "-p", "no:cacheprovider", "--strict-config")
    done = forks.run(*options, ".", cwd=tmp_path, environ=environment(), path=[ROOT])
    assert done.returncode == 0, done.stdout
    count = sum(len(re.findall(r"^ *(?:async )?def test_", block.code, re.M)) for block in tests)
    assert f"{count} passed" in done.stdout, done.stdout


def test_reasons() -> None:
    """A block that is not run says why; and there is something that is."""
    assert all(len(block.not_run) > 5 for block in BLOCKS if block.not_run is not None)
    assert {block.page for block in BLOCKS if not block.not_run} >= {"README.md", "docs/control.md", "docs/pytest.md"}


def test_the_control_surface_is_described_in_full() -> None:
    """Every call and every kind of fault with its parameters has its line."""
    text = (ROOT / "docs" / "control.md").read_text()
    routes = [f"`{method} {path}`" for method, path, _ in create_app(Settings()).control.routes]
    assert [route for route in routes if route not in text] == []
    assert {f"`{call}`" for call in CALLS} == set(routes), "control/operations.py describes each call for OpenAPI"
    for name, kind in kinds().items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert [field for field in kind.model_fields if field != "type" and f"`{field}`" not in line] == []


def test_blocks_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "text\n\n<!-- not run: it is\nlong -->\n```sh\nrm -rf /\n```\n\n"
        "<!-- server: clock=virtual -->\n\n  ```python\n  def test_it(): ...\n  ```\n"
    )
    first, second = blocks_of(page, tmp_path)
    assert (first.line, first.language, first.code, first.not_run) == (5, "sh", "rm -rf /\n", "it is\nlong")
    assert (second.server, second.is_test, second.code) == ("clock=virtual", True, "def test_it(): ...\n")
    page.write_text("```sh\nls\n")
    with pytest.raises(AssertionError, match="not closed"):
        blocks_of(page, tmp_path)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ("```sh\ncurl -sf http://127.0.0.1:8080/nowhere\n```\n", "nowhere"),
        ("```sh\ncurl -s http://127.0.0.1:8080/nowhere\n```\n", "not_found"),
        ("```sh\nls\n```\n", "say <!-- not run"),
        ("```yaml\na: b\n```\n", "say <!-- not run"),
        ('```sh\ncurl -s http://127.0.0.1:8080/_mock/clock\n```\n```json\n{"now": 1}\n```\n', "it prints"),
        ("```console\n$ mockserver --version\nmockserver 77...\n```\n", "mockserver 0"),
    ],
)
def test_what_is_wrong_is_found(
    page: str, said: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.md").write_text(page)
    monkeypatch.setitem(globals(), "BLOCKS", blocks_of(tmp_path / "page.md", tmp_path))
    with pytest.raises(AssertionError, match=re.escape(said)):
        test_examples("page.md", desk, tmp_path)


def test_the_changelog_has_one_list_for_each_heading() -> None:
    """No blank line inside a list, and no line twice."""
    for section in re.split(r"^### ", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        assert "\n\n" not in text.partition("\n## ")[0].strip("\n"), heading
        items = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
        assert items, heading
        assert len(items) == len(set(items)), heading
