"""Where clients of the providers are to be pointed. The providers are looked up at the first need."""

from collections.abc import Callable
from functools import cache

DEFAULT_KEY = "sk_mock"
"""An API key that is well-formed at each provider."""


class Addresses:
    """One provider's addresses at a server."""

    def __init__(self, root_url: Callable[[], str], name: str) -> None:
        self._root_url = root_url
        self.name = name

    @property
    def base_url(self) -> str:
        """What replaces scheme and host of the real service: documented paths go on from here."""
        return f"{self._root_url()}/{self.name}"

    def _openai_base_url(self) -> str:
        return self.base_url + _openai_paths()[self.name]


@cache
def _openai_paths() -> dict[str, str]:
    from mockserver.providers.base import discover

    return {provider.name: provider.openai_path or "" for provider in discover()}


def client_variables(root_url: str, api_key: str) -> dict[str, str]:
    """`mockserver env` for a server at `root_url`, with a key of one's own."""
    from mockserver.client.environment import client_environment

    lines = client_environment(root_url)
    return {name: api_key if name.endswith("_API_KEY") else value for name, value in lines.items()}
