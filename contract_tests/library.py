"""The data in `fixtures/`: claims, documented exchanges, prices, sizes, latencies, reference pictures."""

import json
import tomllib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PROVIDERS = ("xhuoapi", "icodeeasy", "evolink")


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
        """Whether the documents or other public material say so, in part at least."""
        return "D" in self.status or "P" in self.status


@cache
def home() -> Path:
    """The fixtures folder: beside this package, in a checkout as in a wheel."""
    return Path(__file__).resolve().parent.parent / "fixtures"


@cache
def claims() -> Mapping[str, Claim]:
    """Every claim by id, in the order of the files."""
    found: dict[str, Claim] = {}
    for name in ("all", *PROVIDERS):
        page = _toml(f"claims/{name}.toml")
        for entry in page["claim"]:
            found[entry["id"]] = Claim(provider=page["provider"], **entry)
    return found


@cache
def exchanges(provider: str) -> Mapping[str, Mapping[str, Any]]:
    """The documented exchanges of a provider by name."""
    page = json.loads((home() / "exchanges" / f"{provider}.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry for entry in page["exchanges"]}


@cache
def prices() -> Mapping[str, Any]:
    return _toml("prices.toml")


@cache
def sizes() -> Mapping[str, Any]:
    return _toml("sizes.toml")


@cache
def latencies() -> Mapping[str, Any]:
    return _toml("latencies.toml")


@cache
def picture(name: str) -> bytes:
    """A small reference picture, such as `reference.png`."""
    return (home() / "images" / name).read_bytes()


def data_url(name: str, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{b64encode(picture(name)).decode()}"


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((home() / name).read_text(encoding="utf-8"))
