"""Reads the settings from flags, environment variables and a TOML file, in this order of precedence.

In a variable, a repeatable setting is a comma-separated list or a JSON array; an empty variable counts as unset. A key
of the file is a flag's name, with `_` or `-`, or a variable's name without its prefix.
"""

import os
import ssl
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mockserver.cli.checks import convert
from mockserver.cli.options import OPTIONS
from mockserver.settings import Settings

_BY_KEY = {key: option for option in OPTIONS for key in (option.name, option.key)}


class BadSetting(ValueError):
    """An invalid setting; the text is one line with its source and the valid values."""


def load(flags: Mapping[str, Any], config: str | None) -> Settings:
    """The settings: from `flags` (by the settings' names), the environment, the TOML file `config`, or the defaults.

    Raises:
        BadSetting: for the first invalid value.
    """
    file = {} if config is None else read_file(config)
    variables = {name.upper(): value for name, value in os.environ.items() if value}
    values: dict[str, Any] = {}
    for option in OPTIONS:
        given = ((option.flag, flags.get(option.name)), (option.env, variables.get(option.env)))
        for source, value in (*given, (f"{option.key} in {config}", file.get(option.name))):
            if value is not None:
                try:
                    values[option.name] = convert(option, value)
                except ValueError as error:
                    raise BadSetting(f"{source}: {error}") from None
                break
    settings = Settings(**values)
    _check_tls(settings)
    return settings


def read_file(path: str) -> dict[str, Any]:
    """The values of a TOML file by the settings' names. Raises BadSetting."""
    import tomllib  # slow to import, and most servers have no file

    try:
        with open(path, "rb") as file:
            values = tomllib.load(file, parse_float=Decimal)
    except OSError as error:
        raise BadSetting(f"--config {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadSetting(f"--config {path}: this is not valid TOML: {error!s:.200}") from None
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
    from difflib import get_close_matches

    keys = [option.key for option in OPTIONS]
    close = get_close_matches(key.replace("-", "_"), keys, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{path}: there is no setting {key!r:.60}; {hint}there are {', '.join(keys)}"


def _check_tls(settings: Settings) -> None:
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise BadSetting(
            "--tls-cert and --tls-key need each other: the certificate chain and its private key, both PEM"
        )
    for flag, path in (("--tls-cert", cert), ("--tls-key", key)):
        try:
            open(path, "rb").close()
        except OSError as error:
            raise BadSetting(f"{flag} {path}: {error.strerror}") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError):
        raise BadSetting(f"--tls-cert {cert}, --tls-key {key}: no PEM certificate with its unencrypted key") from None
