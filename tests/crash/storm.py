"""Clients and a receiver of callbacks, while the processes of a server are killed; and the audit of it afterwards."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

from mockserver.engine.accounts import account_id

CLIENTS = 32
APP = "https://app.example.com"
"""evolink accepts public https addresses alone: the servers route this one to the receiver."""

PATHS = {"xhuoapi": "/xhuoapi/v1/openai/images/generations", "evolink": "/evolink/v1/images/generations"}
POLLS = {"evolink": "/evolink/v1/tasks/{}"}
PRICES = {"xhuoapi": Decimal("0.2"), "evolink": Decimal("2.5")}


@dataclass
class Order:
    """One submission as its client saw it. `answer` is the task's id, None if no answer came or it was a refusal."""

    provider: str
    key: str
    path: str
    fails: bool
    status: int | None = None
    answer: str | None = None
    said: str = ""
    seen: set[str] = field(default_factory=set)
    """The final states that polls have shown."""


class Receiver:
    """Counts the callbacks for each path, and takes up to half a second for each answer."""

    def __init__(self, random: Random) -> None:
        self.got: Counter[str] = Counter()
        self.url = ""
        self._random = random

    async def start(self) -> web.ServerRunner:
        runner = web.ServerRunner(web.Server(self._receive))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _receive(self, request: web.BaseRequest) -> web.Response:
        await request.read()
        self.got[request.path] += 1
        await asyncio.sleep(self._random.random() / 2)
        return web.Response()


class Client:
    """Submits with a key of its own, and polls what it submitted, until it is told to stop.

    Half of them are called back by evolink, a quarter by xhuoapi, and a quarter wait for their pictures.
    """

    def __init__(self, number: int, receiver: str, random: Random, pause: float) -> None:
        self.provider = sorted(PATHS)[number % 2]
        self.key = f"client-{number}"  # in no text: where a store is shared, a key in a text is not kept
        self._path = f"/hook/{number}"
        self.orders: list[Order] = []
        self._hooks = APP if self.provider == "evolink" else receiver
        self._random, self._pause = random, pause
        self._waits = number % 4 == 3
        self._keeps_connections = number % 8 < 4

    async def run(self, root: Callable[[], str], stop: asyncio.Event) -> None:
        connector = TCPConnector(force_close=not self._keeps_connections)
        headers = {"Authorization": f"Bearer {self.key}"}
        async with ClientSession(connector=connector, headers=headers, timeout=ClientTimeout(20)) as http:
            while not stop.is_set():
                await self._submit(http, root())
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._pause * 2 * self._random.random())

    async def _submit(self, http: ClientSession, root: str) -> None:
        fails = self._random.random() < 0.2
        order = Order(self.provider, self.key, f"{self._path}/{len(self.orders)}", fails)
        self.orders.append(order)
        body = {
            "model": "gpt-image-2-beta" if self.provider == "evolink" else "gpt-image-2",
            "prompt": order.path + (" [mock:fail]" if fails else ""),
            **({} if self._waits else {"callback_url": self._hooks + order.path}),
        }
        with suppress(ClientError, OSError, TimeoutError):
            async with http.post(root + PATHS[self.provider], json=body) as answer:
                order.status = answer.status
                found = await answer.json()
                order.said = str(found)[:300]
                if answer.status == 200:
                    order.answer = found.get("id") or found["task_id"]
        with suppress(ClientError, OSError, TimeoutError):
            await self._poll(http, root)

    async def _poll(self, http: ClientSession, root: str) -> None:
        """Look at an earlier task."""
        order = self._random.choice(self.orders)
        if order.answer is None or self.provider not in POLLS:
            return
        async with http.get(root + POLLS[self.provider].format(order.answer)) as answer:
            if answer.status == 200:
                order.seen.add((await answer.json())["status"])


@dataclass(frozen=True)
class Books:
    """All that a server has, by its control surface."""

    tasks: list[dict[str, Any]]
    callbacks: list[dict[str, Any]]
    accounts: list[dict[str, Any]]


async def read_books(root: str) -> Books:
    """Wait until nothing is pending, and read everything."""
    async with ClientSession(timeout=ClientTimeout(30)) as http:

        async def get(path: str) -> Any:
            async with http.get(f"{root}/_mock/{path}") as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

        async with asyncio.timeout(60):
            while (await get("health"))["pending"]["tasks"]:  # noqa: ASYNC110 (another process tells)
                await asyncio.sleep(0.1)
        await get("callbacks?limit=1&wait=60")  # until all have ended
        return Books(*[await _all(get, noun) for noun in ("tasks", "callbacks", "accounts")])


async def _all(get: Callable[[str], Awaitable[Any]], noun: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await get(f"{noun}?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        found += page[noun]
        cursor = page["next"]
    return found


def audit(orders: list[Order], got: Mapping[str, int], books: Books, interrupted: str) -> str:
    """Hold what the server has against what clients and receiver saw; a line of figures.

    An order without an answer may have been accepted: then it is there once, as whole as any other.
    """
    callbacks = {one["task_id"]: one for one in books.callbacks}
    assert len(callbacks) == len(books.callbacks)
    tasks = {task["prompt"].partition(" ")[0]: task for task in books.tasks}
    assert len(tasks) == len(books.tasks), "an order was accepted twice"
    by_path = {order.path: order for order in orders}
    assert tasks.keys() <= by_path.keys()
    captured: Counter[tuple[str, str]] = Counter()
    again = 0
    for path, order in by_path.items():
        task = tasks.get(path)
        if task is None:
            assert order.answer is None, f"an answered submission is gone: {order}"
            continue
        assert order.answer in (None, task["id"])
        assert task["status"] == ("failed" if order.fails else "completed")
        assert order.seen <= {"pending", "processing", task["status"]}
        if not order.fails:
            captured[order.provider, account_id(order.key)] += 1
        if task["callback_url"] is not None:
            again += _check_callback(callbacks.pop(task["id"]), got[path], interrupted)
    assert not callbacks
    assert got.keys() <= tasks.keys()
    for account in books.accounts:
        _check_money(account, captured[account["provider"], account["account"]])
    answered = sum(order.answer is not None for order in orders)
    refused = [
        order for order in orders if order.status not in (None, 200) and not (order.fails and order.path in tasks)
    ]
    extra = sum(got.values()) - len(got)
    return (
        f"{len(orders)} submitted, {answered} answered, {len(refused)} refused, {len(tasks)} accepted; "
        f"{sum(got.values())} callbacks received, {extra} of them again, {again} attempts interrupted; "
        f"refused: {refused[:3]}"
    )


def _check_callback(callback: Mapping[str, Any], received: int, interrupted: str) -> int:
    """It was delivered, and each time that it was received is an attempt on record; how many were interrupted."""
    attempts = callback["attempts"]
    assert callback["state"] == "delivered"
    assert attempts[-1]["status"] == 200
    assert {attempt["error"] for attempt in attempts[:-1]} <= {interrupted}, attempts
    assert 1 <= received <= len(attempts), callback
    return len(attempts) - 1


def _check_money(account: Mapping[str, Any], completed: int) -> None:
    amounts = {name: Decimal(account[name]) for name in ("opening", "balance", "held", "captured")}
    assert amounts["held"] == 0
    assert amounts["captured"] == completed * PRICES[account["provider"]], account
    assert amounts["opening"] == amounts["balance"] + amounts["captured"]
