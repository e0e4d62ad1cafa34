"""The control surface's index: every call under `/_mock/`, and who may make it."""

from collections.abc import Mapping

from aiohttp.web import BaseRequest, Response
from pydantic_core import to_json

from mockserver.call import Mount
from mockserver.control.ask import Ask, Handler, Refusal
from mockserver.control.reading import Reading
from mockserver.control.steering import Steering
from mockserver.engine.engine import Engine
from mockserver.faults.book import Book
from mockserver.origins import Origins
from mockserver.providers.base import path_pattern

_READING = ("GET", "HEAD")


class Control:
    """Everything under `/_mock/`. Answers only who may steer (`Origins.may_steer`), and no other site's page."""

    def __init__(self, engine: Engine, mounts: Mapping[str, Mount], book: Book, origins: Origins) -> None:
        self._engine = engine
        self._origins = origins
        self._largest = max(mount.max_body for mount in mounts.values())
        reading = Reading(engine, mounts)
        steering = Steering(engine, book, reading)
        self.routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/_mock/health", reading.health),
            ("GET", "/_mock/clock", reading.clock),
            ("PUT", "/_mock/clock", steering.set_clock),
            ("POST", "/_mock/clock/advance", steering.advance),
            ("GET", "/_mock/tasks", reading.tasks),
            ("GET", "/_mock/tasks/{id}", reading.task),
            ("GET", "/_mock/callbacks", reading.callbacks),
            ("GET", "/_mock/callbacks/{id}", reading.callback),
            ("POST", "/_mock/callbacks/{id}/redeliver", steering.redeliver),
            ("GET", "/_mock/requests", reading.requests),
            ("GET", "/_mock/requests/{id}", reading.request),
            ("GET", "/_mock/accounts", reading.accounts),
            ("GET", "/_mock/accounts/{key}", reading.account),
            ("PUT", "/_mock/accounts/{key}", steering.set_account),
            ("GET", "/_mock/faults", steering.list_faults),
            ("POST", "/_mock/faults", steering.add_fault),
            ("DELETE", "/_mock/faults", steering.remove_faults),
            ("GET", "/_mock/faults/{id}", steering.show_fault),
            ("DELETE", "/_mock/faults/{id}", steering.remove_fault),
            ("GET", "/_mock/routes", steering.show_routes),
            ("PUT", "/_mock/routes", steering.set_routes),
            ("POST", "/_mock/routes", steering.add_route),
            ("DELETE", "/_mock/routes", steering.remove_route),
            ("GET", "/_mock/sink/{name}", steering.show_sink),
            ("PUT", "/_mock/sink/{name}", steering.set_sink),
            ("POST", "/_mock/sink/{name}", steering.receive),
            ("GET", "/_mock/snapshot", steering.take_snapshot),
            ("PUT", "/_mock/snapshot", steering.put_snapshot),
            ("POST", "/_mock/reset", steering.reset),
        )
        self._patterns = [(method, path_pattern(path), handler) for method, path, handler in self.routes]

    async def handle(self, request: BaseRequest, path: str) -> Response:
        """Answer a control call, as JSON in every case."""
        try:
            self._admit(request)
            handler, params = self._find(request.method, path)
            self._engine.driver.settle()
            answer = await handler(Ask(request, params, self._largest))
            return answer if isinstance(answer, Response) else _json(200, answer)
        except Refusal as refusal:
            return _json(refusal.status, {"error": {"code": refusal.code, "message": refusal.message}})

    def _admit(self, request: BaseRequest) -> None:
        if not self._origins.may_steer(request):
            raise Refusal(421, "wrong_host", _WRONG_HOST)
        if request.method not in _READING and _cross_site(request):
            raise Refusal(403, "cross_site", "A page of another site may not steer this server.")

    def _find(self, method: str, path: str) -> tuple[Handler, Mapping[str, str]]:
        asked = "GET" if method == "HEAD" else method
        matches = [(verb, handler, found) for verb, form, handler in self._patterns if (found := form.fullmatch(path))]
        for verb, handler, found in matches:
            if verb == asked:
                return handler, found.groupdict()
        if matches:
            raise Refusal(405, "wrong_method", f"Use {', '.join(sorted(verb for verb, _, _ in matches))} here.")
        listing = ", ".join(f"{verb} {route}" for verb, route, _ in self.routes)
        raise Refusal(404, "not_found", f"The control surface has {listing}.")


def _cross_site(request: BaseRequest) -> bool:
    """Whether a browser says that the call comes from another site's page."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin.partition("://")[2].lower() != request.headers.get("Host", "").lower()
    return foreign or site not in ("none", "same-origin")


_WRONG_HOST = (
    "The control surface answers to this machine's own names alone: use localhost, 127.0.0.1, the address that it "
    "listens on or the host of --public-url, or start the server with --allowed-host NAME."
)


def _json(status: int, body: object) -> Response:
    return Response(
        body=to_json(body, inf_nan_mode="null"), status=status, headers={"Content-Type": "application/json"}
    )
