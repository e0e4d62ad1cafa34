"""The environment variables that lead a program, and every program that it starts, to a mock."""

import os
from collections.abc import Mapping
from pathlib import Path

from mockserver.intercept.interception import Interception
from mockserver.intercept.redirect import VARIABLE, Target

HOOKS = Path(__file__).parent / "hooks"
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
DIRECT = "localhost,127.0.0.1,::1"
"""What programs reach without the proxy."""

BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS")


def target_of(interception: Interception) -> Target:
    """The mock as a Python process is led to it."""
    host, port = interception.address
    return Target(frozenset(interception.hosts), host, port, interception.ca_pem)


def hook_variables(interception: Interception, environment: Mapping[str, str]) -> dict[str, str]:
    """What Python and Node read at their start; what `environment` has in these variables is kept behind it."""
    require = f'--require "{_escaped(HOOKS / "node.cjs")}"'
    return {
        VARIABLE: target_of(interception).to_json(),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(HOOKS / "python"), environment.get("PYTHONPATH")))),
        "NODE_OPTIONS": " ".join(filter(None, (environment.get("NODE_OPTIONS"), require))),
    }


def proxy_variables(interception: Interception) -> dict[str, str]:
    """What other programs read: the proxy, and the certificates to trust."""
    return {
        **dict.fromkeys(PROXY_VARIABLES, interception.url),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), DIRECT),
        **dict.fromkeys(BUNDLE_VARIABLES, interception.bundle),
    }


def program_variables(interception: Interception, environment: Mapping[str, str]) -> dict[str, str]:
    """Everything that leads a program to the mock."""
    return {**proxy_variables(interception), **hook_variables(interception, environment)}


def proxy_in_the_way(environment: Mapping[str, str]) -> str | None:
    """The first proxy variable that is set already, which a program would lose."""
    return next((name for name in (*PROXY_VARIABLES, "ALL_PROXY", "all_proxy") if environment.get(name)), None)


def _escaped(path: Path) -> str:
    """A path as it stands between double quotes in NODE_OPTIONS."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
