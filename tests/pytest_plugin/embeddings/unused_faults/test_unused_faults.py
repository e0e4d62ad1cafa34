"""Fault rules that fire, that never fire, and that need not."""

import httpx
import pytest

from mockserver.pytest_plugin import MockProviders


def poll(mock: MockProviders) -> int:
    return httpx.get(
        f"{mock.evolink.base_url}/v1/credits", headers={"Authorization": f"Bearer {mock.api_key}"}
    ).status_code


def test_it_fires(mock_providers: MockProviders) -> None:
    mock_providers.faults.add("status", provider="evolink", status=503)
    assert poll(mock_providers) == 503


def test_it_never_fires(mock_providers: MockProviders) -> None:
    mock_providers.faults.add("status", provider="evolink", method="POST", status=503)
    assert poll(mock_providers) == 200


def test_it_is_skipped(mock_providers: MockProviders) -> None:
    mock_providers.faults.add("status", provider="evolink", status=503, skip=1)
    assert poll(mock_providers) == 200


def test_it_is_optional(mock_providers: MockProviders) -> None:
    mock_providers.faults.add("latency", seconds=1, optional=True)


def test_it_is_removed(mock_providers: MockProviders) -> None:
    mock_providers.faults.remove(mock_providers.faults.add("latency", seconds=1).id)
    mock_providers.faults.add("latency", seconds=1)
    assert mock_providers.faults.clear() == 1


def test_before_a_reset(mock_providers: MockProviders) -> None:
    mock_providers.faults.add("latency", seconds=2)
    mock_providers.reset()


def test_everyones(mock_providers: MockProviders) -> None:
    mock_providers.faults.add("latency", seconds=3, everyone=True)


@pytest.mark.xfail(strict=True)
def test_a_failure_says_enough(mock_providers: MockProviders) -> None:
    mock_providers.faults.add("latency", seconds=4)
    raise ValueError


@pytest.mark.asyncio
async def test_asynchronous(mock_providers: MockProviders) -> None:
    async with mock_providers.aio() as mock:
        await mock.faults.add("latency", seconds=5)


def test_of_the_session(mock_providers_session: MockProviders) -> None:
    mock_providers_session.faults.add("latency", seconds=6)
