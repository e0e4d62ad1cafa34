"""Callbacks on the virtual clock, to the millisecond, with every attempt recorded."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from engine.world import PLAIN, T0, ScriptedSender, at_once, hook, task
from mockserver.engine.addresses import is_loopback as loopback
from mockserver.engine.addresses import is_public
from mockserver.engine.attempts import Conclude
from mockserver.engine.callbacks import DOCUMENTED, Attempt, Delivery, Outcome, RetryPolicy, State
from mockserver.engine.clock import ClockState, Entropy, ServerState, VirtualClock
from mockserver.engine.dispatcher import Dispatcher, any_address
from mockserver.engine.event_runner import EventRunner
from mockserver.engine.outbound import Routing, Sender
from mockserver.engine.store import Store
from mockserver.engine.store.memory import MemoryStore

REFUSED = Outcome(None, 0.0, "Connection refused")
BODY = b'{"id": "task-1"}'
TARGET = "http://127.0.0.1:9/hook"
STATE = ServerState(ClockState("virtual", T0, 0.0), "test", seeded=True, autojump=False)
TASK = task(due=T0, planned=T0)


@dataclass
class Post:
    """A dispatcher, the store and the clock behind it, and who hears of its attempts."""

    sender: Sender
    routing: Routing = field(default_factory=Routing)
    clock: VirtualClock = field(default_factory=VirtualClock)
    heard: list[Attempt] = field(default_factory=list)
    policy: RetryPolicy = DOCUMENTED

    def __post_init__(self) -> None:
        self.store: Store = MemoryStore({"studio": 1000})
        observers: list[Callable[[Delivery, Attempt], None]] = [lambda _, attempt: self.heard.append(attempt)]
        self.dispatcher = Dispatcher(self.store, self.routing, self.sender, observers, self.policy)

    async def open(self, target: str = TARGET) -> Delivery:
        """Submit the task and end it, so that its callback is opened."""
        await self.dispatcher.restore_routes()
        await self.store.submit(PLAIN, T0, lambda *_: TASK)
        deliveries = await self.dispatcher.plan(TASK, target, BODY, Entropy("test"))
        assert await self.store.settle(TASK, deliveries)
        return await self.now(deliveries[0])

    async def now(self, delivery: Delivery) -> Delivery:
        """A delivery as it is kept now."""
        kept = await self.store.delivery(delivery.id)
        assert kept is not None
        return kept

    async def advance(self, seconds: float) -> list[float]:
        """Let time pass; the times (after T0) at which attempts were due."""
        event_runner = EventRunner(self.clock, self.store, no_end, self._attempt, lambda _: None)
        return [due - T0 for due, _, _ in await event_runner.advance(self.clock.now() + seconds)]

    async def _attempt(self, name: str, due: float) -> Conclude | None:
        return await self.dispatcher.attempt(name, due, self.clock)


async def no_end(name: str, due: float) -> None:
    """The task has ended."""


def times(delivery: Delivery) -> list[float]:
    return [round(attempt.time - T0, 3) for attempt in delivery.attempts]


@pytest.mark.claim("EV-CB-4", "EV-CB-5", "XH-CB-3")
@pytest.mark.asyncio
async def test_attempts_at_0_1_3_and_7_seconds_and_then_no_more() -> None:
    post = Post(ScriptedSender(*[REFUSED] * 9))
    delivery = await post.open()
    assert await post.advance(3600) == [0, 1, 3, 7]
    delivery = await post.now(delivery)
    assert delivery.attempts == tuple(Attempt(T0 + second, REFUSED) for second in (0, 1, 3, 7))
    assert (delivery.state, delivery.next_attempt, await post.store.next_due()) == (State.GAVE_UP, None, None)
    assert tuple(post.heard) == delivery.attempts


@pytest.mark.claim("EV-CB-4")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("wait", "count"), [(0, 1), (0.999, 1), (1, 2), (2.999, 2), (3, 3), (6.999, 3), (7, 4), (99, 4)]
)
async def test_no_attempt_comes_a_millisecond_early(wait: float, count: int) -> None:
    post = Post(ScriptedSender(*[REFUSED] * 9))
    delivery = await post.open()
    await post.advance(wait)
    delivery = await post.now(delivery)
    assert len(delivery.attempts) == count


@pytest.mark.claim("EV-CB-4", "EV-CB-5")
@pytest.mark.asyncio
async def test_a_wait_counts_from_the_end_of_an_attempt_that_timed_out() -> None:
    clock = VirtualClock()
    sender = ScriptedSender(
        *[Outcome(None, 10.0, "no answer")] * 9, pace=lambda out: clock.move_to(clock.now() + out.duration)
    )
    post = Post(sender, clock=clock)
    delivery = await post.open()
    await post.advance(3600)
    delivery = await post.now(delivery)
    assert times(delivery) == [0, 11, 23, 37]


@pytest.mark.claim("EV-CB-4")
@pytest.mark.asyncio
@pytest.mark.parametrize("failures", range(4))
async def test_success_stops_the_schedule(failures: int) -> None:
    post = Post(ScriptedSender(*[REFUSED] * failures))
    delivery = await post.open()
    await post.advance(3600)
    delivery = await post.now(delivery)
    assert times(delivery) == [0, 1, 3, 7][: failures + 1]
    assert (delivery.state, delivery.attempts[-1].outcome.status) == (State.DELIVERED, 200)


@pytest.mark.claim("EV-CB-4", "EV-CB-5")
@pytest.mark.asyncio
async def test_a_real_receiver_gets_the_body_that_is_kept_each_time() -> None:
    async with hook(500, 302, 404, 201, location="/elsewhere") as receiver:
        post = Post(Sender())
        delivery = await post.open(receiver.url)
        await post.advance(3600)
        delivery = await post.now(delivery)
        await post.sender.close()
    assert (times(delivery), delivery.state) == ([0, 1, 3, 7], State.DELIVERED)
    assert [attempt.outcome.status for attempt in delivery.attempts] == [500, 302, 404, 201]
    assert [posted.body for posted in receiver.posted] == [delivery.body] * 4 == [BODY] * 4
    assert {(posted.method, posted.path, posted.content_type) for posted in receiver.posted} == {
        ("POST", "/hook", "application/json")
    }


@pytest.mark.claim("EV-CB-4")
@pytest.mark.asyncio
async def test_a_closed_port_is_tried_four_times() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        post = Post(Sender())
        delivery = await post.open(f"http://127.0.0.1:{free.getsockname()[1]}/")
        await post.advance(3600)
        delivery = await post.now(delivery)
        await post.sender.close()
    assert (times(delivery), delivery.state) == ([0, 1, 3, 7], State.GAVE_UP)
    assert all(attempt.outcome.error and attempt.outcome.status is None for attempt in delivery.attempts)


@pytest.mark.claim("EV-CB-4")
@pytest.mark.asyncio
async def test_a_receiver_that_hangs_is_tried_again() -> None:
    async with hook(None) as receiver:
        post = Post(Sender(), policy=replace(DOCUMENTED, timeout=0.25))
        delivery = await post.open(receiver.url)
        await post.advance(3600)
        delivery = await post.now(delivery)
        await post.sender.close()
    assert [attempt.outcome.error for attempt in delivery.attempts] == ["no answer within 0.25 s", None]
    assert (times(delivery), delivery.state) == ([0, 1], State.DELIVERED)


@pytest.mark.parametrize("target", ["https://app.example.com/hook", "http://10.0.0.1/", "http://192.168.0.10:8080/"])
@pytest.mark.asyncio
async def test_callbacks_to_other_machines_are_captured(target: str) -> None:
    post = Post(ScriptedSender())
    delivery = await post.open(target)
    assert await post.advance(3600) == []
    delivery = await post.now(delivery)
    assert (delivery.state, delivery.target, delivery.routed, delivery.body) == (State.CAPTURED, target, None, BODY)
    assert delivery.attempts == ()


@pytest.mark.asyncio
async def test_a_routed_delivery_goes_where_its_route_says() -> None:
    sender = ScriptedSender()
    post = Post(sender, Routing((("https://app.example.com", "http://127.0.0.1:9000"),)))
    delivery = await post.open("https://app.example.com/hook?x=1")
    await post.advance(0)
    delivery = await post.now(delivery)
    assert sender.sent == [("http://127.0.0.1:9000/hook?x=1", BODY)]
    assert (delivery.target, delivery.state) == ("https://app.example.com/hook?x=1", State.DELIVERED)


@pytest.mark.asyncio
async def test_the_same_seed_gives_a_delivery_the_same_name() -> None:
    assert (await Post(ScriptedSender()).open()).id == (await Post(ScriptedSender()).open()).id


@pytest.mark.asyncio
async def test_an_attempt_that_is_out_of_date_is_not_made() -> None:
    post = Post(ScriptedSender())
    delivery = await post.open()
    assert await post.store.update_delivery(delivery, replace(delivery, next_attempt=T0 + 5))
    await post.dispatcher.attempt(delivery.id, T0, post.clock)
    await post.dispatcher.attempt("cb_unknown", T0, post.clock)
    assert (await post.now(delivery)).attempts == ()


@pytest.mark.asyncio
async def test_a_delivery_forgotten_while_it_is_posted_is_not_tried_again() -> None:
    post = Post(ScriptedSender(REFUSED, pace=lambda _: at_once(post.store.reset(STATE))))
    delivery = await post.open()
    assert await post.advance(3600) == [0]
    assert (await post.store.delivery(delivery.id), post.heard) == (None, [])


@pytest.mark.asyncio
async def test_a_redelivery_begins_the_schedule_anew() -> None:
    post = Post(ScriptedSender(*[REFUSED] * 9))
    delivery = await post.open()
    await post.advance(100)
    delivery = await post.now(delivery)
    await post.dispatcher.redeliver(delivery, post.clock.now())
    await post.advance(100)
    delivery = await post.now(delivery)
    assert (times(delivery), delivery.state) == ([0, 1, 3, 7, 100, 101, 103, 107], State.GAVE_UP)


@pytest.mark.parametrize(
    ("routing", "target", "public_only", "conditions"),
    [
        (Routing((("https://a.example", "http://10.0.0.1"),)), "https://a.example/x", True, (any_address, False)),
        (Routing(), TARGET, False, (loopback, False)),
        (Routing(egress=True), "https://b.example/", True, (is_public, True)),
        (Routing(egress=True), "https://b.example/", False, (any_address, True)),
        (Routing(egress=True), TARGET, True, (is_public, True)),
    ],
)
@pytest.mark.asyncio
async def test_allowed_addresses(routing: Routing, target: str, public_only: bool, conditions: object) -> None:
    post = Post(ScriptedSender(), routing)
    assert post.dispatcher._connection_rules(await post.open(target), public_only) == conditions
