"""The settings filled from flags, the environment and a TOML file; a flag counts most, a default least.

In the environment a setting that can be given repeatedly is a list with commas between, or a JSON array; an empty
variable counts as none. In the file a key is a flag's name, with `_` or `-`, or the variable's name without its prefix.
"""

import os
import ssl
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, create_model
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from mockserver.cli.checks import prepare
from mockserver.cli.options import ENV_PREFIX, OPTIONS, Option
from mockserver.settings import Settings

_BY_NAME = {option.name: option for option in OPTIONS}
_BY_KEY = {key: option for option in OPTIONS for key in (option.name, option.key)}


class BadSetting(ValueError):
    """A setting that makes no sense: one line that says which, whence, and what would be right."""


def load(flags: Mapping[str, Any], config: str | None) -> Settings:
    """The settings: `flags` by the settings' names, then the environment, then the TOML file `config`, then defaults.

    Raises:
        BadSetting: at the first value that makes no sense.
    """
    file = {} if config is None else read_file(config)
    try:
        filled = _model(file)(**flags)
    except ValidationError as error:
        raise BadSetting(_explain(error, flags, config)) from None
    settings = Settings(**{name: getattr(filled, name) for name in _BY_NAME})
    _check_tls(settings)
    return settings


def _model(file: Mapping[str, Any]) -> type[BaseSettings]:
    """`Settings` as a model whose sources are its arguments, the environment and the values of a file."""

    class Sources(BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="forbid", enable_decoding=False, validate_default=False
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, dict(file))

    fields: dict[str, Any] = {option.name: _field(option) for option in OPTIONS}
    return create_model("Filled", __base__=Sources, **fields)


def _field(option: Option) -> tuple[Any, Any]:
    limits = [Field(ge=option.least, le=option.most)] if option.least is not None else []
    return Annotated[option.kind, *limits, BeforeValidator(partial(prepare, option))], option.default


def read_file(path: str) -> dict[str, Any]:
    """The values of a TOML file by the settings' names. Raises BadSetting."""
    try:
        with open(path, "rb") as file:
            values = tomllib.load(file, parse_float=Decimal)
    except OSError as error:
        raise BadSetting(f"--config {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadSetting(f"--config {path}: this is no valid TOML: {error!s:.200}") from None
    found: dict[str, Any] = {}
    for key, value in values.items():
        option = _BY_KEY.get(key.replace("-", "_"))
        if option is None:
            raise BadSetting(_unknown_key(key, path))
        if option.name in found:
            raise BadSetting(f"{path}: {option.key} is given twice, in two spellings")
        found[option.name] = value
    return found


def _unknown_key(key: str, path: str) -> str:
    keys = [option.key for option in OPTIONS]
    close = get_close_matches(key.replace("-", "_"), keys, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{path}: there is no setting {key!r:.60}; {hint}there are {', '.join(keys)}"


def _explain(error: ValidationError, flags: Mapping[str, Any], path: str | None) -> str:
    first = error.errors(include_url=False)[0]
    option = _BY_NAME[str(first["loc"][0])]
    bad = f"{first['input']!s:.60} is not {option.wanted}"
    return f"{_whence(option, flags, path)}: {first['ctx']['error'] if first['type'] == 'value_error' else bad}"


def _whence(option: Option, flags: Mapping[str, Any], path: str | None) -> str:
    if option.name in flags:
        return option.flag
    return option.env if os.environ.get(option.env) else f"{option.key} in {path}"


def _check_tls(settings: Settings) -> None:
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise BadSetting("--tls-cert and --tls-key go together: the certificate chain and its private key, both PEM")
    for flag, path in (("--tls-cert", cert), ("--tls-key", key)):
        try:
            open(path, "rb").close()
        except OSError as error:
            raise BadSetting(f"{flag} {path}: {error.strerror}") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError):
        raise BadSetting(f"--tls-cert {cert}, --tls-key {key}: no PEM certificate with its unencrypted key") from None
