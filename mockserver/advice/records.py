"""What the rules of advice look at.

They are evaluated when somebody asks, over what is on record then. They begin with the journal's requests, of which
there are few (`--keep-requests`), and look up the tasks that these are about, of which there may be many.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from pydantic_core import from_json

from mockserver.engine.callbacks import Delivery
from mockserver.engine.clock import monotonic
from mockserver.engine.engine import Engine
from mockserver.engine.journal import Exchange
from mockserver.engine.pieces import in_pieces
from mockserver.engine.sinks import sink_named_by
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.engine.tasks import Task
from mockserver.http.context import Route
from mockserver.http.routing import Router
from mockserver.providers.base import Provider

_PIECE = 250
"""Requests that are looked up at once."""


@dataclass(frozen=True)
class Call:
    """A request that was answered, or whose client has left, with its route and the task that it was about.

    `route` is None for a request that has none; `task` is None if it is about none, or one that is no longer kept.
    """

    exchange: Exchange
    route: Route | None
    task: Task | None

    @property
    def submits(self) -> bool:
        """Whether it asks for a generation."""
        return self.route is not None and self.route.billable

    @property
    def polls(self) -> bool:
        """Whether it asks how a task goes on."""
        route = self.route
        asks = route is not None and route.keyed and not route.billable
        return asks and route is not None and (route.method == "GET" or route.task_of is not None)

    @property
    def fetches(self) -> bool:
        """Whether it asks for a task's picture, or for a redirect to it."""
        return self.task is not None and self.route is not None and not self.route.keyed

    @property
    def answered(self) -> float:
        """When the client had its answer, or had left: in real seconds, as `Exchange.started`."""
        exchange = self.exchange
        return exchange.started + ((exchange.duration or 0.0) if exchange.hung_up is None else exchange.hung_up)

    @property
    def content(self) -> tuple[bytes, int]:
        """What tells its body from others: the part that is kept, without a form's files, and the size of the whole."""
        return self.exchange.body, self.exchange.body_size

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The fields of the body, those of a form as texts; none if the body can't be read, or was too long to keep."""
        try:
            fields = from_json(self.exchange.body)
        except ValueError:
            return {}
        return fields if isinstance(fields, dict) else {}


@dataclass(frozen=True)
class Records:
    """What is on record, each oldest first.

    Args:
        now: the server's time in Unix seconds.
        real_now: now in real seconds, as `Exchange.started`.
        speed: the seconds of the server's clock in a real second; 0 for a virtual clock.
        deliveries: the callbacks, without those to receivers that are built in: their answers are no client's.
    """

    now: float
    real_now: float
    speed: float
    providers: Mapping[str, Provider]
    calls: Sequence[Call]
    deliveries: Sequence[Delivery]

    @cached_property
    def polls(self) -> dict[str, list[Call]]:
        """The queries of each task that is kept, by its id."""
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            if call.task is not None and call.polls:
                found.setdefault(call.task.id, []).append(call)
        return found

    @cached_property
    def submissions(self) -> list[Call]:
        return [call for call in self.calls if call.submits]

    @cached_property
    def repeated(self) -> list[list[Call]]:
        """The calls that were made more than once: with one key, path, media type and body."""
        groups: dict[tuple[object, ...], list[Call]] = {}
        for call in self.calls:
            one = call.exchange
            caller = one.account or one.headers.get("Authorization", "")
            media_type = one.headers.get("Content-Type", "").partition(";")[0]
            key = (one.provider, caller, one.method, one.path, media_type, call.content)
            groups.setdefault(key, []).append(call)
        return [group for group in groups.values() if len(group) > 1]

    def retries(self) -> Iterator[tuple[Call, Call]]:
        """Each call that was made again, with the call before it, whose answer its client had."""
        for group in self.repeated:
            yield from ((earlier, later) for earlier, later in pairwise(group) if self.pause(earlier, later) >= 0)

    def pause(self, earlier: Call, later: Call) -> float:
        """For how many seconds a client waited between an answer and a call; negative for calls side by side.

        These are real seconds, at any speed of the clock: they are the client's own pace. A virtual clock is moved by
        hand between calls, so that its seconds count as well, where they are more.
        """
        real = later.exchange.started - earlier.answered
        return real if real < 0 or self.speed else max(real, later.exchange.time - earlier.exchange.time)

    def provider_of(self, call: Call) -> Provider:
        return self.providers[call.exchange.provider]


@cache
def _router(provider: Provider) -> Router:
    return Router(provider.routes)


async def read_records(engine: Engine, providers: Sequence[Provider]) -> Records:
    """Everything that is on record in an engine."""
    by_name = {provider.name: provider for provider in providers}
    store = engine.store
    exchanges: list[Exchange] = (await store.entries(Wanted(), EVERYTHING))[0][::-1]
    deliveries: list[Delivery] = (await store.deliveries(Wanted(), EVERYTHING))[0][::-1]
    now, real_now = engine.now(), monotonic()
    answered = [one for one in exchanges if one.status is not None or one.hung_up is not None]
    calls: list[Call] = []
    async for piece in in_pieces(answered, _PIECE):
        calls += [await _call(exchange, by_name[exchange.provider], engine) for exchange in piece]
    return Records(
        now,
        real_now,
        engine.clock.speed if engine.clock.mode == "real" else 0.0,
        by_name,
        calls,
        [one for one in deliveries if one.routed and not ("/_mock/" in one.routed and sink_named_by(one.routed))],
    )


async def _call(exchange: Exchange, provider: Provider, engine: Engine) -> Call:
    path = unquote(exchange.path.partition("?")[0]).removeprefix(f"/{provider.name}")
    resolved, params = _router(provider).find(exchange.method, path)
    task_id = exchange.task_id or params.get("task_id", "")
    return Call(exchange, resolved.route, await engine.find(provider.name, task_id) if task_id else None)
