"""GET /_mock/metrics: counts in Prometheus' text form. Needs prometheus-client.

Nothing is observed until the first call: it counts what is kept so far, and from then on what happens. Counters go on
over a reset. Gauges are read from the records at each call.
"""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping

from aiohttp.web import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from mockserver.control import views
from mockserver.engine.callbacks import Attempt, Delivery
from mockserver.engine.engine import Engine
from mockserver.engine.journal import Exchange
from mockserver.engine.pieces import in_pieces
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.engine.tasks import Task
from mockserver.http.context import Mount
from mockserver.http.routing import Router
from mockserver.providers.base import Provider

_PIECE = 500
"""Records that are counted at once."""


class Metrics:
    """The metrics of one server; `begin` makes them. What other processes of the server do is counted too."""

    def __init__(self, engine: Engine, mounts: Mapping[str, Mount], providers: Iterable[Provider]) -> None:
        self._engine, self._mounts = engine, mounts
        self._routers = {provider.name: Router(provider.routes) for provider in providers}
        self._registry = registry = CollectorRegistry()
        called, charged = ("provider", "route", "status"), ("provider", "currency")
        self._requests = Counter("mockserver_requests", "Requests that were answered.", called, registry=registry)
        self._seconds = Histogram(
            "mockserver_request_duration_seconds", "Real seconds.", ("provider", "route"), registry=registry
        )
        self._attempts = Counter(
            "mockserver_callback_attempts", "Attempts of callbacks.", ("provider", "outcome"), registry=registry
        )
        self._tasks = Gauge("mockserver_tasks", "Tasks kept.", ("provider", "state"), registry=registry)
        self._captured = Gauge("mockserver_money_captured", "Charged to accounts kept.", charged, registry=registry)
        self._held = Gauge("mockserver_money_held", "Held for tasks under way.", charged, registry=registry)
        self._queue = Gauge("mockserver_queue_length", "What is pending.", ("queue",), registry=registry)
        self._dropped = Gauge("mockserver_dropped", "Records dropped by a bound.", ("records",), registry=registry)

    async def begin(self) -> None:
        """Count what is kept so far, and from now on what happens."""
        engine, store = self._engine, self._engine.store
        await engine.elsewhere.watch()
        exchanges, deliveries = await store.entries(Wanted(), EVERYTHING), await store.deliveries(Wanted(), EVERYTHING)
        answered = [exchange for exchange in exchanges[0] if exchange.status is not None]
        for requests in (engine.journal.observers, engine.elsewhere.request_observers):
            requests.append(self._request)
        for attempts in (engine.dispatcher.observers, engine.elsewhere.attempt_observers):
            attempts.append(self._attempt)
        async for some in in_pieces(answered, _PIECE):
            for exchange in some:
                self._request(exchange, None)
        async for few in in_pieces(deliveries[0], _PIECE):
            for delivery in few:
                for attempt in delivery.attempts:
                    self._attempt(delivery, attempt)

    async def answer(self) -> Response:
        """The metrics as text."""
        await self._read_gauges()
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return Response(body=generate_latest(self._registry), headers=headers)

    def _request(self, exchange: Exchange, task: Task | None) -> None:
        if exchange.status is not None:
            route = self._route(exchange)
            self._requests.labels(exchange.provider, route, exchange.status).inc()
            self._seconds.labels(exchange.provider, route).observe(exchange.duration or 0.0)

    def _route(self, exchange: Exchange) -> str:
        """The documented path, so that ids make no label; "unknown" for a path that no route has."""
        path = exchange.path.partition("?")[0].removeprefix(f"/{exchange.provider}")
        route = self._routers[exchange.provider].find(exchange.method, path)[0].route
        return "unknown" if route is None else route.path

    def _attempt(self, delivery: Delivery, attempt: Attempt) -> None:
        outcome = "success" if attempt.outcome.success else "failure"
        self._attempts.labels(delivery.provider, outcome).inc()

    async def _read_gauges(self) -> None:
        engine, now = self._engine, self._engine.now()
        counts: Counts[tuple[str, str]] = Counts()
        async for some in in_pieces((await engine.store.tasks(Wanted(), EVERYTHING))[0], _PIECE):
            counts.update((task.job.provider, task.status_at(now)) for task in some)
        charges = (await views.usage_view(engine, self._mounts, None))["charges"]
        for gauge in (self._tasks, self._captured, self._held):
            gauge.clear()
        for (provider, state), count in counts.items():
            self._tasks.labels(provider, state).set(count)
        for charge in charges:
            self._captured.labels(charge["provider"], charge["currency"]).set(float(charge["captured"]))
            self._held.labels(charge["provider"], charge["currency"]).set(float(charge["held"]))
        pending = await engine.store.pending()
        self._queue.labels("tasks").set(pending.tasks)
        self._queue.labels("callback_attempts").set(pending.attempts)
        for noun, kept in (await engine.store.kept()).items():
            self._dropped.labels(noun).set(kept.dropped)
