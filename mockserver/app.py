"""Builds the server from its settings, and finds the provider of each request."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp.web import BaseRequest, Response, StreamResponse

from mockserver.engine.accounts import account_id
from mockserver.engine.clock import Clock, Entropy, SystemClock, VirtualClock
from mockserver.engine.engine import Engine, EngineConfig
from mockserver.engine.journal import Exchange
from mockserver.engine.latency import Latency, Range
from mockserver.engine.outbound import Routing, parse_route
from mockserver.engine.problems import Kind, Problem, StoreUnavailable
from mockserver.engine.store import Bounds
from mockserver.engine.store.opening import open_store
from mockserver.faults.injector import FaultInjector
from mockserver.faults.rules import FaultRules
from mockserver.http import middleware
from mockserver.http.body import RequestBody
from mockserver.http.connection import Connection
from mockserver.http.context import Mount, RequestContext, Route
from mockserver.http.index_page import IndexEntry, IndexPage
from mockserver.http.public_urls import PublicUrls, host_name, is_loopback
from mockserver.http.request_head import RequestLine
from mockserver.http.routing import UNKNOWN_PATH, ResolvedRoute, Router
from mockserver.providers.base import Provider, discover
from mockserver.settings import Settings

if TYPE_CHECKING:
    from mockserver.control.routes import Control
    from mockserver.scenarios.in_force import ScenariosInForce

V = TypeVar("V")

_Found = tuple[str | None, str, ResolvedRoute, Mapping[str, str]]

LONGEST_REMEMBERED, FOUND_REMEMBERED = 200, 1024
"""Routes that were found are remembered for so many different requests, of targets of at most so many characters."""

_PROBES = ("/healthz", "/readyz")
"""Paths of liveness and readiness probes; they are answered under any Host."""


class App:
    """One server's providers, engine and control surface. Call `start` and `stop` in the event loop that serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.max_body = settings.max_body
        self.body_timeout = float(settings.body_timeout)
        self.requests = 0
        self.providers = discover()
        _check_providers_named(settings, self.providers)
        self.mounts = {provider.name: _mount(provider, settings) for provider in self.providers}
        by_name = {provider.name: provider for provider in self.providers}
        self.rules = FaultRules(by_name, lambda: self.engine.store.steering)
        self.engine = Engine(_engine_config(settings, self.providers, self.rules), by_name)
        self.injector = FaultInjector(self.rules, self.engine)
        self.engine.dispatcher.delivery_fault = self.injector.delivery_fault
        self._hosts = {host: provider.name for provider in self.providers for host in provider.hosts}
        self._described = {f"/{provider.name}/openapi.json": provider for provider in self.providers}
        self._routers = {provider.name: Router(provider.routes) for provider in self.providers}
        self._find = lru_cache(FOUND_REMEMBERED)(self._found)
        self._callers = {name: lru_cache(4096)(partial(_caller, mount)) for name, mount in self.mounts.items()}
        self.public_urls = PublicUrls(settings, frozenset(self._hosts))
        self.index_page = IndexPage(self._index_entries, self.public_urls)
        if settings.watch and not settings.scenarios:
            raise ValueError("--watch needs a --scenario to watch")
        self.scenarios = self._scenarios(by_name) if settings.scenarios else None
        self.engine.begun = self.scenarios.begin if self.scenarios else None
        self.went_on = False
        """Whether the store had records at the start, and the server goes on with them."""

    def _scenarios(self, providers: Mapping[str, Provider]) -> "ScenariosInForce":
        """The scenarios of the settings, in force. Raises BadScenario."""
        from mockserver.scenarios.in_force import ScenariosInForce

        def set_mounts(prices: Mapping[str, Mapping[str, str]], latencies: Mapping[str, Mapping[str, Range]]) -> None:
            given = self.settings
            for provider in self.providers:
                name = provider.name
                own_prices = {**prices.get(name, {}), **given.prices.get(name, {})}
                own_latencies = {**latencies.get(name, {}), **given.latencies.get(name, {})}
                merged = replace(given, prices={name: own_prices}, latencies={name: own_latencies})
                self.mounts[name] = _mount(provider, merged)

        return ScenariosInForce(self.settings.scenarios, self.engine, self.rules, providers, set_mounts)

    def _index_entries(self, root: str) -> list[IndexEntry]:
        return [provider.index_entry(root) for provider in self.providers]

    @cached_property
    def control(self) -> "Control":
        """The control surface, imported at its first call to keep the start short."""
        from mockserver.control.access import Access
        from mockserver.control.routes import Control

        access = Access(self.public_urls, self.settings.control_token, is_loopback(self.settings.host))
        begin = self.scenarios.begin if self.scenarios else None
        largest = self.settings.max_snapshot
        return Control(self.engine, self.mounts, self.providers, self.rules, self.public_urls, access, largest, begin)

    async def start(self) -> None:
        """Open the store and begin to run due events. What the settings put in force is for a store that was empty.

        Raises:
            StoreUnavailable: the store can't be opened.
        """
        self.went_on = not await self.engine.start()
        if not self.went_on and self.scenarios is not None:
            await self.scenarios.begin()

    def interrupt(self) -> None:
        """Answer every waiting call with a 503, because the server is about to stop."""
        self.engine.waiters.interrupt()
        self.engine.event_runner.interrupt()

    async def stop(self) -> None:
        await self.engine.stop()

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer a request: a provider by path prefix or by `Host`, the control surface, or the index page."""
        self.requests += 1
        host = self.public_urls.authority(request)
        target = request.raw_path if request.method == "CONNECT" else request.path  # aiohttp reads a host from it
        method = request.method
        if len(target) <= LONGEST_REMEMBERED:
            name, path, resolved, params = self._find(method, target, host)
        else:
            name, path, resolved, params = self._found(method, target, host)
        if name is not None:
            if target in self._described and method in ("GET", "HEAD"):
                return await self._describe(request, self._described[target])
            handler, caller = resolved.handler, self._caller(request, name)
            try:
                exchange = await self._open_exchange(request, name, caller[1], params.get("task_id"))
            except StoreUnavailable as problem:
                exchange, handler = self._unrecorded(request, name, caller[1]), partial(_refuse, problem)
            context = self._context(request, exchange, resolved.route, params, host, caller[0])
            return await middleware.answer(context, handler)
        if path in _PROBES:
            return self.index_page.probe(request)
        if path == "/llms.txt":
            return self.index_page.llms(request)
        if path == "/_mock":
            return Response(status=302, headers={"Location": "/_mock/"})
        if path.startswith("/_mock/"):
            return await self.control.handle(request, path)
        return self.index_page.answer(request)

    async def _describe(self, request: BaseRequest, provider: Provider) -> Response:
        """A provider's OpenAPI description: this server's own answer, so no call to the provider is put on record."""
        from mockserver.openapi.serving import answer

        root = self.public_urls.root(request)
        return await answer(lambda: self.description(provider.name, root))

    def description(self, name: str, root: str) -> dict[str, Any]:
        """The OpenAPI description of a provider, or of the control surface by the name "control", at a root URL.

        Raises:
            NotInstalled: without openapi-pydantic.
        """
        from mockserver.openapi.serving import CONTROL, of_provider

        if name == CONTROL:
            return self.control.description(root)
        return of_provider(next(provider for provider in self.providers if provider.name == name), root)

    async def answer_malformed(self, request: BaseRequest, line: RequestLine, problem: Problem) -> StreamResponse:
        """Answer an invalid or too slow HTTP request in the error shape of the provider that its request line names."""
        name, _ = self._locate(line.path, line.host)
        if name is None:
            return self.index_page.malformed_request(timed_out=problem.kind is Kind.REQUEST_TIMEOUT)
        key, account = self._caller(request, name)
        try:
            exchange = await self._open_exchange(request, name, account)
        except StoreUnavailable:
            exchange = self._unrecorded(request, name, account)
        context = self._context(request, exchange, None, {}, line.host, key)
        context.exchange.method, context.exchange.path = line.method, line.path
        response = middleware.refusal_response(context, problem)
        await middleware.finish_entry(context, response)
        return response

    def answer_crash(self, where: str, error: BaseException | None) -> StreamResponse:
        """Answer a request whose handling crashed outside every provider, and record the crash."""
        if error is not None:
            self.engine.defects.add(where, error)
        return self.index_page.internal_error()

    def _found(self, method: str, target: str, host: str) -> _Found:
        """The provider's name and the path as `_locate` finds them, the route, and the path's variable parts."""
        name, path = self._locate(target, host)
        return (name, path, *(self._routers[name].find(method, path) if name is not None else (UNKNOWN_PATH, {})))

    def _locate(self, path: str, host: str) -> tuple[str | None, str]:
        """The provider's name by path prefix or by `Host` (None if there is none), and the path without the prefix."""
        first, slash, rest = path[1:].partition("/")
        if first in self.mounts:
            return first, slash + rest
        return self._hosts.get(host_name(host)), path

    def _caller(self, request: BaseRequest, name: str) -> tuple[str, str]:
        """The key of a request to a provider, and its account; "" and "" without a valid key."""
        key, account = found = self._callers[name](request.headers.get("Authorization", ""))
        if key:
            self.engine.known_keys.know(account, key)
        return found

    def _open_exchange(
        self, request: BaseRequest, name: str, account: str, task_id: str | None = None
    ) -> Awaitable[Exchange]:
        """Put a request on record that has arrived. Raises StoreUnavailable."""
        if task_id is not None and not account:
            return self._open_for_owner(request, name, task_id)
        return self.engine.open_exchange(account, name, account, request.method, request.raw_path, request.headers)

    async def _open_for_owner(self, request: BaseRequest, name: str, task_id: str) -> Exchange:
        """As `_open_exchange`, counted towards the owner of the task in the path: a picture's URL has no key."""
        task = await self.engine.find(name, task_id)
        counted = task.job.account if task is not None else ""
        return await self.engine.open_exchange(counted, name, "", request.method, request.raw_path, request.headers)

    def _unrecorded(self, request: BaseRequest, name: str, account: str) -> Exchange:
        """A request that is not put on record, because the store is away; its id is drawn at random."""
        request_id, now = Entropy().draw("request").uuid(), self.engine.now()
        return Exchange(request_id, now, name, account, request.method, request.raw_path, request.headers)

    def _context(
        self,
        request: BaseRequest,
        exchange: Exchange,
        route: Route | None,
        params: Mapping[str, str],
        host: str,
        key: str,
    ) -> RequestContext:
        """The context of a request for its handler."""
        if isinstance(request.protocol, Connection):
            request.protocol.exchange = exchange
        mount, engine = self.mounts[exchange.provider], self.engine
        urls, account = self.public_urls, exchange.account
        body = RequestBody(request, exchange, mount.max_body)
        return RequestContext(
            request, mount, engine, route, params, urls, host, key, account, exchange, body, self.injector
        )


async def _refuse(problem: StoreUnavailable, context: RequestContext) -> StreamResponse:
    """Refuse a request, whatever it is, with a problem."""
    raise problem


def create_app(settings: Settings | None = None) -> App:
    """Create an `App`.

    Raises:
        ValueError: for an invalid setting; the message says which values are valid.
    """
    return App(settings or Settings())


def _caller(mount: Mount, authorization: str) -> tuple[str, str]:
    """The key of an `Authorization` header and its account, if the key is valid at a mount; else "" and ""."""
    key = bearer(authorization)
    return (key, account_id(key)) if mount.accepts(key) else ("", "")


def bearer(header: str) -> str:
    """The token of an `Authorization: Bearer …` header; "" if the header has another form."""
    scheme, _, rest = header.partition(" ")
    token = rest.strip()
    return token if scheme.lower() == "bearer" and not any(map(str.isspace, token)) else ""


def _engine_config(settings: Settings, providers: tuple[Provider, ...], rules: FaultRules) -> EngineConfig:
    new_clock: Callable[[], Clock] = VirtualClock if settings.clock == "virtual" else SystemClock
    opening = {provider.name: _amount(provider, settings.balance, "balance") for provider in providers}
    bounds = Bounds(settings.keep_tasks, settings.keep_requests, settings.keep_callbacks, settings.keep_accounts)
    store = open_store(settings.store, opening, bounds, rules.form())
    routing = Routing(tuple(map(parse_route, settings.callback_routes)), settings.callback_egress, settings.callback_to)
    return EngineConfig(
        new_clock, Entropy(settings.seed), Latency.parse(settings.latency), store, routing, settings.autojump
    )


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
        settings.store_sync_tasks,
        frozenset(origin.lower() for origin in settings.cors_origins),
    )


def _check_providers_named(settings: Settings, providers: tuple[Provider, ...]) -> None:
    names = [provider.name for provider in providers]
    for name in (*settings.prices, *settings.latencies):
        if name not in names:
            raise ValueError(f"there is no provider {name!r}; there are {', '.join(names)}")


def _overrides(
    given: Mapping[str, Mapping[str, V]], provider: Provider, known: Mapping[str, V], what: str
) -> Mapping[str, V]:
    """The settings' prices or latencies for a provider. Raises ValueError for a name unknown to the provider."""
    own = given.get(provider.name, {})
    for name in own:
        if name not in known:
            raise ValueError(f"{provider.name} has no {what} {name!r}; there are {', '.join(known)}")
    return own
