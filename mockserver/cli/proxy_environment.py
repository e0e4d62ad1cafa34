"""`mockserver env --proxy`: what leads a shell's programs to the proxy of a server that runs."""

import os
from pathlib import Path

from mockserver.client import MockClient
from mockserver.client.protocol import MockError
from mockserver.intercept.environment import program_variables
from mockserver.intercept.interception import write_bundle
from mockserver.intercept.running import interception_at, proxy_facts


def proxy_environment(root_url: str, ca_bundle: str | None) -> dict[str, str]:
    """The variables by name.

    Args:
        root_url: where the server is.
        ca_bundle: a file to write the certificates to; None for the server's own file, if that is on this machine.

    Raises:
        ValueError: if there is no server, if it has no proxy, or if its file is not here.
    """
    try:
        with MockClient(root_url) as mock:
            facts = mock.do(proxy_facts())
    except (MockError, OSError) as error:
        raise ValueError(f"--proxy: {root_url}: {error}") from None
    if ca_bundle is not None:
        try:
            bundle = write_bundle(Path(ca_bundle).absolute(), facts["ca_pem"])
        except OSError as error:
            raise ValueError(f"--ca-bundle {ca_bundle}: {error.strerror}") from None
    else:
        bundle = facts["ca_bundle"]
        if not _has(bundle, facts["ca_pem"]):
            raise ValueError(
                "the server's certificates are not on this machine: give --ca-bundle FILE to write them to"
            )
    return program_variables(interception_at(root_url, facts, bundle), os.environ)


def _has(path: str, text: str) -> bool:
    try:
        return text in Path(path).read_text("utf-8")
    except OSError:
        return False
