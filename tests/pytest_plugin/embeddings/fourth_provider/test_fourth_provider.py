"""A provider of an installed package, whose keys have another form than those of the three."""

from decimal import Decimal

import openai
import pytest

from mockserver.pytest_plugin import MockProviders


@pytest.mark.parametrize("times", [1, 2])
def test_the_handle_knows_it(mock_providers: MockProviders, times: int) -> None:
    """Its own key is part of this test's lists, faults and assertions; money of other tests is not."""
    mock = mock_providers
    fourth = mock.provider("openai_images")
    assert mock.openai_images.base_url == fourth.base_url  # type: ignore[attr-defined]
    assert (fourth.api_key.partition("_")[0], mock.api_key.partition("_")[0]) == ("sk-mock", "sk")
    assert mock.env()["OPENAI_IMAGES_API_KEY"] == fourth.api_key
    mock.faults.add("status", provider="openai_images", status=500, times=1)
    client = openai.OpenAI(base_url=fourth.openai_base_url, api_key=fourth.api_key, max_retries=0)
    with pytest.raises(openai.InternalServerError):
        client.images.generate(prompt="a fox")
    for _ in range(times):
        assert client.images.generate(prompt="a fox").data
    mock.assert_requested("openai_images", times=times + 1)
    assert [task.provider for task in mock.tasks()] == ["openai_images"] * times
    (account,) = mock.accounts()
    mock.assert_spent("openai_images", account.captured)
    assert account.captured > Decimal(0)
    assert fourth.account().generations == times


@pytest.mark.mock_providers(balance=3)
def test_its_balance(mock_providers: MockProviders) -> None:
    assert mock_providers.provider("openai_images").account().balance == 3
    assert mock_providers.evolink.account().balance == 3
