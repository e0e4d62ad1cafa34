"""Discovery of providers: folders of the package, and entry points of installed packages."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockserver.http.context import Route
from mockserver.providers.base import Example, InvalidProvider, Provider, defects_of, discover
from mockserver.providers.evolink import PROVIDER as EVOLINK
from support.packages import write_metadata

Install = Callable[..., str]

COPY = """
from dataclasses import replace
from mockserver.providers.evolink import PROVIDER as EVOLINK
PROVIDER = replace(EVOLINK, name="{name}", hosts=("api.{name}.example",), picture_hosts={{}})
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package `acme-images 1.2` with a module of this text; gives the module's name."""

    def install(text: str, value: str = "{module}:PROVIDER", more: dict[str, str] | None = None) -> str:
        module = f"acme_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{module}.py").write_text(text)
        write_metadata(tmp_path, "acme-images", "1.2", {"acme": value.format(module=module), **(more or {})})
        monkeypatch.syspath_prepend(tmp_path)
        return module

    return install


def names() -> list[str]:
    return [provider.name for provider in discover()]


def test_every_folder_is_a_provider() -> None:
    folders = Path(sys.modules[Provider.__module__].__file__ or "").parent.glob("*/__init__.py")
    assert set(names()) >= {path.parent.name for path in folders}
    assert names() == sorted(names())


def test_an_installed_package_adds_a_provider(install: Install) -> None:
    before = names()
    install(COPY.format(name="acme"))
    assert names() == sorted([*before, "acme"])


BROKEN = {
    "import": ("import nothing_of_this_name", "can't be loaded: ModuleNotFoundError: .*nothing_of_this_name"),
    "crash": ("1 / 0", "can't be loaded: ZeroDivisionError"),
    "absent": ("", "can't be loaded: AttributeError.*PROVIDER"),
    "other type": ("PROVIDER = {}", "is no Provider but a dict"),
    "field": (
        "from mockserver.providers.base import Provider\nPROVIDER = Provider(name='acme')",
        "can't be loaded: TypeError.*missing.*envelope",
    ),
    "incomplete": (COPY.format(name="Acme"), "is not complete: name 'Acme'"),
    "name": (
        COPY.format(name="evolink"),
        "two providers have the name evolink: mockserver.providers.evolink.PROVIDER, and the entry point acme",
    ),
    "host": (
        COPY.format(name="acme").replace("api.acme.example", "api.evolink.ai"),
        "two providers have the host api.evolink.ai",
    ),
}


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_entry_point_names_its_package(install: Install, text: str, said: str) -> None:
    module = install(text)
    with pytest.raises(InvalidProvider, match=said) as error:
        discover()
    assert f"the entry point acme = {module}:PROVIDER of acme-images 1.2" in str(error.value)
    assert "\n" not in str(error.value)


def test_two_entry_points_with_one_name(install: Install) -> None:
    module = f"{COPY.format(name='acme')}SECOND = replace(PROVIDER, title='other')\n"
    name = install(module, more={"beta": "{}:SECOND"})
    path = next(Path(sys.path[0]).glob("*.dist-info")) / "entry_points.txt"
    path.write_text(path.read_text().replace("{}", name))
    with pytest.raises(InvalidProvider, match=r"two providers have the name acme: .*acme = .*, and .*beta = "):
        discover()


def test_the_command_says_it_in_one_line(install: Install) -> None:
    install("1 / 0")
    command = [sys.executable, "-m", "mockserver", "providers"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": f"{sys.path[0]}:{root}", "NO_COLOR": "1", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "acme-images 1.2 can't be loaded: ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_imported_for_packages_that_are_not_there() -> None:
    """importlib.metadata takes a third of the time that the command takes to start."""
    code = """
import sys
from mockserver.providers.installed import installed_providers
before = "importlib.metadata" in sys.modules
assert installed_providers() == ()
assert before or "importlib.metadata" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], timeout=30, check=True)


def test_a_zip_file_on_the_path_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zipfile import ZipFile

    with ZipFile(tmp_path / "acme.zip", "w") as zipped:
        zipped.writestr("zipped_acme.py", COPY.format(name="zipped"))
        zipped.writestr("acme-1.dist-info/METADATA", "Name: acme\nVersion: 1\n")
        zipped.writestr("acme-1.dist-info/entry_points.txt", "[mockserver.providers]\nz = zipped_acme:PROVIDER\n")
    monkeypatch.syspath_prepend(tmp_path / "acme.zip")
    assert "zipped" in names()


async def _never(context: Any) -> Any:
    raise NotImplementedError


ROUTE = EVOLINK.routes[0]
DEFECTS: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "my-images"}, "name 'my-images'"),
    "control's name": ({"name": "_mock"}, "name '_mock'"),
    "no hosts": ({"hosts": ()}, "hosts is empty"),
    "no models": ({"models": ()}, "models is empty"),
    "picture host": ({"picture_hosts": {"/x/": "cdn.acme.example"}}, "picture host 'cdn.acme.example'"),
    "url as host": ({"hosts": ("https://api.acme.example",)}, "host 'https"),
    "host in capitals": ({"hosts": ("API.acme.example",)}, "host 'API"),
    "base path": ({"base_path": "v1"}, "base path 'v1'"),
    "base path's end": ({"openai_path": "/v1/"}, "base path '/v1/'"),
    "price": ({"prices": {"x": "much"}}, "price x: "),
    "fine price": ({"prices": {"x": "0.000001"}}, "price x: "),
    "negative price": ({"prices": {"x": "-1"}}, "price x is negative"),
    "latency": ({"latencies": {"x": (2.0, 1.0)}}, "latency x"),
    "no routes": ({"routes": ()}, "routes is empty"),
    "route twice": ({"routes": (*EVOLINK.routes, ROUTE)}, "is there twice"),
    "example": ({"routes": (replace(ROUTE, path="/other"),)}, "no billable route is POST"),
    "example is free": ({"routes": (Route("POST", ROUTE.path, _never),)}, "no billable route is POST"),
    "refusals": ({"refusals": {}}, "its refusals lack REQUEST_TIMEOUT"),
    "failures": ({"failures": {}}, "its failures lack MODERATED"),
    "key": ({"accepts_key": lambda key: False}, "accepts_key refuses 'my-evolink-key'"),
    "key's ending": ({"accepts_key": lambda key: len(key) == 14}, "accepts_key refuses 'my-evolink-key-mock-401'"),
}


@pytest.mark.parametrize(("change", "said"), DEFECTS.values(), ids=DEFECTS)
def test_an_incomplete_provider_is_told_what_is_missing(change: dict[str, Any], said: str) -> None:
    found = list(defects_of(replace(EVOLINK, **change)))
    assert any(said in reason for reason in found), found


@pytest.mark.parametrize("provider", discover(), ids=lambda provider: provider.name)
def test_every_provider_is_complete(provider: Provider) -> None:
    assert list(defects_of(provider)) == []
    assert isinstance(provider.example, Example)
