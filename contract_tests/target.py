"""The targets of a run: for each provider a mock of the suite's own, a remote address, or a recording."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from .library import PROVIDERS


def key_variable(provider: str) -> str:
    """The environment variable that holds a provider's API key."""
    return f"{provider.upper()}_API_KEY"


class Kind(Enum):
    MOCK = "mock"
    """A mock that the suite starts: calls are free, and its control surface may be used."""
    REMOTE = "remote"
    """An address, of a mock or a real service: calls may cost, and only the documented API is used."""
    REPLAY = "replay"
    """A recording: calls are free; only recorded calls are answered."""


@dataclass(frozen=True, slots=True)
class Target:
    """One provider's target. `base_url` stands for the documented scheme and host ("" until a mock has started)."""

    provider: str
    kind: Kind
    base_url: str = ""
    key: str = ""
    folder: Path | None = None

    @property
    def is_mock(self) -> bool:
        """Whether rulings of ours (R) may be asserted and the control surface may be used."""
        return self.kind is Kind.MOCK

    @property
    def is_paid(self) -> bool:
        return self.kind is Kind.REMOTE


def placeholder(name: str) -> str:
    """What a recording has in place of the address of a target or a receiver."""
    return f"https://{name}.invalid"


def parse_targets(texts: list[str], environ: Mapping[str, str]) -> dict[str, Target]:
    """The targets of `--target` options, each `PROVIDER=URL`, `PROVIDER=mock`, `[PROVIDER=]replay:DIR`.

    Without any, every provider is the suite's own mock. Raises ValueError for an invalid option.
    """
    if not texts:
        return {provider: Target(provider, Kind.MOCK) for provider in PROVIDERS}
    targets: dict[str, Target] = {}
    for text in texts:
        name, where = _split(text)
        for provider in [name] if name else PROVIDERS:
            targets[provider] = _target(provider, where, environ)
    return targets


def _split(text: str) -> tuple[str, str]:
    name, equals, where = text.partition("=")
    if not equals:
        name, where = "", text
    if name and name not in PROVIDERS:
        raise ValueError(f"--target {text!r}: there is no provider {name!r}; there are {', '.join(PROVIDERS)}")
    if not name and where.startswith(("http:", "https:")):
        raise ValueError(f"--target {text!r}: say which provider that is, as in evolink={text}")
    return name, where


def _target(provider: str, where: str, environ: Mapping[str, str]) -> Target:
    if where == "mock":
        return Target(provider, Kind.MOCK)
    if where.startswith("replay:"):
        folder = Path(where.removeprefix("replay:"))
        if not folder.is_dir():
            raise ValueError(f"--target {where}: there is no folder {folder}")
        return Target(provider, Kind.REPLAY, placeholder(provider), "sk_replay", folder)
    parts = urlsplit(where)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"--target {provider}={where}: write a URL, mock or replay:DIR")
    return Target(provider, Kind.REMOTE, where.rstrip("/"), environ.get(key_variable(provider), ""))
