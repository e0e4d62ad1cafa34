"""Delivers callbacks: plans a delivery when a task ends, makes its attempts, and records each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from mockserver.engine.addresses import Address, as_sent, is_loopback, is_public
from mockserver.engine.attempts import Conclude
from mockserver.engine.callbacks import (
    DOCUMENTED,
    NO_DELIVERY_FAULT,
    Attempt,
    Delivery,
    DeliveryFault,
    Outcome,
    RetryPolicy,
    State,
)
from mockserver.engine.clock import Clock, Entropy
from mockserver.engine.outbound import AddressRule, Routing, Sender
from mockserver.engine.sinks import Received, sink_named_by
from mockserver.engine.store import DRAWS, Store
from mockserver.engine.tasks import Task

Observer = Callable[[Delivery, Attempt], None]
HEADERS = {"Content-Type": "application/json"}


def any_address(_: Address) -> bool:
    return True


def _planned(delivery: Delivery, fault: DeliveryFault, now: float) -> Delivery:
    """A delivery with its first attempt scheduled (a fault may delay it), or captured or lost."""
    if fault.lost or delivery.routed is None:
        return replace(delivery, state=State.LOST if fault.lost else State.CAPTURED, next_attempt=None)
    if fault.held is None:
        return replace(delivery, next_attempt=now + fault.delay)
    return replace(delivery, next_attempt=now + fault.held, held_back=True)


async def _nothing() -> None:
    """Record nothing: the event is out of date, or its attempt has not ended."""


async def no_fault(_: Task) -> DeliveryFault:
    return NO_DELIVERY_FAULT


def anywhere(_: str) -> bool:
    """The callbacks of no provider are for public addresses alone."""
    return False


@dataclass(slots=True)
class Dispatcher:
    """Delivers callbacks: one attempt for each due event.

    `defaults` is the routing at the start: `restore_routes` puts its routes in force until the store is given others.
    `observers` are called with each attempt that has ended; `delivery_fault` is the fault of a task's callback;
    `public_only` says of a provider whether its callbacks go to globally routable addresses alone.
    """

    store: Store
    defaults: Routing
    sender: Sender
    observers: list[Observer]
    policy: RetryPolicy = DOCUMENTED
    delivery_fault: Callable[[Task], Awaitable[DeliveryFault]] = no_fault
    public_only: Callable[[str], bool] = anywhere

    async def restore_routes(self) -> None:
        """Put the routes of the start in force."""
        await self.store.steering.change_routes(lambda _: self.defaults.routes)

    @property
    def routing(self) -> Routing:
        """The routing in force."""
        return Routing(self.store.steering.routes(), self.defaults.egress, self.defaults.to_port)

    async def plan(self, task: Task, target: str, body: bytes, entropy: Entropy) -> list[Delivery]:
        """The deliveries of an ended task's callback: one, and the copies that a fault adds.

        Each has its first attempt scheduled, or is captured or lost already. They are not stored yet: the store opens
        them together with the task's settlement.
        """
        fault = await self.delivery_fault(task)
        job, routed = task.job, self.routing.resolve(target)
        planned: list[Delivery] = []
        for copy in range(fault.copies + 1):
            name = await self._free_id(entropy, task.id, copy, {other.id for other in planned})
            plain = Delivery(name, task.id, job.provider, job.account, target, routed, body, task.due)
            planned.append(_planned(plain, fault, task.due))
        return planned

    async def attempts_at_once(self, deliveries: list[Delivery], due: float) -> int | None:
        """How many attempts of planned deliveries are to be made, if all are made at `due`, wait for nobody, and are
        the last: they go to sinks without a script. Else None."""
        waiting = [one for one in deliveries if one.next_attempt is not None]
        sinks = {sink_named_by(one.routed or "") for one in waiting}
        if None in sinks or any(one.held_back or one.next_attempt != due for one in waiting):
            return None
        if any([await self.store.steering.is_scripted(sink) for sink in sinks if sink is not None]):
            return None
        return len(waiting)

    async def _free_id(self, entropy: Entropy, task_id: str, copy: int, taken: set[str]) -> str:
        """An id that no delivery has. Raises ValueError if every id drawn is taken."""
        for draw in range(DRAWS):
            scope = (copy, draw) if draw else (copy,)
            name = "cb_" + entropy.draw("delivery", task_id, *scope).token(12)
            if name not in taken and await self.store.delivery(name) is None:
                return name
        raise ValueError("no delivery id is free")

    async def redeliver(self, delivery: Delivery, now: float) -> bool:
        """Restart the schedule of a delivery at `now`; its earlier attempts stay recorded.

        Returns:
            False if the delivery was changed after it was read; then nothing is done.
        """
        routed = self.routing.resolve(delivery.target)
        fresh = replace(delivery, routed=routed, state=State.WAITING, failures=0, under_way=None)
        return await self.store.update_delivery(delivery, _planned(fresh, NO_DELIVERY_FAULT, now))

    async def attempt(self, name: str, due: float, clock: Clock) -> Conclude:
        """Handle the event of a delivery that was due at `due`: make its attempt, or end the one under way.

        Does nothing if the event is out of date: after a reset, a redelivery, or an earlier release.

        Returns:
            A function that records the attempt: the caller decides in which order.
        """
        delivery = await self.store.delivery(name)
        conclude = await self._without_connection(delivery, due)
        if conclude is not None or delivery is None or delivery.routed is None:
            return conclude or _nothing
        return await self._post(delivery, delivery.routed, clock)

    async def attempt_at_once(self, name: str, due: float) -> Conclude | None:
        """As `attempt`, for an event that needs no connection; for any other, do nothing and return None."""
        return await self._without_connection(await self.store.delivery(name), due)

    async def _without_connection(self, delivery: Delivery | None, due: float) -> Conclude | None:
        if delivery is None or delivery.routed is None or delivery.ended or delivery.next_attempt != due:
            return _nothing
        if delivery.under_way is not None:
            return partial(self._conclude, delivery, delivery.under_way, due)
        sink = sink_named_by(delivery.routed)
        return None if sink is None else await self._deliver_to_sink(delivery, sink, due)

    async def _post(self, delivery: Delivery, url: str, clock: Clock) -> Conclude:
        if delivery.held_back:  # it is sent now, so the account's next callback need not release it
            waited, delivery = delivery, replace(delivery, held_back=False)
            await self.store.update_delivery(waited, delivery)
        began = clock.now()
        rule, verify = self._connection_rules(delivery, self.public_only(delivery.provider))
        outcome = await self.sender.post(url, delivery.body, rule, verify, self.policy.timeout, delivery.id)
        return partial(self._conclude, delivery, Attempt(began, outcome), clock.now())

    async def _deliver_to_sink(self, delivery: Delivery, sink: str, now: float) -> Conclude:
        """Hand a callback to a built-in receiver, whose answer takes its time on the clock."""
        received = Received(now, HEADERS, delivery.body.decode("utf-8", "replace"))
        reply = await self.store.steering.deliver(sink, received)
        timeout = self.policy.timeout
        if reply.delay >= timeout:
            outcome = Outcome(None, timeout, f"no answer within {timeout:g} s")
        else:
            outcome = Outcome(reply.status, reply.delay)
        attempt, ended = Attempt(now, outcome), round(now + outcome.duration, 6)
        if outcome.duration:
            waiting = replace(delivery, under_way=attempt, next_attempt=ended, held_back=False)
            await self.store.update_delivery(delivery, waiting)
            return _nothing
        return partial(self._conclude, delivery, attempt, now)

    async def _conclude(self, delivery: Delivery, attempt: Attempt, ended: float) -> None:
        """Record an attempt, unless the delivery was changed or deleted while it was made."""
        concluded = delivery.concluded(attempt, ended, self.policy)
        if await self.store.update_delivery(delivery, concluded):
            for observer in self.observers:
                observer(concluded, attempt)

    def _connection_rules(self, delivery: Delivery, public_only: bool) -> tuple[AddressRule, bool]:
        """Which addresses a delivery may be connected to, and whether certificates are verified.

        A route is the user's choice: any address is allowed. Without a route and without egress, only loopback is.
        Both are the user's own machines, often with self-signed certificates, which are not verified.
        """
        routing = self.routing
        if routing.is_routed(delivery.target) or delivery.routed != as_sent(delivery.target):
            return any_address, False
        if not routing.egress:
            return is_loopback, False
        return (is_public if public_only else any_address), True
