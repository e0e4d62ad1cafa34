"""The claims: each has a test, each test names one, and suite and server read no tables of each other."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from contract.scene import ROOT, RunSuite
from contract_tests.library import PROVIDERS, claims, exchanges, picture, prices, sizes
from contract_tests.pictures import picture_of


def _copy(to: Path) -> Path:
    """A copy of the suite and its tables; the folder of evolink's tests in it.

    Its own `pytest.ini` makes `to` the rootdir: pytest reads no conftest.py above that, and without the file it takes
    the folder that the copy and the working directory share, so that the result depends on where both lie.
    """
    (to / "pytest.ini").write_text("[pytest]\n", "utf-8")
    for name in ("contract_tests", "fixtures"):
        shutil.copytree(ROOT / name, to / name)  # with the bytecode, which is valid for the copy
    return to / "contract_tests" / "evolink"


@pytest.mark.parametrize("status", ["D", "R/P"])
def test_a_claim_without_a_test_fails_the_run(run_suite: RunSuite, tmp_path: Path, status: str) -> None:
    folder = _copy(tmp_path)
    entry = f'\n[[claim]]\nid = "EV-NEW-1"\nstatus = "{status}"\nstatement = "x"\ndocument = "002"\nsection = "y"\n'
    with (tmp_path / "fixtures/claims/evolink.toml").open("a") as page:
        page.write(entry)
    ran = run_suite("--collect-only", folder=str(folder))
    assert ran.status == 1
    assert (ran.outcome("EV-NEW-1"), ran.report["notes"]) == ("untested", ["claims without a test: EV-NEW-1"])


def test_a_test_that_names_an_unknown_claim_is_refused(run_suite: RunSuite, tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    path = folder / "test_errors.py"
    path.write_text(path.read_text("utf-8").replace('@claim("EV-ERR-1")', '@claim("EV-ERR-99")', 1), "utf-8")
    ran = run_suite("--collect-only", folder=str(folder))
    assert ran.status == 4
    assert "EV-ERR-99" in ran.output


def test_every_claim_has_a_test_now(run_suite: RunSuite) -> None:
    ran = run_suite("--collect-only")
    assert (ran.status, ran.report["notes"]) == (0, [])


def test_the_tests_of_one_claim_run_alone(run_suite: RunSuite) -> None:
    ran = run_suite("--claim", "XH-SIZE-4")
    assert (ran.status, ran.outcome("XH-SIZE-4")) == (0, "held")
    assert "deselected" in ran.output


def test_a_claim_that_no_test_names(run_suite: RunSuite) -> None:
    ran = run_suite("--claim", "XH-SIZE-77")
    assert ran.status == 4
    assert "no test names XH-SIZE-77" in ran.output


def test_the_suite_does_not_import_the_server() -> None:
    for path in (ROOT / "contract_tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.partition(".")[0] == "mockserver" for name in names), path


def test_the_server_does_not_read_the_fixtures() -> None:
    for path in (ROOT / "mockserver").rglob("*.py"):
        assert not re.search(r"['\"/]fixtures[/'\"]", path.read_text("utf-8")), path


def test_claims_have_all_their_fields() -> None:
    for claim in claims().values():
        assert re.fullmatch(r"[DPR](/[DPR])*", claim.status), claim
        assert claim.statement.endswith((".", "..."))
        assert claim.document
        assert claim.section or claim.status == "R"


def test_every_table_names_its_document() -> None:
    for provider in PROVIDERS:
        tables = [entry for entry in prices()[provider].values() if isinstance(entry, dict)]
        assert all(table["document"] and table["section"] for table in tables)
        assert all(entry["document"] and entry["section"] for entry in exchanges(provider).values())
    assert sizes()["xhuoapi"]["gpt-image-2"]["document"]


@pytest.mark.parametrize(
    ("name", "kind"), [("reference.png", "PNG"), ("reference.jpg", "JPEG"), ("reference.webp", "WEBP")]
)
def test_reference_pictures_decode(name: str, kind: str) -> None:
    found = picture_of(picture(name))
    assert found is not None
    assert (found.format, found.size) == (kind, "24x16")
    assert picture_of(found.note.encode()) == found


def test_a_truncated_picture_does_not_decode() -> None:
    assert picture_of(picture("truncated.png")) is None
