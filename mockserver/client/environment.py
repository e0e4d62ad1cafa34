"""The environment variables that point clients at this server."""

from mockserver.providers.base import discover

OPENAI_PROVIDER = "xhuoapi"
"""Which provider an OpenAI client is sent to unless another is named."""


def client_environment(root_url: str, openai_provider: str = OPENAI_PROVIDER) -> dict[str, str]:
    """Each provider's `…_BASE_URL` and `…_API_KEY`, and the two that OpenAI clients read, for a server at `root_url`.

    The keys are no secrets: any well-formed key is valid, unless the server was told which ones are.

    Raises:
        ValueError: if `openai_provider` has nothing that an OpenAI client could use.
    """
    root = root_url.rstrip("/")
    providers = {provider.name: provider for provider in discover()}
    openai = {name: provider.openai_path for name, provider in providers.items() if provider.openai_path}
    if openai_provider not in openai:
        raise ValueError(f"{openai_provider!r:.40} has no endpoints for OpenAI clients; there are {', '.join(openai)}")
    lines = {
        "OPENAI_BASE_URL": f"{root}/{openai_provider}{openai[openai_provider]}",
        "OPENAI_API_KEY": providers[openai_provider].example.key,
    }
    for name, provider in providers.items():
        lines[f"{name.upper()}_BASE_URL"] = provider.base_url(root)
        lines[f"{name.upper()}_API_KEY"] = provider.example.key
    return lines
