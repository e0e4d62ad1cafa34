"""The control calls that read: health, lists of records, and single records."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from aiohttp.web import Response, StreamResponse

from mockserver import __version__
from mockserver.control import views
from mockserver.control.control_request import ControlRequest, Refusal, bad, stopping
from mockserver.control.streaming import streamed
from mockserver.control.written_rows import WrittenRows
from mockserver.engine.accounts import account_id, is_account_id
from mockserver.engine.callbacks import Delivery, State
from mockserver.engine.engine import Engine
from mockserver.engine.journal import Exchange, is_in, without
from mockserver.engine.ledger import Account
from mockserver.engine.pieces import in_pieces
from mockserver.engine.store import Page, Wanted, every
from mockserver.engine.tasks import Task
from mockserver.engine.text import write_json
from mockserver.engine.waiters import STOPPING
from mockserver.http.context import Mount

T = TypeVar("T")

_PIECE = 50
"""Records of a list that are shown at once: one with two bodies of 16 KB takes 0.1 ms."""

_LARGEST_WHOLE = 1024 * 1024
"""Bytes of a list that is sent at once: to put together and send forty times that takes the loop 0.05 s."""

LIST_PARAMETERS = ("provider", "api_key", "limit", "cursor", "task_id", "state", "wait", "view")
"""The query parameters of lists; task_id, state and wait are for callbacks only, view is for requests only."""


def account_name(key: str) -> str:
    """The account of a key, or of its hash."""
    return key if is_account_id(key) else account_id(key)


def accounts_of(request: ControlRequest) -> frozenset[str] | None:
    """The accounts of the keys in a call's `api_key` parameters; None without one."""
    keys = [key for key in request.http_request.query.getall("api_key", ()) if key]
    return frozenset(map(account_name, keys)) if keys else None


@dataclass(frozen=True, slots=True)
class Queries:
    """The control calls that read. Lists are `{"<plural noun>": [...], "next": cursor or null}`, newest first."""

    engine: Engine
    mounts: Mapping[str, Mount]
    rows: WrittenRows = field(default_factory=WrittenRows, init=False)

    async def health(self, request: ControlRequest) -> dict[str, Any]:
        """That the server is there, which process answers, what is pending, and what the bounds have dropped."""
        engine, store = self.engine, self.engine.store
        pending, kept = await store.pending(), await store.kept()
        return {
            "status": "ok",
            "version": __version__,
            "process": os.getpid(),
            "providers": sorted(self.mounts),
            "clock": await views.clock_view(engine),
            "seed": engine.entropy.seed,
            "pending": {"tasks": pending.tasks, "callback_attempts": pending.attempts},
            "defects": views.defects_view(engine),
            "kept": {noun: asdict(of_noun) for noun, of_noun in kept.items()},
        }

    async def clock(self, request: ControlRequest) -> dict[str, Any]:
        return await views.clock_view(self.engine)

    async def tasks(self, request: ControlRequest) -> StreamResponse:
        found, following = await self._page(request, self.engine.store.tasks)
        rows = [write_json(await self._task_view(one)) async for some in in_pieces(found, _PIECE) for one in some]
        return await listed(request, "tasks", rows, following)

    async def task(self, request: ControlRequest) -> dict[str, Any]:
        return await self._task_view(known(await self.engine.store.task(request.params["id"]), "task"))

    async def _task_view(self, task: Task) -> dict[str, Any]:
        delivery = await self.engine.store.delivery_of(task.id)
        view = views.task_view(task, self.mounts[task.job.provider], self.engine.now(), delivery)
        return self._shown(view, task.job.account)

    def callback_view(self, delivery: Delivery) -> dict[str, Any]:
        return self._shown(views.delivery_view(delivery), delivery.account)

    def request_view(self, exchange: Exchange) -> dict[str, Any]:
        return self._shown(views.exchange_view(exchange), exchange.account)

    def _shown(self, view: dict[str, Any], account: str) -> dict[str, Any]:
        """A record with its account's API key redacted in every text."""
        shown: dict[str, Any] = without(view, self.engine.known_keys.key_of(account))
        return shown

    def _written(self, exchange: Exchange) -> bytes:
        """As `request_view`, as JSON, which is searched for the key before anything is looked through."""
        view, key = views.exchange_view(exchange), self.engine.known_keys.key_of(exchange.account)
        data = write_json(view)
        return write_json(without(view, key)) if is_in(key, data) else data

    async def callbacks(self, request: ControlRequest) -> StreamResponse:
        """List callbacks, also by task_id and state; `wait` waits until there are some and all of them have ended."""
        task_id, state = request.query("task_id"), request.query("state")
        if state is not None and state not in list(State):
            raise bad(f"state is one of {', '.join(State)}.")

        def keep(delivery: Delivery) -> bool:
            return task_id in (None, delivery.task_id) and state in (None, delivery.state)

        deliveries = self.engine.store.deliveries
        any_of_them = self._wanted(request, keep)
        waiting = replace(any_of_them, keep=lambda delivery: keep(delivery) and not delivery.ended)

        async def done() -> bool:
            return bool((await deliveries(any_of_them, 1))[0]) and not (await deliveries(waiting, 1))[0]

        await self._wait(request, done)
        found, following = await self._page(request, deliveries, keep)
        rows = [write_json(self.callback_view(one)) async for some in in_pieces(found, _PIECE) for one in some]
        return await listed(request, "callbacks", rows, following)

    async def callback(self, request: ControlRequest) -> dict[str, Any]:
        name = request.params["id"]
        known(await self.engine.store.delivery(name), "callback")

        async def done() -> bool:
            delivery = await self.engine.store.delivery(name)
            return delivery is None or delivery.ended

        await self._wait(request, done)
        return self.callback_view(known(await self.engine.store.delivery(name), "callback"))

    async def _wait(self, request: ControlRequest, done: Callable[[], Awaitable[bool]]) -> None:
        """Wait until `done`, at most as long as the call says; every attempt and every end of a task is a check."""
        seconds = request.wait()
        if seconds is None:
            return
        elsewhere = self.engine.elsewhere
        try:
            async with asyncio.timeout(seconds):
                await elsewhere.watch()
                while True:
                    change = self.engine.waiters.next_change()  # before the look, so that none is missed
                    if await done():
                        return
                    await change
                    if self.engine.waiters.interruption == STOPPING:
                        raise stopping()
        except TimeoutError:
            return
        finally:
            elsewhere.leave()

    async def requests(self, request: ControlRequest) -> StreamResponse:
        view = request.query("view")
        if view not in (None, "summary"):
            raise bad("view is summary; without it the records are complete.")
        found, following = await self._page(request, self.engine.store.entries)
        if view is None:
            rows = [self.rows.row(one, self._written) async for some in in_pieces(found, _PIECE) for one in some]
        else:
            rows = [write_json(await self._row(one)) async for some in in_pieces(found, _PIECE) for one in some]
        return await listed(request, "requests", rows, following)

    async def _row(self, exchange: Exchange) -> dict[str, Any]:
        return self.request_summary(exchange, await self.engine.journal.task_of(exchange))

    def request_summary(self, exchange: Exchange, task: Task | None) -> dict[str, Any]:
        """A request as a list's row; `task` is the one that it was about."""
        mount = self.mounts.get(exchange.provider)
        summary = views.exchange_summary(exchange, task, mount.provider.currency if mount else None)
        return self._shown(summary, exchange.account)

    async def request(self, request: ControlRequest) -> dict[str, Any]:
        return self.request_view(known(await self.engine.store.entry(request.params["id"]), "request"))

    async def accounts(self, request: ControlRequest) -> StreamResponse:
        found, following = await self._page(request, self.engine.store.accounts)
        rows = [write_json(self._money_view(one)) async for some in in_pieces(found, _PIECE) for one in some]
        return await listed(request, "accounts", rows, following)

    def _money_view(self, account: Account) -> dict[str, Any]:
        return views.money_view(account, self.mounts[account.provider].provider.currency)

    async def account(self, request: ControlRequest) -> dict[str, Any]:
        provider = self.provider_of(request)
        return await self.account_view(provider, account_name(request.params["key"]))

    async def account_view(self, provider: str, account: str) -> dict[str, Any]:
        """An account with its usage, without its key."""
        store = self.engine.store
        found, usage = await store.account(provider, account), await store.usage(provider, account)
        return self._shown(views.account_view(found, reversed(usage), self.mounts[provider]), account)

    def provider_of(self, request: ControlRequest) -> str:
        """The provider in a call's query. Raises Refusal if there is none, or no such provider."""
        provider = request.query("provider")
        if provider is None:
            raise bad(f"?provider= is missing: one of {', '.join(self.mounts)}.")
        self._check_provider(provider)
        return provider

    def _check_provider(self, name: str) -> None:
        if name not in self.mounts:
            raise Refusal(400, "unknown_provider", f"There is no such provider; there are {', '.join(self.mounts)}.")

    def _wanted(self, request: ControlRequest, keep: Callable[[T], bool] = every) -> Wanted[T]:
        """The filter of a list: by the call's provider and api_key parameters, and by `keep`."""
        provider = request.query("provider")
        if provider is not None:
            self._check_provider(provider)
        return Wanted(provider, accounts_of(request), keep)

    async def _page(
        self,
        request: ControlRequest,
        page: Callable[[Wanted[T], int, str | None], Awaitable[Page[T]]],
        keep: Callable[[T], bool] = every,
    ) -> Page[T]:
        """The part of a list that a call asks for."""
        if unknown := set(request.http_request.query) - set(LIST_PARAMETERS):
            raise bad(f"A list takes {', '.join(LIST_PARAMETERS)}; not {min(unknown):.40}.")
        return await page(self._wanted(request, keep), request.limit(), request.query("cursor"))


async def listed(request: ControlRequest, noun: str, rows: Sequence[bytes], following: str | None) -> StreamResponse:
    """A list as an answer; each row is JSON, written by itself, so that no list holds the loop for long."""
    head, tail = b'{"%s":[' % noun.encode(), b'],"next":%s}' % write_json(following)
    if sum(map(len, rows)) <= _LARGEST_WHOLE:
        body = b"".join((head, b",".join(rows), tail))
        return Response(body=body, headers={"Content-Type": "application/json"})
    return await streamed(request.http_request, _pieces(head, rows, tail))


def _pieces(head: bytes, rows: Sequence[bytes], tail: bytes) -> Iterator[bytes]:
    for start in range(0, len(rows), _PIECE):
        yield (b"," if start else head) + b",".join(rows[start : start + _PIECE])
    yield tail


def known(found: T | None, noun: str) -> T:
    """A record that was looked up by its id. Raises Refusal (404) if it is None."""
    if found is None:
        raise Refusal(404, "not_found", f"There is no such {noun}; GET /_mock/{noun}s lists them.")
    return found
