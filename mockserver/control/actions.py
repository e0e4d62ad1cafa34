"""The control calls that change state: the clock, fault rules, accounts, tasks, callbacks, routes, sinks, snapshots."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp.web import Response, StreamResponse
from pydantic import ValidationError

from mockserver.control import models, views
from mockserver.control.control_request import ControlRequest, Refusal, bad, first_error, stopping
from mockserver.control.queries import Queries, account_name, accounts_of, known
from mockserver.control.streaming import streamed
from mockserver.engine import snapshot, snapshot_check, snapshot_reader, snapshot_writer
from mockserver.engine.clock import Clock, SystemClock, VirtualClock
from mockserver.engine.engine import Engine
from mockserver.engine.event_runner import Busy, Stopping
from mockserver.engine.journal import safe_headers, secret_of, without
from mockserver.engine.ledger import AccountChange, RateLimit
from mockserver.engine.outbound import Route, parse_route
from mockserver.engine.problems import Kind, Problem, StoreUnavailable
from mockserver.engine.sinks import Received, Reply, Sink
from mockserver.engine.snapshot_rules import MOST
from mockserver.engine.store.steering import RuleCounts
from mockserver.engine.tasks import Failure
from mockserver.faults.rules import RULES_KEPT, BadRule, FaultRules, Rule

AfterReset = Callable[[str | None], Awaitable[None]]
"""Puts the scenarios in force again after a reset, of everybody (None) or of one key's hash."""

RAN_SHOWN = 1_000
"""Events that the answer of an advance lists; `ran_total` counts all of them."""


@dataclass(frozen=True, slots=True)
class Actions:
    """The control calls that change state."""

    engine: Engine
    rules: FaultRules
    queries: Queries
    max_snapshot: int
    after_reset: AfterReset | None = None

    async def advance(self, request: ControlRequest) -> dict[str, Any]:
        """Advance the clock; the answer lists the events that ran, in order, each with its time."""
        asked = await request.read(models.Advance)
        if (asked.seconds is None) == (asked.until is None):
            raise bad('Give either "seconds", as in {"seconds": 7}, or "until": "idle" or an instant in Unix seconds.')
        until = asked.until if isinstance(asked.until, float) else None
        if until is not None and not self.engine.now() <= until <= self.engine.now() + models.LONGEST_ADVANCE:
            raise bad("The clock cannot go back, and one advance is at most ten years.")
        inside = request.http_request.headers.get("Mock-Callback")
        try:
            ran = await self.engine.event_runner.advance(until, by=asked.seconds, inside=inside)
        except Busy:
            raise Refusal(409, "advance_under_way", _BUSY) from None
        except Stopping:
            raise stopping() from None
        events = [{"time": time, "kind": kind, "id": name} for time, kind, name in ran[:RAN_SHOWN]]
        return {**await views.clock_view(self.engine), "ran": events, "ran_total": len(ran)}

    async def set_clock(self, request: ControlRequest) -> dict[str, Any]:
        """Change the clock's mode, speed or autojump; its time stays."""
        asked = await request.read(models.ClockChange)
        engine, now = self.engine, self.engine.now()
        mode = asked.mode or engine.clock.mode
        if mode == "virtual" and asked.speed is not None:
            raise bad("A virtual clock has no speed: its time passes only when it is advanced.")
        clock: Clock | None = None
        if mode == "virtual" and engine.clock.mode == "real":
            clock = VirtualClock(now)
        elif mode == "real" and (engine.clock.mode == "virtual" or asked.speed is not None):
            clock = SystemClock(now, asked.speed or 1.0)
        await engine.set_clock(clock, asked.autojump)
        return await views.clock_view(engine)

    async def list_faults(self, request: ControlRequest) -> dict[str, Any]:
        accounts = accounts_of(request)
        rules = [rule for rule in self.rules.all() if accounts is None or rule.account in accounts]
        return {"faults": [await self._rule_view(rule) for rule in reversed(rules)], "next": None}

    async def add_fault(self, request: ControlRequest) -> dict[str, Any]:
        try:
            return await self._rule_view(await self.rules.add(await request.body()))
        except BadRule as error:
            raise Refusal(400, "bad_rule", f"{str(error)[:3000]}.") from None
        except ValidationError as error:
            raise Refusal(400, "bad_rule", first_error(error)) from None

    async def show_fault(self, request: ControlRequest) -> dict[str, Any]:
        return await self._rule_view(self._rule(request))

    async def remove_fault(self, request: ControlRequest) -> dict[str, Any]:
        rule = self._rule(request)
        shown = await self._rule_view(rule)
        await self.rules.remove([rule])
        return shown

    async def _rule_view(self, rule: Rule) -> dict[str, Any]:
        return views.rule_view(rule, await self.rules.counts(rule))

    def _rule(self, request: ControlRequest) -> Rule:
        rule = next((rule for rule in self.rules.all() if rule.id == request.params["id"]), None)
        if rule is None:
            raise Refusal(404, "not_found", "There is no such fault; GET /_mock/faults lists them.")
        return rule

    async def remove_faults(self, request: ControlRequest) -> dict[str, Any]:
        """Remove all rules, or those of the `api_key` parameters."""
        accounts = accounts_of(request)
        removed = await self.rules.remove(
            rule for rule in self.rules.all() if accounts is None or rule.account in accounts
        )
        return {"removed": removed}

    async def set_account(self, request: ControlRequest) -> dict[str, Any]:
        """Set an account's balance, monthly quota or rate limit."""
        provider = self.queries.provider_of(request)
        asked = await request.read(models.AccountChange)
        currency = self.queries.mounts[provider].provider.currency
        try:
            balance = None if asked.balance is None else currency.minor(asked.balance)
            quota = None if asked.quota is None else currency.minor(asked.quota)
        except ValueError as error:
            raise bad(f"{error}.") from None
        given, limit = asked.model_fields_set, asked.rate_limit
        rate_limit = RateLimit(limit.requests, limit.seconds) if limit else None
        change = AccountChange(balance, "quota" in given, quota, "rate_limit" in given, rate_limit)
        account = account_name(request.params["key"])
        await self.engine.store.change_account(provider, account, change, self.engine.now())
        return await self.queries.account_view(provider, account)

    async def end_task(self, request: ControlRequest) -> dict[str, Any]:
        """End a task now: complete it, fail it (with a provider's error code), or cancel it."""
        task = known(await self.engine.store.task(request.params["id"]), "task")
        asked = await request.read(models.TaskEnd)
        failures = {
            "complete": None,
            "fail": Failure(Kind.FAILED, asked.code, "ended by hand"),
            "cancel": Failure(Kind.CANCELLED, None, "ended by hand"),
        }
        verb = request.http_request.path.rpartition("/")[2]
        try:
            await self.engine.end_now(task, failures[verb])
        except StoreUnavailable:
            raise
        except Problem as problem:
            raise Refusal(409, "has_ended", f"Cannot {verb} this task: {problem.detail}.") from None
        return await self.queries.task(request)

    async def redeliver(self, request: ControlRequest) -> dict[str, Any]:
        """Begin a callback's attempts anew, after it was delivered, given up, captured or lost."""
        delivery = known(await self.engine.store.delivery(request.params["id"]), "callback")
        if not delivery.ended:
            raise Refusal(409, "still_waiting", "This callback is still waiting for its next attempt.")
        await self.engine.dispatcher.redeliver(delivery, self.engine.now())
        self.engine.event_runner.wake()
        return await self.queries.callback(request)

    async def show_routes(self, request: ControlRequest) -> dict[str, Any]:
        return {"routes": [{"from": source, "to": to} for source, to in self.engine.store.steering.routes()]}

    async def set_routes(self, request: ControlRequest) -> dict[str, Any]:
        """Replace the routing table, for callbacks that are planned from now on."""
        asked = await request.read(models.Routes)
        try:
            routes = tuple(parse_route(f"{route.source}={route.to}") for route in asked.routes)
        except ValueError as error:
            raise bad(f"{error}.") from None
        await self.engine.store.steering.change_routes(lambda _: routes)
        return await self.show_routes(request)

    async def add_route(self, request: ControlRequest) -> dict[str, Any]:
        """Add a route before the others, in place of one with the same `from`."""
        asked = await request.read(models.RouteBody)
        try:
            source, target = parse_route(f"{asked.source}={asked.to}")
        except ValueError as error:
            raise bad(f"{error}.") from None
        await self.engine.store.steering.change_routes(lambda routes: ((source, target), *_without(routes, source)))
        return await self.show_routes(request)

    async def remove_route(self, request: ControlRequest) -> dict[str, Any]:
        """Remove the route with a `from` address, if there is one; without `from`, all routes."""
        source = request.query("from")
        await self.engine.store.steering.change_routes(lambda routes: _without(routes, source) if source else ())
        return await self.show_routes(request)

    async def show_sink(self, request: ControlRequest) -> dict[str, Any]:
        name = request.params["name"]
        return views.sink_view(name, await self.engine.store.steering.sink(name) or Sink())

    async def set_sink(self, request: ControlRequest) -> dict[str, Any]:
        """Set a sink's script, and remove the callbacks it received."""
        asked = await request.read(models.SinkScript)
        script = [Reply(item.status, item.delay) for item in asked.responses]
        await self.engine.store.steering.put_sink(request.params["name"], script)
        return await self.show_sink(request)

    async def receive(self, request: ControlRequest) -> Response:
        """Record a request to a sink over HTTP, and answer with the next status of its script."""
        headers = without(safe_headers(request.http_request.headers), secret_of(request.http_request.headers))
        body = (await request.raw()).decode("utf-8", "replace")
        received = Received(self.engine.now(), headers, body)
        reply = await self.engine.store.steering.deliver(request.params["name"], received)
        await self.engine.waiters.sleep(reply.delay)
        return Response(status=max(200, reply.status))

    async def take_snapshot(self, request: ControlRequest) -> StreamResponse:
        """Write the state as it is at this instant, in pieces: others are served meanwhile."""
        keys = tuple(self.engine.known_keys.all())
        state, saved = await snapshot.take(self.engine)
        rules = [views.rule_view(rule, counts) for rule, counts in saved.rules if isinstance(rule, Rule)]
        pieces = snapshot_writer.pieces(state, {"faults": rules, "faults_added": saved.added}, keys)
        return await streamed(request.http_request, pieces)

    async def put_snapshot(self, request: ControlRequest) -> dict[str, Any]:
        """Replace all state by a snapshot; an invalid snapshot changes nothing."""
        text = await request.text(self.max_snapshot, "--max-snapshot")
        with _collector_paused():
            try:
                state, asked, rules = await asyncio.to_thread(self._read_snapshot, text)
            except snapshot_reader.NotJson as error:
                raise bad(f"The body is not a JSON object: {str(error)[:100]}.") from None
            except ValidationError as error:
                raise bad(f"The snapshot is invalid: {first_error(error)}") from None
            except (BadRule, ValueError) as error:
                raise bad(f"The snapshot is invalid: {error}.") from None
            await snapshot.restore(self.engine, state, snapshot.SavedRules(rules, asked.faults_added))
        return await views.clock_view(self.engine)

    def _read_snapshot(self, text: str) -> tuple[snapshot.State, models.SnapshotBody, list[tuple[Rule, RuleCounts]]]:
        """A snapshot's state, its other fields and its rules. Raises ValueError for the first thing that is wrong."""
        state, rest = snapshot_reader.read(text)
        asked = models.SnapshotBody.model_validate(rest)
        assert state is not None  # the model has found an object for it
        snapshot_check.check(state, {name: mount.provider for name, mount in self.queries.mounts.items()})
        return state, asked, _saved_rules(self.rules, asked)

    async def reset(self, request: ControlRequest) -> dict[str, Any]:
        """Remove all state, or one key's tasks, money, callbacks, requests and faults; the answer has their charges."""
        asked = await request.read(models.Reset)
        account = None if asked.api_key is None else account_name(asked.api_key)
        forgotten = await views.usage_view(self.engine, self.queries.mounts, account)
        if account is not None:
            await self.engine.reset_account(account)
        else:
            await self.engine.reset()
        if self.after_reset is not None:
            await self.after_reset(account)
        return {"status": "reset", "defects": self.engine.defects.count, "forgotten": forgotten}


_BUSY = (
    "The receiver of a callback has not answered yet. If this advance comes from that receiver, it waits for itself: "
    "answer the callback first, then advance."
)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Make many records that stay without the cyclic garbage collector, which would stall everything by going through
    all of them several times. In the end they count as old for it, or are left out of collections as what was there
    before (`cli/garbage.py`), which spares it one time more."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            left_out = gc.get_freeze_count()
            gc.freeze()
            if not left_out:
                gc.unfreeze()
            gc.enable()


def _without(routes: tuple[Route, ...], source: str) -> tuple[Route, ...]:
    return tuple(route for route in routes if route[0] != source)


def _saved_rules(rules: FaultRules, asked: models.SnapshotBody) -> list[tuple[Rule, RuleCounts]]:
    """The fault rules of a snapshot with their counts. Raises BadRule, or pydantic's ValidationError."""
    found: dict[str, tuple[Rule, RuleCounts]] = {}
    for number, saved in enumerate(asked.faults):
        place = f"faults[{number}]"
        if saved.id in found or int(saved.id.removeprefix("fault-")) > asked.faults_added:
            raise BadRule(f"{place}.id is repeated, or its number is larger than faults_added")
        if not saved.fired <= saved.matched <= MOST:
            raise BadRule(f"{place}.fired is larger than matched, or matched is larger than {MOST}")
        rule = rules.read(saved.id, saved.model_dump(exclude={"id", "matched", "fired"}))
        found[rule.id] = rule, RuleCounts(saved.matched, saved.fired)
    if len(found) > RULES_KEPT or asked.faults_added > MOST:
        raise BadRule(f"there are more than {RULES_KEPT} faults, or faults_added is larger than {MOST}")
    return list(found.values())
