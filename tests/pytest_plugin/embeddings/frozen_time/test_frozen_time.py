"""Time frozen by freezegun and by time-machine: the server goes on, and its own clock is its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial

import freezegun
import httpx
import pytest
import time_machine

from mockserver.pytest_plugin import MockProviders


def generate(mock: MockProviders) -> float:
    sink = mock.sink("hook").script(500)
    answer = httpx.post(
        f"{mock.xhuoapi.base_url}/v1/openai/images/generations",
        headers={"Authorization": f"Bearer {mock.api_key}"},
        json={"model": "gpt-image-2", "prompt": "x", "callback_url": sink.url},
    )
    mock.clock.advance(3)
    mock.assert_delivered(answer.json()["task_id"])
    mock.callbacks.wait_delivered(answer.json()["task_id"])
    return mock.clock.now


def test_freezegun(mock_providers: MockProviders) -> None:
    with freezegun.freeze_time("2030-05-05 05:05:05"):
        assert datetime.now(UTC).year == 2030
        assert generate(mock_providers) == 1_767_225_603


@freezegun.freeze_time("2001-01-01")
def test_freezegun_as_a_decorator(mock_providers: MockProviders) -> None:
    assert generate(mock_providers) == 1_767_225_603


def test_time_machine(mock_providers: MockProviders) -> None:
    with time_machine.travel(datetime(2030, 5, 5, tzinfo=UTC), tick=False):
        assert datetime.now(UTC).year == 2030
        assert generate(mock_providers) == 1_767_225_603


@pytest.mark.mock_providers(clock="real", latency="0.05")
@pytest.mark.parametrize("freeze", [freezegun.freeze_time, partial(time_machine.travel, tick=False)])
def test_a_real_clock_goes_on(
    mock_providers: MockProviders, freeze: Callable[[str], AbstractContextManager[object]]
) -> None:
    with freeze("2030-05-05"):
        before = mock_providers.clock.now
        answer = httpx.post(
            f"{mock_providers.xhuoapi.base_url}/v1/openai/images/generations",
            headers={"Authorization": f"Bearer {mock_providers.api_key}"},
            json={"model": "gpt-image-2", "prompt": "x"},
        )
        assert answer.status_code == 200
        assert mock_providers.clock.now >= before + 0.05
