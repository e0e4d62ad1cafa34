"""Converts and checks the values of settings. Every function raises ValueError for an invalid value."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from mockserver.cli.options import Option
from mockserver.cli.output import without_password
from mockserver.engine.latency import LONGEST, Latency
from mockserver.engine.outbound import parse_route

HIGHEST_PRICE = 10**12
_MOST_DIGITS = 18
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([KMGT]?)(?:iB|B)?", re.IGNORECASE)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@,]{1,260}", re.IGNORECASE)
_HOST = re.compile(r"[^\s/@?#,]{1,253}")
_STORE = re.compile(r"sqlite:///.+|(redis|valkey)s?://.+|unix://.+")
_TRUE, _FALSE = ("true", "1", "yes", "y", "on", "t"), ("false", "0", "no", "n", "off", "f")
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def convert(option: Option, value: Any) -> Any:
    """A raw value from a flag, a variable or a file, checked and converted to the setting's type.

    Raises:
        ValueError: its text is to be printed after the value's source, as in "--port: 99999 is not …".
    """
    if option.name in _TABLES:
        return _TABLES[option.name](_from_json(value))
    if option.repeatable:
        return tuple(_check(option.name, item) for item in _listed(value))
    if option.kind is bool:
        return _truth(option, value)
    if isinstance(value, bool) or (isinstance(value, int | Decimal) and option.kind is str):
        value = str(value)
    value = _check(option.name, value)
    if option.kind in (int, float, Decimal):
        return _number(option, value)
    if not isinstance(value, str) or (option.choices and value not in option.choices):
        raise _unfit(option, value)
    return value


def _unfit(option: Option, value: Any) -> ValueError:
    return ValueError(f"{value!s:.60} is not {option.wanted}")


def _truth(option: Option, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _TRUE + _FALSE:
        raise _unfit(option, value)
    return word in _TRUE


def _number(option: Option, value: Any) -> Any:
    """A number of the option's type, between its limits."""
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
        good = number.is_finite() and number.adjusted() <= _MOST_DIGITS
        good = good and (option.least is None or number >= option.least)
        good = good and (option.most is None or number <= option.most)
        good = good and (option.kind is not int or number == int(number))
    except (ArithmeticError, TypeError, ValueError):
        good = False
    if not good:
        raise _unfit(option, value)
    return option.kind(number)


def _from_json(value: Any) -> Any:
    try:
        return json.loads(value, parse_float=Decimal) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None


def _listed(value: Any) -> list[Any]:
    """The items of a list, of a JSON array, or of a comma-separated text."""
    if isinstance(value, str):
        value = (
            _from_json(value)
            if value.lstrip().startswith("[")
            else list(filter(None, map(str.strip, value.split(","))))
        )
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of texts")
    return value


def _check(name: str, value: Any) -> Any:
    if isinstance(value, str) and not value.strip() and name != "seed":
        raise ValueError("is empty")
    check = _CHECKS.get(name)
    return check(value) if check and isinstance(value, str) else value


def _origin(text: str) -> str:
    """An origin as a browser sends it, or `*`."""
    if text != "*" and not _ORIGIN.fullmatch(text):
        raise ValueError(
            f"{text[:100]} is not an origin: write SCHEME://HOST or SCHEME://HOST:PORT, without a path, or *"
        )
    return text


def _token(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("must be printable ASCII without spaces, so that a header can contain it")
    return text


def _latency(text: str) -> str:
    Latency.parse(text)
    return text


def _route(text: str) -> str:
    source, destination = parse_route(text)
    address(source)
    address(destination)
    return text


def address(text: str) -> str:
    """An http(s) URL without a slash at its end."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(char.isspace() for char in text) or parts.query or parts.fragment:
        raise ValueError(f"{text!r:.100} is not a URL: write one like https://mock.example.com or http://mock:8080")
    return text.rstrip("/")


def _store(text: str) -> str:
    if text != "memory" and not _STORE.match(text):
        raise ValueError(
            f"{without_password(text)!r:.100} is not a store: use memory, sqlite:///FILE, redis://HOST:PORT/DB, or "
            "rediss, valkey, valkeys or unix in place of redis"
        )
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r:.100} is not a host: write only its name, as in mock.example.com")
    return text


def _key(text: str) -> str:
    if any(char.isspace() for char in text):
        raise ValueError("an API key must not contain spaces")
    return text


def _size(text: str) -> str:
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r:.60} is not a size: write bytes, or a text such as 32MB")
    return str(int(Decimal(match[1]) * 1024 ** _POWERS[match[2].upper()]))


def _tables(value: Any, what: str) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
        raise ValueError(f"must be a table of {what} for each provider, as [prices.PROVIDER] and [latencies.PROVIDER]")
    return value


def _prices(value: Any) -> dict[str, dict[str, str]]:
    tables = _tables(value, "prices")
    return {
        provider: {name: _price(name, price) for name, price in table.items()} for provider, table in tables.items()
    }


def _price(name: str, value: Any) -> str:
    try:
        good = not isinstance(value, bool) and 0 <= Decimal(value) <= HIGHEST_PRICE
    except (ArithmeticError, TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"the price of {name!r:.60} must be a number, 0 or more")
    return str(value)


def _latencies(value: Any) -> dict[str, dict[str, tuple[float, float]]]:
    tables = _tables(value, "durations")
    return {provider: {name: _range(name, span) for name, span in table.items()} for provider, table in tables.items()}


def _range(name: str, value: Any) -> tuple[float, float]:
    try:
        low, high = map(float, value)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not 0 <= low <= high <= LONGEST:
        raise ValueError(f"the duration {name!r:.60} must be [shortest, longest] in seconds")
    return low, high


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "latency": _latency,
    "callback_routes": _route,
    "public_url": address,
    "allowed_hosts": _host,
    "allow_hosts": _host,
    "api_keys": _key,
    "max_body": _size,
    "max_snapshot": _size,
    "cors_origins": _origin,
    "control_token": _token,
    "store": _store,
}
_TABLES: Mapping[str, Callable[[Any], Any]] = {"prices": _prices, "latencies": _latencies}
