"""The control surface: the table of all calls under `/_mock/`, and their dispatch."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiohttp.web import BaseRequest, Response, StreamResponse

from mockserver.control import page
from mockserver.control.access import Access
from mockserver.control.actions import Actions, AfterReset
from mockserver.control.control_request import ControlRequest, Handler, Refusal, bad
from mockserver.control.event_feed import EventFeed
from mockserver.control.har import Har
from mockserver.control.live import Live
from mockserver.control.queries import Queries
from mockserver.engine.engine import Engine
from mockserver.engine.problems import Kind, Problem, StoreUnavailable
from mockserver.engine.text import write_json
from mockserver.faults.rules import FaultRules
from mockserver.http.context import Mount
from mockserver.http.public_urls import PublicUrls
from mockserver.http.routing import path_pattern, without_extra_slashes
from mockserver.openapi.serving import NotInstalled, openapi_needed
from mockserver.providers.base import Provider

if TYPE_CHECKING:
    from mockserver.control.metrics import Metrics

_NO_METRICS = "Metrics need pip install 'image-api-mockserver[metrics]'."


class Control:
    """Answers the calls under `/_mock/`, for the clients that `access` permits."""

    def __init__(
        self,
        engine: Engine,
        mounts: Mapping[str, Mount],
        providers: Sequence[Provider],
        rules: FaultRules,
        public_urls: PublicUrls,
        access: Access,
        max_snapshot: int,
        after_reset: AfterReset | None = None,
    ) -> None:
        self._engine = engine
        self._public_urls = public_urls
        self._access = access
        self._largest = max(mount.max_body for mount in mounts.values())
        queries = Queries(engine, mounts)
        actions = Actions(engine, rules, queries, max_snapshot, after_reset)
        live = Live(engine, providers, public_urls)
        self._providers, self._mounts = providers, mounts
        self._metrics: Metrics | None = None
        self._one_beginning = asyncio.Lock()
        self._feed = EventFeed(engine, queries.request_summary)
        self.routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/_mock/health", queries.health),
            ("GET", "/_mock/openapi.json", self._openapi),
            ("GET", "/_mock/metrics", self._show_metrics),
            ("GET", "/_mock/proxy", self._proxy),
            ("GET", "/_mock/clock", queries.clock),
            ("PUT", "/_mock/clock", actions.set_clock),
            ("POST", "/_mock/clock/advance", actions.advance),
            ("GET", "/_mock/tasks", queries.tasks),
            ("GET", "/_mock/tasks/{id}", queries.task),
            ("GET", "/_mock/callbacks", queries.callbacks),
            ("GET", "/_mock/callbacks/{id}", queries.callback),
            ("POST", "/_mock/callbacks/{id}/redeliver", actions.redeliver),
            ("POST", "/_mock/tasks/{id}/complete", actions.end_task),
            ("POST", "/_mock/tasks/{id}/fail", actions.end_task),
            ("POST", "/_mock/tasks/{id}/cancel", actions.end_task),
            ("GET", "/_mock/pictures/{id}/{index}", live.show_picture),
            ("POST", "/_mock/requests/{id}/resend", live.resend),
            ("GET", "/_mock/providers", live.list_providers),
            ("GET", "/_mock/fault-kinds", live.fault_kinds),
            ("GET", "/_mock/advice", live.advice),
            ("GET", "/_mock/events", self._feed.stream),
            ("GET", "/_mock/requests", queries.requests),
            ("GET", "/_mock/requests.har", Har(engine, queries, public_urls).show),
            ("GET", "/_mock/requests/{id}", queries.request),
            ("GET", "/_mock/accounts", queries.accounts),
            ("GET", "/_mock/accounts/{key}", queries.account),
            ("PUT", "/_mock/accounts/{key}", actions.set_account),
            ("GET", "/_mock/faults", actions.list_faults),
            ("POST", "/_mock/faults", actions.add_fault),
            ("DELETE", "/_mock/faults", actions.remove_faults),
            ("GET", "/_mock/faults/{id}", actions.show_fault),
            ("DELETE", "/_mock/faults/{id}", actions.remove_fault),
            ("GET", "/_mock/routes", actions.show_routes),
            ("PUT", "/_mock/routes", actions.set_routes),
            ("POST", "/_mock/routes", actions.add_route),
            ("DELETE", "/_mock/routes", actions.remove_route),
            ("GET", "/_mock/sink/{name}", actions.show_sink),
            ("PUT", "/_mock/sink/{name}", actions.set_sink),
            ("POST", "/_mock/sink/{name}", actions.receive),
            ("GET", "/_mock/snapshot", actions.take_snapshot),
            ("PUT", "/_mock/snapshot", actions.put_snapshot),
            ("POST", "/_mock/reset", actions.reset),
        )
        files = [("GET", f"/_mock/{path}", page.serve) for path in page.files()]
        self._patterns = [(method, path_pattern(path), handler) for method, path, handler in (*self.routes, *files)]

    async def handle(self, request: BaseRequest, path: str) -> StreamResponse:
        """Answer a control call: with JSON, or with a file of the page, a picture or the stream of events."""
        try:
            if (logged_in := self._access.log_in(request)) is not None:
                return logged_in
            self._access.check(request)
            handler, params = self._find(request.method, path)
            await self._engine.store.refresh()
            if self._engine.event_runner.may_be_due():
                await self._engine.event_runner.run_due()
            answer = await handler(ControlRequest(request, params, self._largest))
            if request.method not in ("GET", "HEAD"):
                self._feed.changed(path)
                await self._engine.store.announce_control(path)
            return answer if isinstance(answer, StreamResponse) else _json(200, answer)
        except StoreUnavailable as problem:
            return _json(503, {"error": {"code": "store_unavailable", "message": f"{problem.detail}."}})
        except Problem as problem:
            if problem.kind is not Kind.INVALID_PARAMETER:
                raise
            return _refused(bad(f"{problem.detail}."))
        except Refusal as refusal:
            return _refused(refusal)

    async def _openapi(self, request: ControlRequest) -> dict[str, Any]:
        """The OpenAPI description of these calls."""
        try:
            return await asyncio.to_thread(self.description, self._public_urls.root(request.http_request))
        except NotInstalled as error:
            raise Refusal(501, "not_installed", f"{error}.") from None

    def description(self, root: str) -> dict[str, Any]:
        """The OpenAPI description of the control calls of a server at a root URL. Raises NotInstalled."""
        routes = tuple((method, path) for method, path, _ in self.routes)
        with openapi_needed():
            from mockserver.control.description import describe
        return {**describe(routes), "servers": [{"url": root}]}

    async def _show_metrics(self, request: ControlRequest) -> Response:
        """Metrics in Prometheus' text form, counted from the first call on. Raises Refusal: 501."""
        async with self._one_beginning:
            if self._metrics is None:
                try:
                    metrics = await asyncio.to_thread(self._new_metrics)
                except ImportError:
                    raise Refusal(501, "not_installed", _NO_METRICS) from None
                await metrics.begin()
                self._metrics = metrics
        return await self._metrics.answer()

    def _new_metrics(self) -> "Metrics":
        """Raises ImportError without the extra."""
        from mockserver.control.metrics import Metrics

        return Metrics(self._engine, self._mounts, self._providers)

    async def _proxy(self, request: ControlRequest) -> Mapping[str, Any]:
        """The proxy of this server: its port, the documented hosts that it redirects, and its CA's certificate."""
        if self._public_urls.proxy is None:
            raise Refusal(404, "no_proxy", "This server has no proxy: start it with --proxy-port PORT.")
        return self._public_urls.proxy

    def _find(self, method: str, path: str) -> tuple[Handler, Mapping[str, str]]:
        wanted = "GET" if method == "HEAD" else method
        matches = [(verb, handler, found) for verb, form, handler in self._patterns if (found := form.fullmatch(path))]
        for verb, handler, found in matches:
            if verb == wanted:
                return handler, found.groupdict()
        if matches:
            raise Refusal(405, "wrong_method", f"Use {', '.join(sorted(verb for verb, _, _ in matches))} here.")
        known = without_extra_slashes(path)
        if known != path and any(form.fullmatch(known) for _, form, _ in self._patterns):
            message = f"Did you mean {known}, without doubled slashes and without one at the end?"
            raise Refusal(404, "not_found", message)
        listing = ", ".join(f"{verb} {route}" for verb, route, _ in self.routes)
        raise Refusal(404, "not_found", f"The control surface has {listing}.")


def _refused(refusal: Refusal) -> Response:
    return _json(refusal.status, {"error": {"code": refusal.code, "message": refusal.message}})


def _json(status: int, body: object) -> Response:
    return Response(body=write_json(body), status=status, headers={"Content-Type": "application/json"})
