"""Random stories at all three providers, held against a small model of time, money and delivery.

It goes over the wire: a call costs a millisecond, and what is asserted is then what a client sees.
"""

import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from control.steer import APP, PROVIDERS, T0, add, ask, defects, order, poll, route_app, script, sink_url, submit
from mockserver.engine.accounts import account_id
from support import web
from support.calls import Caller
from support.scene import Scene
from support.stores import KINDS, store_url

KEYS = ("sk_one", "sk_two")
OPENING = Decimal(6)
PRICES = {"xhuoapi": Decimal("0.2"), "icodeeasy": Decimal("0.2"), "evolink": Decimal("2.5")}
WAITS = (1, 2, 4)
TIMEOUT = 10
LONG = bool(os.environ.get("MOCKSERVER_TEST_ALL"))
"""Whether to tell as many stories as take minutes (scripts/test --all)."""

Mode = tuple[int, float]
"""How the receiver answers: a status, after so many seconds."""


@dataclass
class Sent:
    """The callback of a task that has ended: its attempts as (begun, status), and what comes next and when."""

    next: float | None
    attempts: list[tuple[float, int | None]] = field(default_factory=list)
    under_way: tuple[float, int | None] | None = None

    def step(self, mode: Mode) -> None:
        """Begin an attempt, or end the one under way."""
        assert self.next is not None
        if self.under_way is None:
            status, delay = mode
            self.under_way = (self.next, status if delay < TIMEOUT else None)
            self.next += min(delay, TIMEOUT)
            if delay:
                return
        self.attempts.append(self.under_way)
        done = self.under_way[1] == 200 or len(self.attempts) > len(WAITS)
        self.next = None if done else self.next + WAITS[len(self.attempts) - 1]
        self.under_way = None


@dataclass
class Known:
    """A task as it must be."""

    provider: str
    key: str
    due: float
    fails: bool
    calls_back: bool
    sent: Sent | None = None

    def status(self, now: float) -> str:
        if now < self.due:
            return "running"
        return "failed" if self.fails else "completed"


@dataclass
class Model:
    """All that is remembered between two calls; times are seconds since T0."""

    now: float = 0.0
    mode: Mode = (200, 0.0)
    tasks: dict[str, Known] = field(default_factory=dict)
    progress: dict[str, int] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        for task in self.tasks.values():
            if task.calls_back and task.sent is None and task.due <= self.now:
                task.sent = Sent(task.due)
            while task.sent and task.sent.next is not None and task.sent.next <= self.now:
                task.sent.step(self.mode)

    def money(self, provider: str, key: str) -> dict[str, Decimal]:
        own = [task.status(self.now) for task in self.tasks.values() if (task.provider, task.key) == (provider, key)]
        held, captured = own.count("running") * PRICES[provider], own.count("completed") * PRICES[provider]
        return {"opening": OPENING, "balance": OPENING - held - captured, "held": held, "captured": captured}

    def idle(self) -> bool:
        """Whether nothing is to come any more."""
        planned = [task.sent.next for task in self.tasks.values() if task.sent]
        return planned.count(None) == len(planned) and all(task.due <= self.now for task in self.tasks.values())


Order = tuple[str, str, float, str, bool]
ORDERS: st.SearchStrategy[Order] = st.tuples(
    st.sampled_from(("evolink", *PROVIDERS)),
    st.sampled_from(KEYS),
    st.sampled_from([3.0, 0.0, 0.5, 20.0]),
    st.sampled_from(["", "", "[mock:fail]", "rule"]),
    st.sampled_from([True, True, False]),
)
"""Provider, key, seconds that it takes, how it fails, and whether it calls back."""

MODES: st.SearchStrategy[Mode] = st.sampled_from([(200, 11.0), (500, 0.0), (503, 2.0), (200, 9.5), (200, 0.0)])


class Machine(RuleBasedStateMachine):
    """One server through a story; every rule ends with an advance by nothing, so that what is due has run."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        self.model = Model()
        self.saved: tuple[Any, Model] | None = None
        self.start_afresh()

    def caller(self, provider: str, key: str) -> Caller:
        return Caller(self.scene, provider, key)

    def pass_time(self, seconds: float) -> None:
        self.model.advance(seconds)
        answer = ask(self.scene, "POST", "clock/advance", {"seconds": seconds})
        assert answer["now"] - T0 == self.model.now
        times = [event["time"] for event in answer["ran"]]
        assert times == sorted(times)

    # what happens

    @rule(orders=st.lists(ORDERS, min_size=1, max_size=4))
    def submit(self, orders: list[Order]) -> None:
        for one in orders:
            self.submit_one(*one)

    def submit_one(self, provider: str, key: str, delay: float, fails: str, calls_back: bool) -> None:
        caller, calls_back = self.caller(provider, key), calls_back and provider != "icodeeasy"
        where = {"callback_url": sink_url(self.scene) if provider == "xhuoapi" else f"{APP}/app"} if calls_back else {}
        prompt = f"a fox [mock:delay={delay}] {fails}"
        if self.model.money(provider, key)["balance"] < PRICES[provider]:
            assert order(caller, prompt=prompt, **where).status_code in (402, 403)
            return
        if fails == "rule":
            add(self.scene, "task_fail", {"api_key": key}, times=1)
        name = submit(caller, prompt=prompt, **where)
        if fails == "rule":
            ask(self.scene, "DELETE", "faults")
        assert name not in self.model.tasks
        self.model.tasks[name] = Known(provider, key, self.model.now + delay, bool(fails), calls_back)
        self.pass_time(0)

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0, 10.0, 60.0]))
    def advance(self, seconds: float) -> None:
        self.pass_time(seconds)

    @rule()
    def run_until_idle(self) -> None:
        answer = ask(self.scene, "POST", "clock/advance", {"until": "idle"})
        self.model.advance(answer["now"] - T0 - self.model.now)
        assert self.model.idle()

    @precondition(lambda self: self.model.tasks)
    @rule(data=st.data())
    def poll(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.tasks)))
        task = self.model.tasks[name]
        body = poll(self.caller(task.provider, task.key), name).json()
        expected = task.status(self.model.now)
        if task.provider == "xhuoapi":
            shown = (
                "running" if body["response"] is None else ("completed" if body["response"]["success"] else "failed")
            )
            assert body["finished_at"] == (None if expected == "running" else T0 + task.due)
        else:
            shown = {"pending": "running", "processing": "running"}.get(body["status"], body["status"])
        assert shown == expected

    @precondition(lambda self: any(task.provider == "evolink" for task in self.model.tasks.values()))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        names = sorted(name for name, task in self.model.tasks.items() if task.provider == "evolink")
        name = data.draw(st.sampled_from(names))
        task = self.model.tasks[name]
        answer = self.caller("evolink", task.key).post(f"/v1/tasks/{name}/cancel", {})
        if task.status(self.model.now) == "running":
            assert (answer.status_code, answer.json()["status"]) == (200, "failed")
            task.due, task.fails = self.model.now, True
            self.pass_time(0)
        else:
            assert answer.status_code == 400

    @initialize(mode=MODES)
    def first_receiver(self, mode: Mode) -> None:
        self.receiver(mode)

    @rule(mode=MODES)
    def receiver(self, mode: Mode) -> None:
        """Up, down, hanging or slow."""
        self.model.mode = mode
        script(self.scene, *([] if mode == (200, 0.0) else [{"status": mode[0], "delay": mode[1]}] * 1_000))

    @rule()
    def snapshot(self) -> None:
        self.saved = ask(self.scene, "GET", "snapshot"), deepcopy(self.model)

    @precondition(lambda self: self.saved is not None)
    @rule()
    def restore(self) -> None:
        assert self.saved is not None
        ask(self.scene, "PUT", "snapshot", self.saved[0])
        self.model = deepcopy(self.saved[1])
        self.pass_time(0)

    @rule(seconds=st.sampled_from([1.0, 10.0, 60.0]))
    def go_on_and_come_back(self, seconds: float) -> None:
        self.snapshot()
        self.pass_time(seconds)
        self.restore()
        self.pass_time(seconds)

    @precondition(lambda self: len(self.model.tasks) > 6)
    @rule()
    def forget_all(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        ask(self.scene, "POST", "reset")
        route_app(self.scene)
        self.model = Model()

    @precondition(lambda self: len(self.model.tasks) > 3)
    @rule(key=st.sampled_from(KEYS))
    def forget_one(self, key: str) -> None:
        ask(self.scene, "POST", "reset", {"api_key": key})
        gone = [name for name, task in self.model.tasks.items() if task.key == key]
        for name in gone:
            del self.model.tasks[name]
            self.model.progress.pop(name, None)
            self.model.ended.pop(name, None)

    # what holds

    @invariant()
    def no_task_is_lost_and_ends_are_final(self) -> None:
        shown = {task["id"]: task for task in ask(self.scene, "GET", "tasks", limit=1000)["tasks"]}
        assert shown.keys() == self.model.tasks.keys()
        for name, task in shown.items():
            expected = self.model.tasks[name].status(self.model.now)
            assert task["status"] in (("pending", "processing") if expected == "running" else (expected,))
            if expected != "running":
                assert self.model.ended.setdefault(name, expected) == expected
            assert task["progress"] >= self.model.progress.get(name, 0)
            self.model.progress[name] = task["progress"]

    @invariant()
    def money_is_conserved(self) -> None:
        shown = {
            (one["provider"], one["account"]): one for one in ask(self.scene, "GET", "accounts", limit=1000)["accounts"]
        }
        for provider in PROVIDERS:
            for key in KEYS:
                account = shown.get((provider, account_id(key)), {name: "6" if name in FULL else "0" for name in MONEY})
                amounts = {name: Decimal(account[name]) for name in MONEY}
                assert amounts == self.model.money(provider, key)
                assert amounts["opening"] == amounts["balance"] + amounts["held"] + amounts["captured"]

    @invariant()
    def callbacks_are_attempted_as_documented(self) -> None:
        shown = {one["task_id"]: one for one in ask(self.scene, "GET", "callbacks", limit=1000)["callbacks"]}
        assert shown.keys() == {name for name, task in self.model.tasks.items() if task.sent}
        for name, delivery in shown.items():
            task = self.model.tasks[name]
            made = [(attempt["time"] - T0, attempt["status"]) for attempt in delivery["attempts"]]
            assert task.sent is not None
            assert made == task.sent.attempts
            assert delivery["created"] - T0 == task.due <= self.model.now
            assert len(made) <= 4
            if all(attempt["duration"] == 0 for attempt in delivery["attempts"]):
                assert [time - task.due for time, _ in made] == [0, 1, 3, 7][: len(made)]

    def teardown(self) -> None:
        assert defects(self.scene) == 0


MONEY = ("opening", "balance", "held", "captured")
FULL = ("opening", "balance")


def tell(scene: Scene, examples: int) -> None:
    bounds = settings(
        max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(partial(Machine, scene), settings=bounds)  # type: ignore[arg-type] # any factory will do


def test_any_story_keeps_time_money_and_deliveries_in_order(serve: Callable[..., Scene]) -> None:
    tell(serve(balance=OPENING), 300 if LONG else 40)


class Turns(httpx.BaseTransport):
    """Sends each request to another one of several servers."""

    def __init__(self, *roots: str) -> None:
        self._clients = [web.Client(base_url=root) for root in roots]
        self._turns = cycle(self._clients)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        client = next(self._turns)
        url = client.base_url.join(request.url.raw_path.decode())
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        answer = client.request(request.method, url, content=request.read(), headers=headers)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.mark.parametrize("kind", KINDS)
def test_so_does_a_story_that_two_processes_on_one_store_tell_in_turns(
    kind: str, serve: Callable[..., Scene], tmp_path: Path
) -> None:
    with store_url(kind, tmp_path) as url:
        first, second = (serve(balance=OPENING, store=url) for _ in range(2))
        with web.Client(base_url=first.root, transport=Turns(first.root, second.root), timeout=10) as http:
            tell(Scene(first.server, http), 100 if LONG else 10)
        first.server.stop()
        second.server.stop()
