"""The scripts, with a stand-in for Python that notes what it is asked for: nothing is installed here."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EVERY_TEST = ("python tests/support/install_clients.py", "python -m pytest -n 3", "python -m pytest contract_tests")
SCRIPTS = ("scripts/serve", "scripts/test", "scripts/check", "scripts/fix", ".ci/run")

PYTHON = """#!/bin/sh
# Makes a virtual environment of copies of itself, and notes what it is asked to install.
case "$*" in
"-m venv"*)
    for last in "$@"; do :; done
    mkdir -p "$last/bin"
    for name in python mockserver ruff mypy; do cp "$0" "$last/bin/$name"; done
    echo "#!$last/bin/python" >"$last/bin/pip" ;;
"-m pip install"*) sleep 0.2; for last in "$@"; do :; done; echo "install $last" >>"$NOTES" ;;
"-c "*) case "${0##*/} $*" in *version_info*3.1[0-9]) [ "${0##*/}" = "python${*##* }" ] ;; esac ;;
*) echo "${0##*/} $$ $*" >>"$NOTES"; [ "$*" != "$FAILS" ] ;;
esac
"""


@dataclass
class Clone:
    """A clean clone with the stand-in as the only Python."""

    path: Path
    notes: Path

    def run(
        self, script: str, *arguments: str, fails: str = "nothing", search: str | None = None
    ) -> tuple[int, str, str]:
        """The script's exit status, its process id, and what it said."""
        environment = {
            "PATH": search or f"{self.path.parent / 'bin'}:/usr/bin:/bin",
            "NOTES": str(self.notes),
            "FAILS": fails,
            "HOME": str(self.path.parent),
        }
        process = subprocess.Popen(
            [self.path / script, *arguments], env=environment, stderr=subprocess.PIPE, text=True, cwd=self.path.parent
        )
        said = process.communicate(timeout=20)[1]
        return process.returncode, str(process.pid), said

    def noted(self) -> list[str]:
        """What was asked of the stand-in, without process ids."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [re.sub(r"^(\w+) \d+", r"\1", line) for line in lines]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    path = tmp_path / "a clone"
    for folder in ("scripts", ".ci"):
        shutil.copytree(ROOT / folder, path / folder)
    (path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "bin").mkdir()
    for name in ("python3.11", "python3", "python"):
        (tmp_path / "bin" / name).write_text(PYTHON)
        (tmp_path / "bin" / name).chmod(0o755)
    return Clone(path, tmp_path / "notes")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


def test_no_script_names_a_machine_or_a_registry() -> None:
    text = "".join((ROOT / script).read_text() for script in (*SCRIPTS, "scripts/_setup.sh"))
    assert re.findall(r"/(?:home|root|opt|work|Users)/|index-url|https?://(?!www\.python\.org)", text) == []


def test_serve_sets_up_once_and_becomes_the_server(clone: Clone) -> None:
    status, process, said = clone.run("scripts/serve", "--port", "0", "--seed", "two words")
    assert (status, said) == (0, "serve: setting up .venv (takes a minute, once)\n")
    assert clone.notes.read_text().splitlines()[-1] == f"mockserver {process} serve --port 0 --seed two words"
    assert clone.run("scripts/serve")[2] == ""
    assert clone.noted() == [f"install {clone.path}", "mockserver serve --port 0 --seed two words", "mockserver serve"]


def test_a_change_of_the_requirements_is_installed(clone: Clone) -> None:
    clone.run("scripts/test")
    (clone.path / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    clone.run("scripts/test", "-k", "this or that")
    install = f"install {clone.path}[dev]"
    assert clone.noted() == [install, *EVERY_TEST, install, "python -m pytest -k this or that"]


def test_another_python_has_an_environment_of_its_own(clone: Clone) -> None:
    clone.run("scripts/test")
    shutil.copy(clone.path.parent / "bin" / "python3", clone.path.parent / "bin" / "python3.13")
    status, _, said = clone.run("scripts/test", "--python", "3.13")
    assert (status, said) == (0, "test: setting up .venv-3.13 (takes a minute, once)\n")
    assert clone.noted() == [f"install {clone.path}[dev]", *EVERY_TEST] * 2
    assert (clone.path / ".venv-3.13").is_dir()
    clone.run("scripts/test", "--python", "3.13", "-k", "this")
    assert clone.noted()[-1] == "python -m pytest -k this"


def test_a_python_that_is_not_here_is_named(clone: Clone) -> None:
    status, _, said = clone.run("scripts/test", "--python", "3.19")
    assert (status, said.splitlines()[0]) == (
        1,
        "test: there is no Python 3.19 here: neither on the PATH nor from pyenv",
    )
    assert clone.run("scripts/test", "--python")[0] == 2


def test_every_mutant_is_behind_a_flag(clone: Clone) -> None:
    clone.run("scripts/test", "--all")
    assert clone.noted()[1:] == [*EVERY_TEST, "python -m mutants"]


def test_what_the_tests_need_is_enough_to_serve(clone: Clone) -> None:
    clone.run("scripts/test")
    assert clone.run("scripts/serve")[2] == ""
    assert clone.noted()[-1] == "mockserver serve"


def test_a_clone_that_was_moved_is_set_up_again(clone: Clone) -> None:
    clone.run("scripts/serve")
    moved = Clone(clone.path.rename(clone.path.with_name("moved")), clone.notes)
    moved.run("scripts/serve")
    assert clone.noted()[2:] == [f"install {moved.path}", "mockserver serve"]


@pytest.mark.parametrize("with_flock", [True, False])
def test_scripts_that_start_at_once_install_one_after_the_other(clone: Clone, with_flock: bool) -> None:
    search = None if with_flock else _without_flock(clone)
    with ThreadPoolExecutor(3) as pool:
        statuses = [done[0] for done in pool.map(lambda _: clone.run("scripts/serve", search=search), range(3))]
    assert statuses == [0, 0, 0]
    assert sorted(clone.noted()) == [f"install {clone.path}", *["mockserver serve"] * 3]
    assert not (clone.path / ".venv.lock").exists()


def _without_flock(clone: Clone) -> str:
    """A search path with what the scripts use, but no flock."""
    tools = clone.path.parent / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "cksum", "cat", "grep", "mkdir", "rmdir", "cp", "sleep"):
        found = shutil.which(name, path="/usr/bin:/bin")
        assert found
        (tools / name).symlink_to(found)
    return f"{clone.path.parent / 'bin'}:{tools}"


def test_without_python_it_says_what_is_needed(clone: Clone) -> None:
    shutil.rmtree(clone.path.parent / "bin")
    status, _, said = clone.run("scripts/serve", search=_without_flock(clone))
    assert status == 1
    assert said.startswith("serve: Python 3.11 or later is needed, and none is on the PATH")


@pytest.mark.parametrize(
    "fails", ["nothing", "check .", "format --check .", "-m pytest -n 3", "-m pytest contract_tests"]
)
def test_ci_runs_everything_and_fails_if_anything_does(clone: Clone, fails: str) -> None:
    assert clone.run(".ci/run", fails=fails)[0] == (0 if fails == "nothing" else 1)
    assert clone.noted()[1:] == [
        "ruff check .",
        "ruff format --check .",
        "mypy ",
        "python scripts/generate-client --check",
        "python scripts/docs --check",
        *EVERY_TEST,
    ]


def test_check_refuses_what_a_template_left_to_do(clone: Clone) -> None:
    assert clone.run("scripts/check")[0] == 0
    left = ("x = 1  # ", "TODO", ": the documented price\n")
    for folder in ("fixtures/prices", "outside"):
        (clone.path / folder).mkdir(parents=True)
        (clone.path / folder / "acme.toml").write_text("\n" + "".join(left))
        status, _, said = clone.run("scripts/check", *(["a clone/outside"] if folder == "outside" else []))
        assert status == 1
        assert f"{folder}/acme.toml:2:{''.join(left)}" in said
        (clone.path / folder / "acme.toml").unlink()
