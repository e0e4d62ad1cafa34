"""Reads scenarios: a shipped one by its name, another by its file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from mockserver.control.control_request import first_error
from mockserver.control.models import AccountChange, Body, RouteBody, SinkScript
from mockserver.engine.latency import LONGEST, Latency
from mockserver.engine.ledger import Currency
from mockserver.engine.outbound import parse_route
from mockserver.engine.store.steering import MemorySteering
from mockserver.faults.rules import BadRule, FaultRules
from mockserver.providers.base import Provider
from mockserver.scenarios.toml_lines import line_of

FOLDER = Path(__file__).parent
LARGEST_FILE = 1024 * 1024
"""Bytes of a scenario file."""


class BadScenario(ValueError):
    """A scenario that can't be used: one line with file, line and reason."""


class AccountTerms(AccountChange):
    """What an account opens with. Without `provider` at every provider, without `key` for every key."""

    provider: str | None = None
    key: str | None = None


Seconds = Annotated[float, Field(ge=0, le=LONGEST)]
Price = Annotated[float, Field(ge=0, le=10**12)] | str


class Scenario(Body):
    """The form of a scenario file. `faults` are rules as `POST /_mock/faults` takes them."""

    description: str = ""
    latency: str | None = None
    faults: list[dict[str, Any]] = Field(default_factory=list)
    accounts: list[AccountTerms] = Field(default_factory=list)
    routes: list[RouteBody] = Field(default_factory=list)
    sinks: dict[str, SinkScript] = Field(default_factory=dict)
    latencies: dict[str, dict[str, tuple[Seconds, Seconds]]] = Field(default_factory=dict)
    prices: dict[str, dict[str, Price]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario's text, and the name under which messages name it."""

    name: str
    text: str

    def error(self, place: tuple[str | int, ...], reason: str) -> BadScenario:
        return BadScenario(f"scenario {self.name}, line {line_of(self.text, place)}: {reason}")


def shipped() -> dict[str, Path]:
    """The files of the scenarios that have a name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def path_of(name: str) -> Path:
    """The file of a scenario's name, or the file that is named. Raises BadScenario."""
    known = shipped()
    if name in known:
        return known[name]
    if "/" not in name and "\\" not in name and not name.endswith(".toml"):
        raise BadScenario(f"there is no scenario {name!r:.60}; there are {', '.join(known)}, or name a .toml file")
    return Path(name)


def read(name: str, providers: Mapping[str, Provider]) -> Scenario:
    """A scenario by its name or its file, with everything in it checked. Raises BadScenario."""
    source = _source(name)
    try:
        values = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadScenario(f"scenario {name}: this is no valid TOML: {error!s:.200}") from None
    try:
        scenario = Scenario.model_validate(values)
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        raise source.error(place, first_error(error, Scenario if len(place) == 1 else None)) from None
    _check_faults(source, scenario, providers)
    _check_providers(source, scenario, providers)
    _check_delivery(source, scenario)
    return scenario


def _source(name: str) -> Source:
    path = path_of(name)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise BadScenario(f"scenario {name}: the file is larger than 1 MB")
        return Source(name, data.decode())
    except OSError as error:
        raise BadScenario(f"scenario {name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadScenario(f"scenario {name}: this is no UTF-8 text") from None


def _check_faults(source: Source, scenario: Scenario, providers: Mapping[str, Provider]) -> None:
    rules = FaultRules(providers, MemorySteering)
    for number, rule in enumerate(scenario.faults):
        try:
            rules.read(f"fault-{number + 1}", rule)
        except BadRule as error:
            raise source.error(("faults", number), f"{error}.") from None
        except ValidationError as error:
            raise source.error(("faults", number), first_error(error)) from None


def _check_providers(source: Source, scenario: Scenario, providers: Mapping[str, Provider]) -> None:
    """Check the names of providers, prices and durations, and every amount in its provider's unit."""
    for number, account in enumerate(scenario.accounts):
        place = ("accounts", number)
        if account.provider is not None:
            _check_name(source, (*place, "provider"), account.provider, providers)
        for name in [account.provider] if account.provider else providers:
            for part in ("balance", "quota"):
                if (amount := getattr(account, part)) is not None:
                    _check_amount(source, (*place, part), str(amount), providers[name].currency)
    for noun, tables in (("latencies", scenario.latencies), ("prices", scenario.prices)):
        for name, table in tables.items():
            _check_name(source, (noun, name), name, providers)
            known: Mapping[str, Any] = getattr(providers[name], noun)
            for key, value in table.items():
                if key not in known:
                    reason = f"{name} has no {key!r:.60} here; there are {', '.join(known)}."
                    raise source.error((noun, name, key), reason)
                if isinstance(value, tuple) and value[0] > value[1]:
                    raise source.error((noun, name, key), "a duration is [shortest, longest] in seconds.")
                if not isinstance(value, tuple):
                    _check_amount(source, (noun, name, key), str(value), providers[name].currency)


def _check_name(source: Source, place: tuple[str | int, ...], name: str, providers: Mapping[str, Provider]) -> None:
    if name not in providers:
        raise source.error(place, f"there is no provider {name!r:.60}; there are {', '.join(providers)}.")


def _check_amount(source: Source, place: tuple[str | int, ...], amount: str, currency: Currency) -> None:
    try:
        if currency.minor(amount) < 0:
            raise ValueError(f"{amount} is negative")
    except ValueError as error:
        raise source.error(place, f"{error}.") from None


def _check_delivery(source: Source, scenario: Scenario) -> None:
    """Check the routes and the latency profile."""
    for number, route in enumerate(scenario.routes):
        try:
            parse_route(f"{route.source}={route.to}")
        except ValueError as error:
            raise source.error(("routes", number), f"{error}.") from None
    if scenario.latency is not None:
        try:
            Latency.parse(scenario.latency)
        except ValueError as error:
            raise source.error(("latency",), f"{error}.") from None
