"""A client that asks for base64 where there is none; and one that does not."""

import httpx
import pytest

from mockserver.pytest_plugin import MockProviders


def generate(mock: MockProviders, **fields: str) -> None:
    httpx.post(
        f"{mock.icodeeasy.base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {mock.icodeeasy.api_key}"},
        json={"model": "gpt-image-2", "prompt": "an orange cat", **fields},
    ).raise_for_status()


def test_it_asks_for_base64(mock_providers: MockProviders) -> None:
    generate(mock_providers, response_format="b64_json")
    mock_providers.assert_well_behaved(ignore=["ignored-parameter"])
    with pytest.raises(AssertionError, match="ignored-parameter at icodeeasy: response_format") as caught:
        mock_providers.assert_well_behaved(ignore=["pays-twice"])
    assert "(IC-FMT-1)" in str(caught.value)
    with pytest.raises(ValueError, match="'pays-thrice' is no rule of advice; there are acts-on-duplicate, "):
        mock_providers.assert_well_behaved(ignore=["pays-thrice"])


def test_another_key_is_another_s_business(mock_providers: MockProviders) -> None:
    httpx.post(
        f"{mock_providers.icodeeasy.base_url}/v1/images/generations",
        headers={"Authorization": "Bearer sk_other"},
        json={"model": "gpt-image-2", "prompt": "an orange cat", "response_format": "b64_json"},
    ).raise_for_status()
    mock_providers.assert_well_behaved()
    assert [advice.rule for advice in mock_providers.advice(everyone=True)] == ["ignored-parameter"]
    with pytest.raises(AssertionError):
        mock_providers.assert_well_behaved(everyone=True)


def test_it_behaves(mock_providers: MockProviders) -> None:
    generate(mock_providers)
    assert mock_providers.advice() == []
    mock_providers.assert_well_behaved()
