"""The scenarios of the ini file, and a marker in their place."""

from decimal import Decimal

import httpx
import pytest

from mockserver.pytest_plugin import MockProviders

MODELS = {"evolink": "gpt-image-2-beta", "icodeeasy": "gpt-image-2"}


def submit(mock: MockProviders, provider: str) -> int:
    return httpx.post(
        f"{mock.provider(provider).base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {mock.api_key}"},
        json={"model": MODELS[provider], "prompt": "x"},
    ).status_code


def test_all_scenarios_of_the_ini_file_hold(mock_providers: MockProviders) -> None:
    assert submit(mock_providers, "icodeeasy") == 402
    assert submit(mock_providers, "evolink") == 200
    account = mock_providers.evolink.account()
    assert (account.opening, account.captured) == (Decimal(50), Decimal(7))


def test_they_hold_after_a_reset(mock_providers: MockProviders) -> None:
    mock_providers.reset()
    assert submit(mock_providers, "icodeeasy") == 402


@pytest.mark.mock_providers(scenario="mine.toml")
def test_a_markers_scenario_replaces_them(mock_providers: MockProviders) -> None:
    assert submit(mock_providers, "icodeeasy") == 200


@pytest.mark.mock_providers(scenario="")
def test_an_empty_one_means_none(mock_providers: MockProviders) -> None:
    assert submit(mock_providers, "icodeeasy") == 200
    assert mock_providers.evolink.account().opening == Decimal(1000)


@pytest.mark.mock_providers(scenario="rate-limited")
def test_a_shipped_one_of_a_marker(mock_providers: MockProviders) -> None:
    assert [submit(mock_providers, "evolink") for _ in range(4)] == [200, 200, 200, 429]
