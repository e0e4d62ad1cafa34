"""Each test uses the fixture wrongly: its traceback ends here, at the line that does."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mockserver.pytest_plugin import MockProviders

MISTAKES: dict[str, Callable[[Any], object]] = {
    "advance_nowhere": lambda mock: mock.clock.advance(),
    "advance_back": lambda mock: mock.clock.advance(until=0),
    "clock_mode": lambda mock: mock.clock.set(mode="unreal"),
    "fault_type": lambda mock: mock.faults.add("statuss"),
    "fault_provider": lambda mock: mock.faults.add("status", provider="evolinc"),
    "fault_parameter": lambda mock: mock.faults.add("status", colour="red"),
    "spent_provider": lambda mock: mock.assert_spent("evolinc", 1),
    "spent_amount": lambda mock: mock.assert_spent("evolink", 1),
    "requested_provider": lambda mock: mock.assert_requested("evolinc"),
    "delivered_task": lambda mock: mock.assert_delivered("task-x"),
    "wait_task": lambda mock: mock.callbacks.wait_delivered("task-x"),
    "provider_name": lambda mock: mock.provider("evolinc"),
    "provider_attribute": lambda mock: mock.evolinc,
    "openai_address": lambda mock: mock.evolink.openai_base_url,
    "route": lambda mock: mock.callbacks.route("nowhere", "nowhere"),
    "balance": lambda mock: mock.evolink.account().set(balance="much"),
    "sink_script": lambda mock: mock.sink("hook").script(99),
    "snapshot": lambda mock: mock.restore({}),
    "rule_id": lambda mock: mock.faults.get("fault-99"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_blocking(mock_providers: MockProviders, name: str) -> None:
    MISTAKES[name](mock_providers)


@pytest.mark.parametrize("name", ["advance_nowhere", "fault_type", "spent_provider", "delivered_task"])
def test_asynchronous(mock_providers: MockProviders, name: str) -> None:
    async def main() -> None:
        async with mock_providers.aio() as mock:
            await MISTAKES[name](mock)  # type: ignore[misc]

    asyncio.run(main())
