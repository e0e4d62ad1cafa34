"""The control surface's index and its handlers."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp.web import BaseRequest, Response
from pydantic_core import from_json, to_json

from mockserver import __version__
from mockserver.call import Mount
from mockserver.control import views
from mockserver.engine.engine import Engine, account_id
from mockserver.engine.ledger import Account
from mockserver.engine.store import Rows, page
from mockserver.origins import Origins

T = TypeVar("T")

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1_000
_HASH = re.compile(r"acct_[0-9a-f]{12}")


class Refusal(Exception):
    """An error of the control surface: a 4xx and a sentence that says what exists instead."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Ask:
    """One control call: the request, and the variable parts of its path."""

    request: BaseRequest
    params: Mapping[str, str]

    def query(self, name: str) -> str | None:
        return self.request.query.get(name) or None

    async def body(self) -> dict[str, Any]:
        """The JSON object sent along; an empty body is an empty object."""
        data = await self.request.read()
        if not data.strip():
            return {}
        try:
            value = from_json(data, allow_inf_nan=False)
        except ValueError as error:
            raise Refusal(400, "bad_request", f"The body is not valid JSON: {str(error)[:100]}.") from None
        if not isinstance(value, dict):
            raise Refusal(400, "bad_request", "The body must be a JSON object.")
        return value


Handler = Callable[[Ask], Awaitable[Any]]


class Control:
    """Everything under `/_mock/`. Answers only who may steer (`Origins.may_steer`)."""

    def __init__(self, engine: Engine, mounts: Mapping[str, Mount], origins: Origins) -> None:
        self._engine = engine
        self._mounts = mounts
        self._origins = origins
        self.routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/_mock/health", self._health),
            ("GET", "/_mock/tasks", self._tasks),
            ("GET", "/_mock/tasks/{id}", self._task),
            ("GET", "/_mock/callbacks", self._callbacks),
            ("GET", "/_mock/callbacks/{id}", self._callback),
            ("GET", "/_mock/requests", self._requests),
            ("GET", "/_mock/requests/{id}", self._request),
            ("GET", "/_mock/accounts", self._accounts),
            ("GET", "/_mock/accounts/{key}", self._account),
            ("POST", "/_mock/reset", self._reset),
        )
        self._patterns = [
            (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), handler)
            for method, path, handler in self.routes
        ]

    async def handle(self, request: BaseRequest, path: str) -> Response:
        """Answer a control call, as JSON in every case."""
        try:
            if not self._origins.may_steer(request):
                raise Refusal(421, "wrong_host", _WRONG_HOST)
            handler, params = self._find(request.method, path)
            self._engine.driver.settle()
            return _json(200, await handler(Ask(request, params)))
        except Refusal as refusal:
            return _json(refusal.status, {"error": {"code": refusal.code, "message": refusal.message}})

    def _find(self, method: str, path: str) -> tuple[Handler, Mapping[str, str]]:
        asked = "GET" if method == "HEAD" else method
        matches = [
            (verb, handler, found) for verb, pattern, handler in self._patterns if (found := pattern.fullmatch(path))
        ]
        for verb, handler, found in matches:
            if verb == asked:
                return handler, found.groupdict()
        if matches:
            raise Refusal(405, "wrong_method", f"Use {', '.join(sorted(verb for verb, _, _ in matches))} here.")
        listing = ", ".join(f"{verb} {route}" for verb, route, _ in self.routes)
        raise Refusal(404, "not_found", f"The control surface has {listing}.")

    async def _health(self, ask: Ask) -> dict[str, Any]:
        engine, store = self._engine, self._engine.store
        tasks, attempts = engine.pending()
        rows: dict[str, Rows[Any]] = {
            "tasks": store.tasks,
            "callbacks": store.deliveries,
            "requests": store.exchanges,
            "accounts": store.accounts,
        }
        return {
            "status": "ok",
            "version": __version__,
            "providers": sorted(self._mounts),
            "clock": {"now": engine.now(), "mode": engine.clock.mode},
            "seed": engine.entropy.seed,
            "pending": {"tasks": tasks, "callback_attempts": attempts},
            "kept": {
                name: {"count": len(row), "bound": row.bound, "dropped": row.dropped} for name, row in rows.items()
            },
        }

    async def _tasks(self, ask: Ask) -> dict[str, Any]:
        wanted = self._owner_filter(ask)
        return self._list(ask, "tasks", self._engine.store.tasks, lambda task: wanted(task.job), self._task_view)

    async def _task(self, ask: Ask) -> dict[str, Any]:
        return self._task_view(_known(self._engine.store.tasks, ask.params["id"], "task"))

    def _task_view(self, task: Any) -> dict[str, Any]:
        delivery = self._engine.delivery_of(task.id)
        return views.task_view(task, self._mounts[task.job.provider], self._engine.now(), delivery)

    async def _callbacks(self, ask: Ask) -> dict[str, Any]:
        rows = self._engine.store.deliveries
        return self._list(ask, "callbacks", rows, self._owner_filter(ask), views.delivery_view)

    async def _callback(self, ask: Ask) -> dict[str, Any]:
        return views.delivery_view(_known(self._engine.store.deliveries, ask.params["id"], "callback"))

    async def _requests(self, ask: Ask) -> dict[str, Any]:
        rows = self._engine.store.exchanges
        return self._list(ask, "requests", rows, self._owner_filter(ask), views.exchange_view)

    async def _request(self, ask: Ask) -> dict[str, Any]:
        return views.exchange_view(_known(self._engine.store.exchanges, ask.params["id"], "request"))

    async def _accounts(self, ask: Ask) -> dict[str, Any]:
        wanted = self._owner_filter(ask)

        def keep(account: Account) -> bool:
            return wanted(_Owned(account.provider, account.id))

        return self._list(ask, "accounts", self._engine.store.accounts, keep, self._money_view)

    def _money_view(self, account: Account) -> dict[str, Any]:
        return views.money_view(account, self._mounts[account.provider].provider.currency)

    async def _account(self, ask: Ask) -> dict[str, Any]:
        provider = ask.query("provider")
        if provider is None:
            raise Refusal(400, "bad_request", f"Say which: ?provider= one of {', '.join(self._mounts)}.")
        self._check_provider(provider)
        account = self._engine.account_or_new(provider, _account_name(ask.params["key"]))
        return views.account_view(account, self._mounts[provider])

    async def _reset(self, ask: Ask) -> dict[str, Any]:
        await ask.body()
        await self._engine.reset()
        return {"status": "reset"}

    def _owner_filter(self, ask: Ask) -> Callable[[Any], bool]:
        """Whether a record is of the provider and the api_key that a call asks for."""
        provider, key = ask.query("provider"), ask.query("api_key")
        if provider is not None:
            self._check_provider(provider)
        account = _account_name(key) if key else None

        def keep(record: Any) -> bool:
            return provider in (None, record.provider) and account in (None, record.account)

        return keep

    def _check_provider(self, name: str) -> None:
        if name not in self._mounts:
            raise Refusal(400, "unknown_provider", f"There is no such provider; there are {', '.join(self._mounts)}.")

    def _list(
        self, ask: Ask, noun: str, rows: Rows[T], keep: Callable[[T], bool], view: Callable[[T], Any]
    ) -> dict[str, Any]:
        found, following = page(rows, keep, _limit(ask), ask.query("cursor"))
        return {noun: [view(value) for _, value in found], "next": following}


_WRONG_HOST = (
    "The control surface answers to this machine's own names alone: use localhost, 127.0.0.1, the address it listens on "
    "or the host of --public-url, or start the server with --allowed-host NAME."
)


@dataclass(frozen=True, slots=True)
class _Owned:
    provider: str
    account: str


def _limit(ask: Ask) -> int:
    text = ask.query("limit") or str(DEFAULT_LIMIT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_LIMIT):
        raise Refusal(400, "bad_request", f"limit is a whole number from 1 to {LARGEST_LIMIT}.")
    return int(text)


def _account_name(key: str) -> str:
    """The account of a key, or of its hash."""
    return key if _HASH.fullmatch(key) else account_id(key)


def _known(rows: Rows[T], name: str, noun: str) -> T:
    found = rows.get(name)
    if found is None:
        raise Refusal(404, "not_found", f"There is no such {noun}; GET /_mock/{noun}s lists them.")
    return found


def _json(status: int, body: Any) -> Response:
    return Response(body=to_json(body), status=status, headers={"Content-Type": "application/json"})
