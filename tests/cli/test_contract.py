"""`mockserver contract`: what it runs, and its help."""

import re
from pathlib import Path

import pytest

from contract_tests.usage import OPTIONS
from mockserver.cli import contract, main


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that it would run, which are not run."""
    found: list[list[str]] = []

    def record(folder: Path, command: list[str]) -> int:
        found.append(command)
        return 0

    monkeypatch.setattr(contract, "_run", record)
    return found


@pytest.mark.parametrize(
    ("line", "tests", "rest"),
    [
        ("", [""], []),
        ("evolink", ["evolink"], []),
        ("evolink icodeeasy -k evolink", ["evolink", "icodeeasy"], ["-k", "evolink"]),
        ("-x -k evolink", [""], ["-x", "-k", "evolink"]),
    ],
)
def test_providers_are_named_before_the_options(
    line: str, tests: list[str], rest: list[str], commands: list[list[str]]
) -> None:
    assert main(["contract", *line.split()]) == 0
    folders = [str(contract.suite() / name) for name in tests]
    assert commands == [["-m", "pytest", *folders, "-p", "no:cacheprovider", *rest]]


def test_tests_are_named_by_their_path(commands: list[list[str]]) -> None:
    test = f"{Path(__file__)}::test_it"
    assert main(["contract", test]) == 0
    assert commands[0][2] == test


def test_an_unknown_provider_is_refused(commands: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "evolnk"]) == 2
    said = "mockserver: there is no provider 'evolnk'; there are evolink, icodeeasy, xhuoapi\n"
    assert (capsys.readouterr().err, commands) == (said, [])


def test_its_help_is_its_own_with_its_options_first(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contract, "NEEDED", ("a_package_that_is_not_installed",))
    assert main(["contract", "--help"]) == 0
    text = capfd.readouterr().out
    assert text.startswith("usage: mockserver contract [PROVIDER ...]")
    assert re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE) == list(OPTIONS)
    assert "evolink, icodeeasy," in text
    assert main(["contract"]) == 2
    assert "pip install 'image-api-mockserver[contract]'" in capfd.readouterr().err
