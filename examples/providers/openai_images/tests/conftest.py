"""A server with this provider, and clients of it."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from mockserver.server import MockServer
from mockserver.settings import Settings
from mockserver_openai_images import PROVIDER


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    """Virtual clock, latency `instant`, seed "test"."""
    with MockServer(Settings(clock="virtual", latency="instant", seed="test")) as mock:
        yield mock


@pytest.fixture
def http(mock: MockServer) -> Iterator[httpx.Client]:
    """A client with the example's key; its paths are the documented ones."""
    headers = {"Authorization": f"Bearer {PROVIDER.example.key}"}
    with httpx.Client(base_url=f"{mock.root_url}/{PROVIDER.name}", headers=headers, timeout=10.0) as http:
        yield http


@pytest.fixture
def sdk(mock: MockServer) -> Iterator[openai.OpenAI]:
    """The official SDK, unmodified but for its base URL."""
    with openai.OpenAI(base_url=PROVIDER.base_url(mock.root_url), api_key=PROVIDER.example.key, max_retries=0) as sdk:
        yield sdk
