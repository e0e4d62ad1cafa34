"""The composition root: settings in, a server's request handler out; and the index of every mount."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, TypeVar

from aiohttp.web import BaseRequest, StreamResponse

from mockserver import middleware
from mockserver.call import Call, Mount
from mockserver.engine.accounts import account_id
from mockserver.engine.clock import Clock, Entropy, SystemClock, VirtualClock
from mockserver.engine.engine import Engine, Plan
from mockserver.engine.journal import Exchange
from mockserver.engine.latency import Latency
from mockserver.engine.outbound import Routing, parse_route
from mockserver.engine.problems import Kind, Problem
from mockserver.faults.book import Book
from mockserver.faults.gate import Gate
from mockserver.front import Front
from mockserver.origins import Origins, authority, host_name, joined
from mockserver.providers.base import Provider, Route, discover
from mockserver.routing import Router
from mockserver.settings import Settings

if TYPE_CHECKING:
    from mockserver.control.routes import Control

V = TypeVar("V")


class App:
    """Every mount of one server. `handle` answers a request; `start` and `stop` frame it, in the serving loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.requests = 0
        self.providers = discover()
        _check_providers_named(settings, self.providers)
        self.mounts = {provider.name: _mount(provider, settings) for provider in self.providers}
        by_name = {provider.name: provider for provider in self.providers}
        self.engine = Engine(_plan(settings, self.providers), by_name)
        self.book = Book(by_name)
        self.gate = Gate(self.book, self.engine)
        self.engine.courier.disturb = self.gate.disturb
        self._hosts = {host: provider.name for provider in self.providers for host in provider.hosts}
        self._routers = {provider.name: Router(provider.routes) for provider in self.providers}
        self._callers = {name: lru_cache(4096)(partial(_caller, mount)) for name, mount in self.mounts.items()}
        self.origins = Origins(settings, frozenset(self._hosts))
        self.front = Front(self.providers, self.origins)

    @cached_property
    def control(self) -> "Control":
        """The control surface, imported when it is first called: many a server never is."""
        from mockserver.control.routes import Control

        return Control(self.engine, self.mounts, self.book, self.origins)

    def start(self) -> None:
        """Run what falls due, from now on."""
        self.engine.start()

    async def stop(self) -> None:
        await self.engine.stop()

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer a request: a provider by path prefix or by `Host`, the control surface, or the front page."""
        self.requests += 1
        place = authority(request)
        name, path = self._locate(request.path, place)
        if name is not None:
            found, params = self._routers[name].find(request.method, path)
            return await found.serve(self._call(request, name, found.route, params, place))
        if path.startswith("/_mock/"):
            return await self.control.handle(request, path)
        return self.front.answer(request)

    def broken(self, request: BaseRequest, method: str, path: str, host: str) -> StreamResponse:
        """Answer what is no HTTP request at all, in the shape of the provider whose address it bears."""
        name, _ = self._locate(path, host)
        if name is None:
            return self.front.broken()
        call = self._call(request, name, None, {}, host)
        call.exchange.method, call.exchange.path = method, path
        response = middleware.refusal(call, Problem(Kind.MALFORMED_BODY, "this is not a valid HTTP request"))
        call.exchange.status = response.status
        response.headers["x-request-id"] = call.request_id
        for observer in self.engine.observers:
            observer(call.exchange)
        return response

    def _locate(self, path: str, host: str) -> tuple[str | None, str]:
        """The provider that a path or a `Host` names, and the documented path there; None if they name none."""
        first, slash, rest = path[1:].partition("/")
        if first in self.mounts:
            return first, slash + rest
        return self._hosts.get(host_name(host)), path

    def _call(
        self, request: BaseRequest, name: str, route: Route | None, params: Mapping[str, str], place: str
    ) -> Call:
        mount, engine = self.mounts[name], self.engine
        key, account = self._callers[name](request.headers.get("Authorization", ""))
        if key:
            engine.accounts.know(account, key)
        request_id = engine.request_id(name, account or self._owner(name, params))
        exchange = Exchange(request_id, engine.now(), name, account, request.method, request.raw_path, request.headers)
        engine.store.exchanges.put(request_id, exchange)
        engine.store.exchanges.retire(request_id)
        origin = joined(self.origins.root(request, place), name)
        return Call(request, mount, engine, route, params, origin, key, account, request_id, exchange, self.gate)

    def _owner(self, name: str, params: Mapping[str, str]) -> str:
        """Whose task a call without a key is about, a picture's say; "" if nobody's."""
        task = self.engine.find(name, params["task_id"]) if "task_id" in params else None
        return task.job.account if task is not None else ""


def create_app(settings: Settings | None = None) -> App:
    """Every provider, the control surface and the engine behind them.

    Raises:
        ValueError: for a setting that makes no sense, in a sentence that says what would.
    """
    return App(settings or Settings())


def _caller(mount: Mount, authorization: str) -> tuple[str, str]:
    """The key of an `Authorization` header and its account, if the key is valid at a mount; else "" and ""."""
    key = bearer(authorization)
    return (key, account_id(key)) if mount.accepts(key) else ("", "")


def bearer(header: str) -> str:
    """The token of an `Authorization: Bearer …` header; "" if it is no such header."""
    scheme, _, rest = header.partition(" ")
    token = rest.strip()
    return token if scheme.lower() == "bearer" and not any(map(str.isspace, token)) else ""


def _plan(settings: Settings, providers: tuple[Provider, ...]) -> Plan:
    new_clock: Callable[[], Clock] = VirtualClock if settings.clock == "virtual" else SystemClock
    opening = {provider.name: _amount(provider, settings.balance, "balance") for provider in providers}
    routing = Routing(tuple(map(parse_route, settings.callback_routes)), settings.callback_egress)
    return Plan(new_clock, Entropy(settings.seed), Latency.parse(settings.latency), opening, routing, settings.autojump)


def _amount(provider: Provider, amount: Decimal | str, what: str) -> int:
    try:
        minor = provider.currency.minor(amount)
    except ValueError as error:
        raise ValueError(f"{what} of {provider.name}: {error}") from None
    if minor < 0:
        raise ValueError(f"{what} of {provider.name}: {amount} is negative")
    return minor


def _mount(provider: Provider, settings: Settings) -> Mount:
    prices = {**provider.prices, **_overrides(settings.prices, provider, provider.prices, "price")}
    latencies = {**provider.latencies, **_overrides(settings.latencies, provider, provider.latencies, "latency")}
    return Mount(
        provider,
        {name: _amount(provider, price, f"price {name}") for name, price in prices.items()},
        latencies,
        settings.pixels == "exact",
        frozenset(settings.api_keys),
        settings.max_body,
    )


def _check_providers_named(settings: Settings, providers: tuple[Provider, ...]) -> None:
    names = [provider.name for provider in providers]
    for name in (*settings.prices, *settings.latencies):
        if name not in names:
            raise ValueError(f"there is no provider {name!r}; there are {', '.join(names)}")


def _overrides(
    given: Mapping[str, Mapping[str, V]], provider: Provider, known: Mapping[str, V], what: str
) -> Mapping[str, V]:
    """What the settings override for a provider. Raises ValueError for a name that it does not have."""
    own = given.get(provider.name, {})
    for name in own:
        if name not in known:
            raise ValueError(f"{provider.name} has no {what} {name!r}; there are {', '.join(known)}")
    return own
