"""The data in `fixtures/`: claims, documented exchanges, prices, sizes, latencies, reference pictures."""

import json
import tomllib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

PROVIDERS: dict[str, Path] = {path.parent.name: path.parent for path in sorted(HERE.glob("*/__init__.py"))}
"""The folder of each provider's tests; its fixtures are in a folder `fixtures` beside that folder's parent."""


PRICE_RULES: dict[str, Callable[[Mapping[str, Any]], Decimal]] = {}
"""A function for the price of a request, for providers where the price table does not suffice."""


def add_provider(name: str, tests: Path, price: Callable[[Mapping[str, Any]], Decimal] | None = None) -> None:
    """Add the contract tests of a package of its own: its `conftest.py` calls this before it imports the suite's."""
    PROVIDERS[name] = tests.resolve()
    if price is not None:
        PRICE_RULES[name] = price


@dataclass(frozen=True, slots=True)
class Claim:
    """One documented behaviour. `status` is D, P, R or a mixture; `ruling` is the part that is this project's own."""

    id: str
    provider: str
    status: str
    statement: str
    document: str
    section: str
    ruling: str = ""

    @property
    def needs_test(self) -> bool:
        """Whether the claim is documented or public (D or P), at least in part."""
        return "D" in self.status or "P" in self.status


def fixtures(provider: str) -> Path:
    """The fixtures folder of a provider: beside this package, or in the package that brings the provider."""
    folder = PROVIDERS[provider]
    return (HERE.parent if folder.parent == HERE else folder.parent) / "fixtures"


def home() -> Path:
    """The fixtures folder of this suite: beside this package, in a checkout as in a wheel."""
    return HERE.parent / "fixtures"


@cache
def claims() -> Mapping[str, Claim]:
    """Every claim by id, in the order of the files."""
    found: dict[str, Claim] = {}
    pages = [home() / "claims" / "all.toml", *(fixtures(name) / "claims" / f"{name}.toml" for name in PROVIDERS)]
    for page in map(_toml, pages):
        for entry in page["claim"]:
            found[entry["id"]] = Claim(provider=page["provider"], **entry)
    return found


def _examples(provider: str) -> dict[str, Any]:
    text = (fixtures(provider) / "exchanges" / f"{provider}.json").read_text(encoding="utf-8")
    page: dict[str, Any] = json.loads(text)
    return page


@cache
def key_prefix(provider: str) -> str:
    """What the documented API keys of a provider begin with; "sk_" if the provider does not check it."""
    return str(_examples(provider).get("key_prefix", "sk_"))


@cache
def exchanges(provider: str) -> Mapping[str, Mapping[str, Any]]:
    """The documented exchanges of a provider by name."""
    return {entry["name"]: entry for entry in _examples(provider)["exchanges"]}


@cache
def prices() -> Mapping[str, Any]:
    """The price table of each provider."""
    return _tables("prices")


@cache
def sizes() -> Mapping[str, Any]:
    """The tables of sizes, lengths and counts of each provider."""
    return _tables("sizes")


@cache
def latencies() -> Mapping[str, Any]:
    """The durations of each provider, in seconds."""
    return _tables("latencies")


@cache
def picture(name: str) -> bytes:
    """A small reference picture, such as `reference.png`."""
    return (home() / "images" / name).read_bytes()


def data_url(name: str, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{b64encode(picture(name)).decode()}"


def _tables(kind: str) -> dict[str, Any]:
    """The tables of a kind by provider: those in one file together, then the files of single providers."""
    found = _toml(home() / f"{kind}.toml")
    for provider in PROVIDERS:
        path = fixtures(provider) / kind / f"{provider}.toml"
        if path.exists():
            found.update(_toml(path))
    return found


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
