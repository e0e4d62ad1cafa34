"""Under xdist."""

import httpx
import pytest

from mockserver.pytest_plugin import MockProviders


@pytest.mark.parametrize("number", range(1, 7))
def test_each_alone(mock_providers: MockProviders, number: int) -> None:
    for _ in range(number):
        httpx.post(
            f"{mock_providers.icodeeasy.base_url}/v1/images/generations",
            headers={"Authorization": f"Bearer {mock_providers.api_key}"},
            json={"model": "gpt-image-2", "prompt": "x"},
        )
    mock_providers.assert_requested(times=number)
    assert len(mock_providers.tasks(status="completed")) == number
