"""The OpenAI SDK, which retries by itself."""

import openai
import pytest

from mockserver.pytest_plugin import MockProviders


@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_the_sdk_retries_a_503(mock_providers: MockProviders, provider: str) -> None:
    base_url = getattr(mock_providers, provider).openai_base_url
    mock_providers.faults.add("status", provider=provider, status=503, times=1)
    with openai.OpenAI(base_url=base_url, api_key=mock_providers.api_key, max_retries=1) as client:
        images = client.images.generate(model="gpt-image-2", prompt="a small fox")
    assert images.data
    mock_providers.assert_requested(provider, times=2, model="gpt-image-2", prompt="fox")
    (rule,) = mock_providers.faults.list()
    assert (rule.matched, rule.fired) == (2, 1)
