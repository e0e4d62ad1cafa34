"""Classes of unittest."""

import unittest

import httpx
import pytest

from mockserver.pytest_plugin import MockProviders


class GenerationTest(unittest.TestCase):
    mock: MockProviders

    @pytest.fixture(autouse=True)
    def _mock(self, mock_providers: MockProviders) -> None:
        self.mock = mock_providers

    def generate(self) -> httpx.Response:
        return httpx.post(
            f"{self.mock.icodeeasy.base_url}/v1/images/generations",
            headers={"Authorization": f"Bearer {self.mock.api_key}"},
            json={"model": "gpt-image-2", "prompt": "x", "quality": "high"},
        )

    def test_success(self) -> None:
        assert self.generate().status_code == 200
        self.mock.assert_spent("icodeeasy", "0.40")

    def test_out_of_money(self) -> None:
        self.mock.icodeeasy.account().set(balance="0.39")
        assert self.generate().status_code == 402
        self.mock.assert_spent("icodeeasy", 0)


@pytest.mark.usefixtures("mock_providers")
class UsingTest(unittest.TestCase):
    def test_there_is_one(self) -> None:
        """A class that needs no handle: its code reads the environment, say."""
