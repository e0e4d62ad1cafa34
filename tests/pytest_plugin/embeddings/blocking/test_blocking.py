"""Blocking clients: httpx and requests."""

import httpx
import pytest
import requests

from mockserver.pytest_plugin import MockProviders


def test_httpx(mock_providers: MockProviders) -> None:
    answer = httpx.post(
        f"{mock_providers.icodeeasy.base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {mock_providers.api_key}"},
        json={"model": "gpt-image-2", "prompt": "an orange cat"},
    )
    assert httpx.get(answer.json()["data"][0]["url"], follow_redirects=True).content.startswith(b"\x89PNG")
    mock_providers.assert_requested("icodeeasy", times=1, prompt="orange cat")
    mock_providers.assert_spent("icodeeasy", "0.20")


def test_requests_and_a_callback(mock_providers: MockProviders) -> None:
    sink = mock_providers.sink("hook").script(500, 500)
    mock_providers.callbacks.route("https://app.example.com", sink.url)
    answer = requests.post(
        f"{mock_providers.evolink.base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {mock_providers.api_key}"},
        json={"model": "gpt-image-2-beta", "prompt": "x", "callback_url": "https://app.example.com/hook"},
        timeout=10,
    )
    task_id = answer.json()["id"]
    (callback,) = mock_providers.assert_delivered()
    assert [attempt.status for attempt in callback.attempts] == [500, 500, 200]
    assert [got.body["id"] for got in sink.received] == [task_id] * 3


def test_the_next_test_starts_clean(mock_providers: MockProviders) -> None:
    assert mock_providers.requests(everyone=True) == []
    assert mock_providers.callbacks.routes() == {}
    assert mock_providers.sink("hook").received == ()
    assert mock_providers.clock.now == 1_767_225_600


def test_env(mock_providers: MockProviders, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in mock_providers.env().items():
        monkeypatch.setenv(name, value)
    import os

    credits = requests.get(
        os.environ["EVOLINK_BASE_URL"] + "/credits",
        headers={"Authorization": "Bearer " + os.environ["EVOLINK_API_KEY"]},
        timeout=10,
    )
    assert credits.json()["data"]["user"]["remaining_credits"] == 1000
    mock_providers.assert_requested("evolink", path="/v1/credits", times=1)


def test_another_key_is_another_account(mock_providers: MockProviders) -> None:
    url = f"{mock_providers.icodeeasy.base_url}/v1/images/generations"
    body = {"model": "gpt-image-2", "prompt": "theirs"}
    requests.post(url, headers={"Authorization": "Bearer sk_somebody_else"}, json=body, timeout=10)
    requests.post(url, json=body, timeout=10)
    assert mock_providers.requests() == []
    assert [request.status for request in mock_providers.requests(everyone=True)] == [200, 401]
    assert mock_providers.icodeeasy.account().balance == 1000
