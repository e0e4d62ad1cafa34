"""The marker, and what the ini file says."""

from decimal import Decimal

import httpx
import pytest

from mockserver.pytest_plugin import MockProviders

pytestmark = pytest.mark.mock_providers(balance=3)
IDS: list[str] = []


def submit(mock: MockProviders) -> dict[str, str]:
    answer = httpx.post(
        f"{mock.evolink.base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {mock.api_key}"},
        json={"model": "gpt-image-2-beta", "prompt": "x"},
    )
    found: dict[str, str] = answer.json()
    return found


@pytest.mark.mock_providers(latency="documented")
def test_the_nearest_marker_and_those_around_it_hold(mock_providers: MockProviders) -> None:
    assert submit(mock_providers)["status"] == "pending"
    account = mock_providers.evolink.account()
    assert (account.opening, account.held) == (Decimal(3), Decimal("2.5"))
    mock_providers.clock.advance(until="idle")
    assert [task.status for task in mock_providers.tasks()] == ["completed"]


@pytest.mark.mock_providers(latency="30-30")
def test_a_waiting_call_moves_the_clock(mock_providers: MockProviders) -> None:
    before = mock_providers.clock.now
    httpx.post(
        f"{mock_providers.icodeeasy.base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {mock_providers.api_key}"},
        json={"model": "gpt-image-2", "prompt": "x"},
    ).raise_for_status()
    assert mock_providers.clock.now == before + 30


@pytest.mark.mock_providers(clock="real")
def test_a_real_clock(mock_providers: MockProviders) -> None:
    assert mock_providers.clock.get().mode == "real"


def test_the_ini_file(mock_providers: MockProviders) -> None:
    assert mock_providers.health()["seed"] == "from the ini file"


@pytest.mark.mock_providers(seed="another")
def test_a_seed(mock_providers: MockProviders) -> None:
    first = submit(mock_providers)["id"]
    mock_providers.reset()
    assert submit(mock_providers)["id"] == first


def test_servers_are_shared_by_tests_that_ask_for_the_same(mock_providers: MockProviders) -> None:
    IDS.append(mock_providers.root_url)


def test_servers_are_shared_by_tests_that_ask_for_the_same_two(mock_providers: MockProviders) -> None:
    assert [mock_providers.root_url] == IDS
