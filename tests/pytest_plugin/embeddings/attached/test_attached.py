"""Attached to a running server, which others use too."""

import httpx
import pytest

from mockserver.pytest_plugin import MockProviders


def submit(mock: MockProviders, key: str | None = None, host: str = "app") -> httpx.Response:
    return httpx.post(
        f"{mock.evolink.base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {key or mock.api_key}"},
        json={"model": "gpt-image-2-beta", "prompt": "x", "callback_url": f"https://{host}.example.com/hook"},
    )


@pytest.mark.parametrize("host", ["app1", "app2", "app3", "app4"])
def test_alone_among_others(mock_providers: MockProviders, host: str) -> None:
    assert submit(mock_providers, "sk_somebody_else").status_code == 200
    assert mock_providers.requests() == []
    assert mock_providers.faults.list() == []
    assert f"https://{host}.example.com" not in mock_providers.callbacks.routes()
    sink = mock_providers.sink("hook")
    assert sink.received == ()
    mock_providers.callbacks.route(f"https://{host}.example.com", sink.url)
    mock_providers.faults.add("status", status=503, times=1)
    mock_providers.faults.add("task_fail", prompt="nothing has this", everyone=True, optional=True)
    mock_providers.faults.add("task_fail", api_key=f"sk_{host}", optional=True)
    assert [submit(mock_providers, host=host).status_code for _ in range(2)] == [503, 200]
    mock_providers.assert_requested("evolink", times=2)
    mock_providers.assert_delivered()
    assert len(sink.received) == 1
    mock_providers.assert_spent("evolink", "2.5")


@pytest.mark.mock_providers(balance=2)
def test_a_balance_of_its_own(mock_providers: MockProviders) -> None:
    assert submit(mock_providers).status_code == 402


@pytest.mark.mock_providers(clock="real")
def test_other_settings_need_another_server(mock_providers: MockProviders, pytestconfig: pytest.Config) -> None:
    assert mock_providers.root_url != pytestconfig.getoption("mock_providers_url")
