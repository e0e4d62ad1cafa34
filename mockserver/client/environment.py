"""The environment variables that point clients at this server."""

from collections.abc import Callable

from mockserver.client.discovered import installed

OPENAI_PROVIDER = "xhuoapi"
"""Which provider an OpenAI client is sent to unless another is named."""


def client_environment(
    root_url: str, openai_provider: str = OPENAI_PROVIDER, key_for: Callable[[str], str] | None = None
) -> dict[str, str]:
    """Each provider's `…_BASE_URL` and `…_API_KEY`, and the two that OpenAI clients read, for a server at `root_url`.

    The keys are no secrets: any well-formed key is valid, unless the server was told which ones are.

    Args:
        openai_provider: the provider that OpenAI clients are sent to.
        key_for: the API key for a provider's name; by default that of its example call.

    Raises:
        ValueError: if `openai_provider` has no endpoints that an OpenAI client could use.
    """
    root, providers = root_url.rstrip("/"), installed()
    key_for = key_for or (lambda name: providers[name].example.key)
    openai = {name: provider.openai_path for name, provider in providers.items() if provider.openai_path is not None}
    if openai_provider not in openai:
        raise ValueError(f"{openai_provider!r:.40} has no endpoints for OpenAI clients; there are {', '.join(openai)}")
    lines = {
        "OPENAI_BASE_URL": f"{root}/{openai_provider}{openai[openai_provider]}",
        "OPENAI_API_KEY": key_for(openai_provider),
    }
    for name, provider in providers.items():
        lines[f"{name.upper()}_BASE_URL"] = provider.base_url(root)
        lines[f"{name.upper()}_API_KEY"] = key_for(name)
    return lines
