"""The arrows of docs/architecture.md run one way: cli -> app -> {control, faults, providers} -> http -> engine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "mockserver"
FILES = {
    path.relative_to(ROOT.parent).with_suffix("").as_posix().replace("/", "."): path for path in ROOT.rglob("*.py")
}
PROVIDERS = sorted(path.parent.name for path in ROOT.glob("providers/*/__init__.py"))
EDGE = ("mockserver.cli", "mockserver.__main__", "mockserver.cli.console", "mockserver.client.environment")


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
    assert {"evolink", "icodeeasy", "xhuoapi"} <= set(PROVIDERS)
    assert "mockserver.engine.engine" in set(imports(FILES["mockserver.app"]))


ABOVE = {
    "engine": (
        "advice",
        "app",
        "cli",
        "client",
        "control",
        "faults",
        "http",
        "intercept",
        "openapi",
        "providers",
        "pytest_plugin",
        "server",
        "settings",
    ),
    "http": (
        "advice",
        "app",
        "cli",
        "client",
        "control",
        "faults",
        "intercept",
        "openapi",
        "providers",
        "pytest_plugin",
        "server",
    ),
    "openapi": ("advice", "app", "cli", "client", "control", "faults", "intercept", "pytest_plugin", "server"),
    "providers": (
        "advice",
        "app",
        "cli",
        "client",
        "control",
        "faults",
        "intercept",
        "openapi",
        "pytest_plugin",
        "server",
    ),
    "faults": ("advice", "app", "cli", "client", "control", "intercept", "pytest_plugin", "server"),
    "advice": ("app", "cli", "client", "control", "faults", "intercept", "pytest_plugin", "server", "settings"),
    "control": ("app", "cli", "client", "intercept", "pytest_plugin", "server"),
    "scenarios": ("app", "cli", "client", "intercept", "openapi", "pytest_plugin", "server"),
    "client": ("advice", "app", "cli", "control", "faults", "http", "intercept", "pytest_plugin", "server"),
    "intercept": ("advice", "cli", "control", "faults", "pytest_plugin"),
}
"""What each folder may not import: what stands above it."""


@pytest.mark.parametrize("layer", ABOVE)
def test_a_folder_imports_nothing_from_above(layer: str) -> None:
    above = tuple(f"mockserver.{name}" for name in ABOVE[layer])
    assert breaches(below(f"mockserver.{layer}"), above) == []


def test_the_engine_knows_no_http_server() -> None:
    assert breaches(below("mockserver.engine"), ("aiohttp.web",)) == []


def test_no_two_modules_import_each_other() -> None:
    """Directly or by way of others: what an import is needed for, a type included, does not matter."""
    graph = {name: {module for module in imports(path) if module in FILES} - {name} for name, path in FILES.items()}
    assert [name for name in graph if name in reached(graph, graph[name])] == []


def reached(graph: dict[str, set[str]], start: set[str]) -> set[str]:
    """Every module that can be reached from some by imports."""
    found: set[str] = set()
    while start:
        found |= start
        start = {module for name in start for module in graph[name]} - found
    return found


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_is_known_to_itself_alone(provider: str) -> None:
    home = f"mockserver.providers.{provider}"
    anonymous_requests = (name for name in FILES if not name.startswith(home))
    assert breaches(anonymous_requests, (home,)) == []


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
    assert breaches(inside, ("rich",)) == []


def test_openapi_pydantic_is_needed_by_descriptions_alone() -> None:
    others = (name for name in FILES if not name.startswith(("mockserver.openapi.", "mockserver.control.description")))
    assert breaches(others, ("openapi_pydantic",)) == []


def test_the_engine_has_no_clock_but_one() -> None:
    others = (name for name in FILES if name != "mockserver.engine.clock")
    assert breaches(others, ("time", "random", "uuid", "secrets")) == []
