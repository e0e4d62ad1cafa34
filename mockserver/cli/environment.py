"""`mockserver env`: environment variables that direct clients to a server, in a shell's or a .env file's syntax."""

import re
import shlex
from collections.abc import Callable, Mapping

from mockserver.cli.checks import address
from mockserver.cli.sources import load
from mockserver.client.environment import OPENAI_PROVIDER, client_environment
from mockserver.http.listening import root_url as settings_root_url

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,\[\]?=&-]+")


def lines(
    root_url: str | None,
    provider: str | None,
    shell: str | None,
    config: str | None,
    *,
    proxy: bool = False,
    ca_bundle: str | None = None,
) -> list[str]:
    """A line for each variable.

    Args:
        root_url: where the server is; None for where the variables and the file `config` put it.
        provider: where OpenAI clients go.
        proxy: the variables that lead unmodified programs to the proxy of a server that runs, instead.
        ca_bundle: with `proxy`, a file to write the certificates to.
        shell: sh, fish, powershell or dotenv; None for sh.

    Raises:
        ValueError: for an address, a provider or a shell that is none, or a port that is not known before the start.
    """
    form = _FORMS.get(shell or "sh")
    if form is None:
        raise ValueError(f"--shell: {shell:.40} is not one of {', '.join(_FORMS)}")
    root = address(root_url) if root_url is not None else _configured_root(config)
    if proxy:
        from mockserver.cli.proxy_environment import proxy_environment

        return [form(name, value) for name, value in proxy_environment(root, ca_bundle).items()]
    if ca_bundle is not None:
        raise ValueError("--ca-bundle goes with --proxy")
    return [form(name, value) for name, value in client_environment(root, provider or OPENAI_PROVIDER).items()]


def _configured_root(config: str | None) -> str:
    """The root URL of a server started with the environment variables and the TOML file only."""
    settings = load({}, config)
    if settings.port == 0 and not settings.public_url:
        raise ValueError("port 0 is another one each time: say --root-url, as the server prints it at its start")
    return settings_root_url(settings, settings.port)


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"$env:{name} = '{quoted}'"


def _dotenv(name: str, value: str) -> str:
    """Without quotes where possible: `docker run --env-file` would read them as part of the value."""
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'{name}="{quoted}"'


_FORMS: Mapping[str, Callable[[str, str], str]] = {
    "sh": _sh,
    "fish": _fish,
    "powershell": _powershell,
    "dotenv": _dotenv,
}
