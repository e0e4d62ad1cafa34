"""Takes callbacks out: opens a delivery when a task ends, makes its attempts, and keeps every one on record."""

from collections.abc import Callable
from dataclasses import dataclass, field

from mockserver.engine.addresses import Address, is_public
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
from mockserver.engine.schedule import Schedule
from mockserver.engine.sinks import Sinks
from mockserver.engine.store import Store
from mockserver.engine.tasks import Task

Observer = Callable[[Delivery, Attempt], None]
HEADERS = {"Content-Type": "application/json"}


def anywhere(_: Address) -> bool:
    return True


def loopback(address: Address) -> bool:
    return address.is_loopback


def no_fault(_: Task) -> DeliveryFault:
    return NO_DELIVERY_FAULT


@dataclass(slots=True)
class Dispatcher:
    """One attempt per due event. `observers` hear of every attempt, `disturb` says what befalls a task's callback."""

    store: Store
    schedule: Schedule
    routing: Routing
    sender: Sender
    observers: list[Observer]
    policy: RetryPolicy = DOCUMENTED
    sinks: Sinks = field(default_factory=Sinks)
    delivery_fault: Callable[[Task], DeliveryFault] = no_fault
    reorder_queue: dict[str, list[str]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget the built-in receivers and what is held back."""
        self.sinks = Sinks()
        self.reorder_queue.clear()

    def open(self, task: Task, target: str, body: bytes, entropy: Entropy, now: float) -> Delivery:
        """Put a callback on record at the task's end and plan its first attempt, or capture it.

        Returns:
            The delivery; where the callback comes more than once, the first of them.
        """
        disturbance = self.delivery_fault(task)
        first = self._put(task, target, body, entropy, now, 0)
        self._plan(first, disturbance, now)
        for copy in range(1, disturbance.copies + 1):
            self._plan(self._put(task, target, body, entropy, now, copy), disturbance, now)
        if disturbance.held is None:
            self._release_reordered(first, now)
        return first

    def _put(self, task: Task, target: str, body: bytes, entropy: Entropy, now: float, copy: int) -> Delivery:
        name = "cb_" + entropy.draw("delivery", task.id, copy).token(12)
        routed = self.routing.resolve(target)
        delivery = Delivery(name, task.id, task.job.provider, task.job.account, target, routed, body, now)
        self.store.deliveries.put(name, delivery)
        return delivery

    def _plan(self, delivery: Delivery, disturbance: DeliveryFault, now: float) -> None:
        if disturbance.lost:
            self._end(delivery, State.LOST)
        elif delivery.routed is None:
            self._end(delivery, State.CAPTURED)
        elif disturbance.held is None:
            self._try_at(delivery, now + disturbance.delay)
        else:
            self._try_at(delivery, now + disturbance.held)
            self.reorder_queue.setdefault(delivery.account, []).append(delivery.id)

    def _release_reordered(self, ahead: Delivery, now: float) -> None:
        """Send what was held back for an account, now that another callback of it has gone first."""
        for name in self.reorder_queue.pop(ahead.account, ()):
            delivery = self.store.deliveries.get(name)
            if delivery is not None and not delivery.ended and not delivery.attempts:
                self._try_at(delivery, max(now, ahead.next_attempt or now))

    def _end(self, delivery: Delivery, state: State) -> None:
        delivery.state, delivery.next_attempt = state, None
        self.store.deliveries.retire(delivery.id)

    def _try_at(self, delivery: Delivery, due: float) -> None:
        delivery.next_attempt = due
        self.schedule.attempt(due, delivery.id)

    def redeliver(self, delivery: Delivery, now: float) -> None:
        """Begin the schedule of a delivery anew at `now`; the attempts made so far stay on record."""
        delivery.routed = self.routing.resolve(delivery.target)
        delivery.state, delivery.failures, delivery.under_way = State.WAITING, 0, None
        self.store.deliveries.revive(delivery.id)
        self._plan(delivery, NO_DELIVERY_FAULT, now)

    async def attempt(self, name: str, due: float, clock: Clock, public_only: bool) -> None:
        """Do what was due at `due` for a delivery: make its attempt, or end one that was under way.

        Does nothing if it was overtaken (by a reset, a redelivery, or a change of its order).
        """
        delivery = self.store.deliveries.get(name)
        if delivery is None or delivery.routed is None or delivery.ended or delivery.next_attempt != due:
            return
        if delivery.under_way is not None:
            self._conclude(delivery, delivery.under_way, due)
        elif (sink := self.sinks.named_by(delivery.routed)) is not None:
            self._deliver_to_sink(delivery, sink, due)
        else:
            await self._post(delivery, delivery.routed, clock, public_only)

    async def _post(self, delivery: Delivery, url: str, clock: Clock, public_only: bool) -> None:
        began, planned = clock.now(), delivery.next_attempt
        rule, verify = self._conditions(delivery, public_only)
        outcome = await self.sender.post(url, delivery.body, rule, verify)
        if self.store.deliveries.get(delivery.id) is delivery and delivery.next_attempt == planned:
            self._conclude(delivery, Attempt(began, outcome), clock.now())

    def _deliver_to_sink(self, delivery: Delivery, sink: str, now: float) -> None:
        """Hand a callback to a built-in receiver, whose answer takes its time on the clock."""
        reply = self.sinks.get(sink).take(now, HEADERS, delivery.body)
        timeout = self.policy.timeout
        if reply.delay >= timeout:
            outcome = Outcome(None, timeout, f"no answer within {timeout:g} s")
        else:
            outcome = Outcome(reply.status, reply.delay)
        if outcome.duration:
            delivery.under_way = Attempt(now, outcome)
            self._try_at(delivery, round(now + outcome.duration, 6))
        else:
            self._conclude(delivery, Attempt(now, outcome), now)

    def _conclude(self, delivery: Delivery, attempt: Attempt, ended: float) -> None:
        delivery.under_way = None
        following = delivery.conclude(attempt, ended, self.policy)
        if following is None:
            self.store.deliveries.retire(delivery.id)
        else:
            self.schedule.attempt(following, delivery.id)
        for observer in self.observers:
            observer(delivery, attempt)

    def _conditions(self, delivery: Delivery, public_only: bool) -> tuple[AddressRule, bool]:
        """Which addresses a delivery may be connected to, and whether certificates are verified.

        A route is the user's own word, so any address will do; a direct loopback target must turn out to be one. Both
        are the user's own machines, with certificates of their own: those are not verified.
        """
        if self.routing.is_routed(delivery.target):
            return anywhere, False
        if not self.routing.egress:
            return loopback, False
        return (is_public if public_only else anywhere), True
