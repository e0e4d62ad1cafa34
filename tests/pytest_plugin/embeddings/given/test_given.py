"""Hypothesis: the session's mock, reset in each example."""

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.pytest_plugin import MockProviders

PRICES = {"low": 10, "medium": 20, "high": 40}


@settings(max_examples=8, deadline=None, database=None)
@given(qualities=st.lists(st.sampled_from(sorted(PRICES)), max_size=3))
def test_the_sum_of_the_prices(mock_providers_session: MockProviders, qualities: list[str]) -> None:
    mock = mock_providers_session
    mock.reset()
    for quality in qualities:
        httpx.post(
            f"{mock.icodeeasy.base_url}/v1/images/generations",
            headers={"Authorization": f"Bearer {mock.api_key}"},
            json={"model": "gpt-image-2", "prompt": "x", "quality": quality},
        )
    assert mock.icodeeasy.account().captured * 100 == sum(PRICES[quality] for quality in qualities)


def test_it_is_another_server(mock_providers: MockProviders, mock_providers_session: MockProviders) -> None:
    assert mock_providers.root_url != mock_providers_session.root_url
