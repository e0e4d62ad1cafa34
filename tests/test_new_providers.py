"""A provider is new files only: the example package, and what scripts/new-provider writes, inside and outside."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from support.blocks import blocks_of
from support.forked_pytest import PytestForks
from support.packages import metadata_of_project

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "providers" / "openai_images"
PAGE = ROOT / "docs" / "adding-a-provider.md"
COPIED = ("mockserver", "contract_tests", "fixtures", "scripts", "docs", "tests", "pyproject.toml", "README.md")
INSIDE, OUTSIDE = [block.code.splitlines() for block in blocks_of(PAGE, ROOT) if block.language == "sh"]

RUNNERS = {"python": sys.executable, "ruff": f"{Path(sys.executable).parent}/ruff", "mypy": "true"}
"""What stands in a copy's virtual environment; types are checked by the test of the generated files alone."""


PytestOn = Callable[..., str]


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MOCK_"))}
    return {**clean, "NO_COLOR": "1", "COLUMNS": "200"}


def run(*command: str, at: Path = ROOT, path: tuple[Path, ...] = (), expect: int = 0) -> str:
    """What a command prints; `path` are folders of packages that it finds."""
    env = {**environment(), "PYTHONPATH": os.pathsep.join(map(str, (*path, at)))}
    done = subprocess.run(command, cwd=at, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == expect, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture
def pytest_on(forks: PytestForks) -> PytestOn:
    """Runs pytest in a process of its own, which must pass; what it prints."""

    def pytest_on(*arguments: str, path: tuple[Path, ...] = ()) -> str:
        options = ("-q", "-p", "no:cacheprovider", *arguments)
        done = forks.run(*options, cwd=ROOT, environ=environment(), path=(*path, ROOT), timeout=240)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}"
        return done.stdout

    return pytest_on


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """The folders that make the example count as installed."""
    site = tmp_path_factory.mktemp("site")
    metadata_of_project(site, EXAMPLE)
    return site, EXAMPLE


def test_the_example_passes_its_own_tests(pytest_on: PytestOn, installed: tuple[Path, ...]) -> None:
    assert " passed" in pytest_on(str(EXAMPLE / "tests"), path=installed)


def test_the_example_passes_its_contract_tests(pytest_on: PytestOn, installed: tuple[Path, ...]) -> None:
    said = pytest_on(str(EXAMPLE / "contract"), path=installed)
    assert re.search(r"openai_images \(mock\): (\d+) held of \1 claims", said), said


def test_each_claim_of_the_example_has_a_test() -> None:
    ids = set(re.findall(r'^id = "(.*)"', (EXAMPLE / "fixtures/claims/openai_images.toml").read_text(), re.M))
    for folder in ("tests", "contract"):
        text = "".join(path.read_text() for path in (EXAMPLE / folder).glob("test_*.py"))
        assert set(re.findall(r'"(OI-[A-Z]+-\d+)"', text)) == ids, folder


def test_what_holds_for_every_provider_holds_for_the_example(pytest_on: PytestOn, installed: tuple[Path, ...]) -> None:
    said = pytest_on("tests/providers/test_every_provider.py", "-k", "openai_images", path=installed)
    assert re.search(r"^1[0-9] passed", said, re.M), said


def test_the_commands_know_the_example(installed: tuple[Path, ...]) -> None:
    mockserver = (sys.executable, "-m", "mockserver")
    assert re.search(
        r"openai_images +api\.openai\.com +/openai_images/v1", run(*mockserver, "providers", path=installed)
    )
    assert "0.167" in run(*mockserver, "prices", path=installed)
    lines = run(*mockserver, "env", "--root-url", "http://127.0.0.1:9", path=installed)
    assert "OPENAI_IMAGES_BASE_URL=http://127.0.0.1:9/openai_images/v1" in lines
    assert "openai_images" not in run(*mockserver, "providers")


def test_the_example_is_described_without_a_line_about_it(pytest_on: PytestOn, installed: tuple[Path, ...]) -> None:
    """Its package says nothing of OpenAPI: its models, its refusals and its routes do."""
    said = pytest_on("tests/openapi", "-k", "openai_images", path=installed)
    assert re.search(r"^1[0-9] passed, 1 skipped", said, re.M), said
    document = json.loads(run(sys.executable, "-m", "mockserver", "openapi", "openai_images", path=installed))
    bodies = {
        path: set(item["post"]["requestBody"]["content"]) for path, item in document["paths"].items() if "post" in item
    }
    assert bodies == {"/v1/images/generations": {"application/json"}, "/v1/images/edits": {"multipart/form-data"}}
    assert {"GptImage", "Dalle2", "Dalle3"} <= set(document["components"]["schemas"])


PLUGIN = """
import openai
import pytest


def test_the_fixture(mock_providers):
    provider = mock_providers.openai_images
    options = {"base_url": provider.openai_base_url, "api_key": provider.api_key, "max_retries": 0}
    with openai.OpenAI(**options) as sdk:
        assert sdk.images.generate(model="gpt-image-1", prompt="an otter").data[0].b64_json
        mock_providers.assert_spent("openai_images", "0.042")
        mock_providers.assert_requested("openai_images", times=1, prompt="otter")
        mock_providers.faults.add("status", provider="openai_images", status=429, times=1)
        with pytest.raises(openai.RateLimitError):
            sdk.images.generate(prompt="an otter")
    assert [task.provider for task in mock_providers.tasks("openai_images")] == ["openai_images"]
"""


def test_the_pytest_fixture_has_the_example(pytest_on: PytestOn, installed: tuple[Path, ...], tmp_path: Path) -> None:
    (tmp_path / "test_plugin.py").write_text(PLUGIN)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    assert "1 passed" in pytest_on(str(tmp_path), path=installed)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of this project whose scripts find a virtual environment that is set up."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name)  # with the bytecode, which is valid for the copy
        else:
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv" / "bin").mkdir(parents=True)
    for name, program in RUNNERS.items():
        (copy / ".venv" / "bin" / name).write_text(f'#!/bin/sh\nexec {program} "$@"\n')
        (copy / ".venv" / "bin" / name).chmod(0o755)
    run("sh", "-c", 'echo "$PWD $(cksum <pyproject.toml)" >.venv/.installed-dev', at=copy)
    return copy


def files_of(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file() and not {".venv", "__pycache__", ".ruff_cache", ".hypothesis"} & set(path.parts):
            yield str(path.relative_to(folder)), sha256(path.read_bytes()).hexdigest()


def left_to_do(folder: Path, text: str) -> set[str]:
    """The files that scripts/check names, each of which must hold what it says at that line."""
    found = re.findall(r"^(\S+?):(\d+):.*TODO", text, re.M)
    assert found, text
    for name, line in found:
        assert "TODO" in (folder / name).read_text().splitlines()[int(line) - 1]
    return {name for name, _ in found}


def test_the_template_inside_is_new_files_only_and_works(copy: Path) -> None:
    before = dict(files_of(copy))
    new, *tests, check = INSIDE
    written = set(run("sh", "-ec", new, at=copy).split())
    after = dict(files_of(copy))
    assert {name: after.get(name) for name in before} == before
    assert after.keys() - before.keys() == written
    for test in tests:
        said = run("sh", "-ec", test.replace("python", sys.executable, 1), at=copy)
        assert " passed" in said
        assert " failed" not in said
    said = run("sh", "-ec", check, at=copy, expect=1)
    assert "All checks passed!" in said, said
    todo = left_to_do(copy, said)
    python = {name for name in written if name.endswith(".py") and not name.endswith("__init__.py")}
    assert todo >= python - {"mockserver/providers/acme/routes.py"}
    assert todo <= written
    run(
        f"{Path(sys.executable).parent}/mypy",
        "mockserver/providers/acme",
        "contract_tests/acme",
        "tests/providers/acme",
        at=copy,
    )


def test_the_template_outside_works_as_a_package(copy: Path, tmp_path: Path) -> None:
    new, install, *tests, check = OUTSIDE
    before = dict(files_of(copy))
    run("sh", "-ec", new, at=copy)
    project = copy / "acme-images"
    assert {name for name in dict(files_of(copy)) if name not in before} == {
        f"acme-images/{name}" for name, _ in files_of(project)
    }
    assert install == "pip install -e acme-images"
    metadata_of_project(tmp_path / "site", project)
    for test in tests:
        said = run("sh", "-ec", test.replace("python", sys.executable, 1), at=copy, path=(tmp_path / "site", project))
        assert " passed" in said
        assert " failed" not in said
    assert left_to_do(copy, run("sh", "-ec", check, at=copy, expect=1)) >= {"acme-images/pyproject.toml"}


@pytest.mark.parametrize("name", ["zeta", "abc_1", "evolink2"])
def test_the_template_is_as_the_formatter_would_have_it(tmp_path: Path, name: str) -> None:
    """Whatever a provider is called, its imports are in order."""
    run(sys.executable, "scripts/new-provider", name, "--into", str(tmp_path))
    ruff = (f"{Path(sys.executable).parent}/ruff", "--config", str(ROOT / "pyproject.toml"))
    sources = ("--config", f"src=['{tmp_path}', '{ROOT}']")
    run(*ruff, "check", "--no-cache", *sources, str(tmp_path))
    run(*ruff, "format", "--no-cache", "--check", str(tmp_path))


def test_the_template_is_nobodys(tmp_path: Path) -> None:
    """No claim id, name or host of another provider; hosts under a reserved name."""
    run(sys.executable, "scripts/new-provider", "acme", "--into", str(tmp_path))
    text = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert re.findall(r"xhuoapi|icodeeasy|evolink|openai|\b(?:XH|IC|EV|OI)-[A-Z]+-\d", text, re.I) == []
    hosts = re.findall(r"https?://([\w.-]+)", text)
    assert {host for host in hosts if host != "127.0.0.1" and not host.endswith(".example")} == set()


@pytest.mark.parametrize("name", ["My", "1a", "a-b", "../a", ""])
def test_names_that_are_refused(name: str) -> None:
    assert "is not made of" in run(sys.executable, "scripts/new-provider", name, expect=2)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    assert "evolink/__init__.py exists already" in run(sys.executable, "scripts/new-provider", "evolink", expect=1)
    run(sys.executable, "scripts/new-provider", "acme", "--into", str(tmp_path))
    before = dict(files_of(tmp_path))
    assert "exists already" in run(sys.executable, "scripts/new-provider", "acme", "--into", str(tmp_path), expect=1)
    assert dict(files_of(tmp_path)) == before
