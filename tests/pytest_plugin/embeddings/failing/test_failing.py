"""Tests that fail, for what they say."""

import logging

import httpx
import pytest

from mockserver.client import MockError
from mockserver.engine.dispatcher import Dispatcher
from mockserver.engine.engine import Engine
from mockserver.engine.store.memory import MemoryStore
from mockserver.pytest_plugin import MockProviders

logging.getLogger("mockserver").disabled = True


def generate(mock: MockProviders, key: str | None = None, **fields: str) -> httpx.Response:
    return httpx.post(
        f"{mock.xhuoapi.base_url}/v1/openai/images/generations",
        headers={"Authorization": f"Bearer {key or mock.api_key}"},
        json={"model": "gpt-image-2", "prompt": "a small fox", **fields},
    )


def crash(*_: object, **__: object) -> None:
    raise ZeroDivisionError("a defect")


def test_spent(mock_providers: MockProviders) -> None:
    generate(mock_providers)
    mock_providers.assert_spent("xhuoapi", 99)


def test_requested(mock_providers: MockProviders) -> None:
    generate(mock_providers)
    generate(mock_providers, key="sk_typo")
    mock_providers.assert_requested("xhuoapi", times=2)


def test_requested_nothing(mock_providers: MockProviders) -> None:
    mock_providers.assert_requested()


def test_delivered(mock_providers: MockProviders) -> None:
    sink = mock_providers.sink("hook").script(500, 503, (200, 12), 404)
    generate(mock_providers, callback_url=sink.url)
    mock_providers.assert_delivered()


def test_delivered_elsewhere(mock_providers: MockProviders) -> None:
    generate(mock_providers, callback_url="https://app.example.com/hook")
    mock_providers.assert_delivered()


def test_delivered_nothing(mock_providers: MockProviders) -> None:
    generate(mock_providers)
    mock_providers.assert_delivered()


def test_a_defect(mock_providers: MockProviders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "submit", crash)
    assert generate(mock_providers).status_code == 500


def test_after_a_defect(mock_providers: MockProviders) -> None:
    assert generate(mock_providers).status_code == 200


def test_a_defect_beside_a_failure(mock_providers: MockProviders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "submit", crash)
    assert generate(mock_providers).status_code == 200


def test_a_defect_in_an_attempt(mock_providers: MockProviders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dispatcher, "attempt", crash)
    generate(mock_providers, callback_url=mock_providers.sink("hook").url)
    mock_providers.clock.advance(1)


def test_a_defect_of_the_control_surface(mock_providers: MockProviders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryStore, "delivery_of", crash)
    generate(mock_providers)
    with pytest.raises(MockError, match=r"500|defect"):
        mock_providers.tasks()


@pytest.mark.mock_providers(latencyy="instant")
def test_a_wrong_marker(mock_providers: MockProviders) -> None: ...


@pytest.mark.mock_providers(latency="instantly")
def test_a_wrong_value(mock_providers: MockProviders) -> None: ...


def test_a_real_host(mock_providers: MockProviders) -> None:
    mock_providers.block_real()
    httpx.get("https://api.evolink.ai/v1/credits")
