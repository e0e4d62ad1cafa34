"""Derives flags, environment variables and TOML keys from the fields of `Settings`."""

from dataclasses import MISSING, Field, fields
from decimal import Decimal
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mockserver.cli.arguments import Flag
from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.settings import Settings

ENV_PREFIX = "MOCKSERVER_"
CONFIG_ENV = ENV_PREFIX + "CONFIG"


@fast_dataclass
class Option:
    """One setting. `kind` is its Python type, without None for an optional setting; `key` is its key in a TOML file."""

    name: str
    kind: Any
    default: Any
    meaning: str
    metavar: str
    group: str | None
    shown: str | None
    in_flags: bool
    least: int | None
    most: int | None

    @property
    def repeatable(self) -> bool:
        return get_origin(self.kind) is tuple

    @property
    def choices(self) -> tuple[str, ...]:
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    @property
    def key(self) -> str:
        return self.name.removesuffix("s") if self.repeatable else self.name

    @property
    def flag(self) -> str:
        return "--" + self.key.replace("_", "-")

    @property
    def env(self) -> str:
        return ENV_PREFIX + self.name.upper()

    @property
    def default_text(self) -> str | None:
        """The default as `--help` shows it; None if it shows none."""
        if self.shown is not None:
            return self.shown
        if self.kind is bool:
            return "on" if self.default else "off"
        return str(self.default) if self.default not in (None, (), {}) else None

    @property
    def wanted(self) -> str:
        """The valid values, as a phrase to follow "is not"."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind is bool:
            return "true or false"
        if self.kind in (int, int | None, float, Decimal):
            return ("a number" if self.kind in (float, Decimal) else "a whole number") + self._span()
        return "a list of texts" if self.repeatable else "text"

    def _span(self) -> str:
        if self.most is not None:
            return f" from {self.least} to {self.most}"
        return f", {self.least} or more" if self.least is not None else ""


def _option(field: Field[Any], kind: Any) -> Option:
    meta = field.metadata
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return Option(
        field.name,
        kind,
        default,
        meta["meaning"],
        "|".join(get_args(kind)) if get_origin(kind) is Literal else meta["metavar"],
        meta["group"],
        meta["shown"],
        meta["flag"],
        meta.get("least"),
        meta.get("most"),
    )


def _without_none(kind: Any) -> Any:
    """`X` of `X | None`."""
    parts = [part for part in get_args(kind) if part is not NoneType]
    return parts[0] if NoneType in get_args(kind) and len(parts) == 1 else kind


_KINDS = get_type_hints(Settings)
OPTIONS: tuple[Option, ...] = tuple(_option(field, _without_none(_KINDS[field.name])) for field in fields(Settings))


def setting_flags() -> tuple[Flag, ...]:
    """The flags of every setting that has one."""
    return tuple(_flag(option) for option in OPTIONS if option.in_flags)


def _flag(option: Option) -> Flag:
    facts = f"{option.env} · default {option.default_text}" if option.default_text else option.env
    metavar = None if option.kind is bool else option.metavar
    group = option.group or "Options"
    return Flag(option.name, option.flag, option.meaning, metavar, facts, group, option.repeatable)
