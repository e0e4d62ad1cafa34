"""The arrows of docs/architecture.md run one way: cli -> app -> {providers, control, faults} -> engine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "mockserver"
FILES = {
    path.relative_to(ROOT.parent).with_suffix("").as_posix().replace("/", "."): path for path in ROOT.rglob("*.py")
}
PROVIDERS = sorted(path.parent.name for path in ROOT.glob("providers/*/__init__.py"))
EDGE = ("mockserver.cli", "mockserver.__main__", "mockserver.console", "mockserver.environment")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or deep inside; names included (`from a import b` gives a.b too)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(files: Iterator[str], forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{name} imports {module}"
        for name in files
        for module in imports(FILES[name])
        if any(module == root or module.startswith(f"{root}.") for root in forbidden)
    ]


def below(package: str) -> Iterator[str]:
    return (name for name in FILES if name.startswith(package))


def test_the_walk_sees_the_code() -> None:
    assert PROVIDERS == ["evolink", "icodeeasy", "xhuoapi"]
    assert "mockserver.engine.engine" in set(imports(FILES["mockserver.app"]))


def test_the_engine_knows_none_of_the_others() -> None:
    others = (
        "app",
        "call",
        "cli",
        "control",
        "faults",
        "front",
        "middleware",
        "origins",
        "providers",
        "routing",
        "server",
    )
    assert breaches(below("mockserver.engine"), ("aiohttp.web", *(f"mockserver.{name}" for name in others))) == []


@pytest.mark.parametrize("layer", ["providers", "control", "faults"])
def test_the_middle_knows_no_app(layer: str) -> None:
    above = ("mockserver.app", "mockserver.server", "mockserver.connection", *EDGE)
    assert breaches(below(f"mockserver.{layer}"), above) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_is_known_to_itself_alone(provider: str) -> None:
    home = f"mockserver.providers.{provider}"
    strangers = (name for name in FILES if not name.startswith(home))
    assert breaches(strangers, (home,)) == []


def test_no_code_asks_for_a_provider_by_name() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare | ast.Match)
        and not name.startswith(tuple(f"mockserver.providers.{p}" for p in PROVIDERS))
        if any(isinstance(part, ast.Constant) and part.value in PROVIDERS for part in ast.walk(node))
    ]
    assert found == []


def test_what_costs_much_to_import_stays_at_the_edge() -> None:
    inside = (name for name in FILES if not name.startswith(EDGE))
    assert breaches(inside, ("typer", "rich", "pydantic_settings", "click")) == []


def test_the_engine_has_no_clock_but_one() -> None:
    others = (name for name in FILES if name != "mockserver.engine.clock")
    assert breaches(others, ("time", "random", "uuid", "secrets")) == []
