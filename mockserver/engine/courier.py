"""Takes callbacks out: opens a delivery when a task ends, makes its attempts, and keeps every one on record."""

from collections.abc import Callable
from dataclasses import dataclass

from mockserver.engine.addresses import Address, is_public
from mockserver.engine.callbacks import DOCUMENTED, Attempt, Delivery, RetryPolicy, State
from mockserver.engine.clock import Clock, Entropy
from mockserver.engine.outbound import AddressRule, Routing, Sender
from mockserver.engine.schedule import Schedule
from mockserver.engine.store import Store
from mockserver.engine.tasks import Task

Observer = Callable[[Delivery, Attempt], None]


def anywhere(_: Address) -> bool:
    return True


def loopback(address: Address) -> bool:
    return address.is_loopback


@dataclass(slots=True)
class Courier:
    """One attempt per due event. `observers` hear of every attempt made."""

    store: Store
    schedule: Schedule
    routing: Routing
    sender: Sender
    observers: list[Observer]
    policy: RetryPolicy = DOCUMENTED

    def open(self, task: Task, target: str, body: bytes, entropy: Entropy, now: float) -> Delivery:
        """Put a callback on record at the task's end and plan its first attempt, or capture it."""
        routed = self.routing.resolve(target)
        name = "cb_" + entropy.draw("delivery", task.id).token("id", 12)
        delivery = Delivery(name, task.id, task.job.provider, task.job.account, target, routed, body, now)
        self.store.deliveries.put(name, delivery)
        if routed is None:
            delivery.state = State.CAPTURED
            self.store.deliveries.retire(name)
        else:
            delivery.next_attempt = now
            self.schedule.attempt(now, name)
        return delivery

    async def attempt(self, name: str, due: float, clock: Clock, public_only: bool) -> None:
        """Make the attempt that was due at `due`; does nothing if it was overtaken (a reset, a redelivery)."""
        delivery = self.store.deliveries.get(name)
        if delivery is None or delivery.routed is None or delivery.next_attempt != due:
            return
        began = clock.now()
        rule, verify = self._conditions(delivery, public_only)
        outcome = await self.sender.post(delivery.routed, delivery.body, rule, verify)
        if self.store.deliveries.get(name) is delivery:
            self._conclude(delivery, Attempt(began, outcome), clock.now())

    def _conclude(self, delivery: Delivery, attempt: Attempt, ended: float) -> None:
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
