"""Every documented behaviour has a test that names its id, and no test names an id that does not exist."""

import ast
from pathlib import Path

from support.claims import CLAIMS

TESTS = Path(__file__).parent


def named_in(source: str) -> set[str]:
    """The ids in every `pytest.mark.claim(…)` of a module."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    marks = (call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "claim")
    return {str(argument.value) for mark in marks for argument in mark.args if isinstance(argument, ast.Constant)}


NAMED = {path: named_in(path.read_text()) for path in sorted(TESTS.rglob("test_*.py"))}


def test_every_claim_is_named_by_a_test() -> None:
    missing = CLAIMS.keys() - set().union(*NAMED.values())
    assert not missing, f"no test names {', '.join(sorted(missing))}"


def test_no_test_names_an_unknown_claim() -> None:
    unknown = {str(path.relative_to(TESTS)): named - CLAIMS.keys() for path, named in NAMED.items()}
    assert not {path: ids for path, ids in unknown.items() if ids}


def test_the_scan_finds_marks_on_functions_and_parameters() -> None:
    source = '@pytest.mark.claim("A-1", "A-2")\ndef test(): pytest.param(1, marks=mark.claim("A-3"))'
    assert named_in(source) == {"A-1", "A-2", "A-3"}
