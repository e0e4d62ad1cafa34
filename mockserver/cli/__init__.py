"""The command line: arguments in, exit status out; knows every setting, decides nothing.

commands    the four commands, and what goes wrong in one line
options     the settings as flags, environment variables and keys of a TOML file
sources     the settings filled from all of them
serving     the running server: its first and its last lines, and the signals that end it
tables      what is emulated, as tables
"""

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (this process's own, unless given) and return its exit status."""
    # looking for plugins of pydantic's reads every installed package's metadata, at every start
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    try:
        return _commands()(arguments)
    except KeyboardInterrupt:
        return 130


def _commands() -> Callable[[Sequence[str] | None], int]:
    """What runs a command line: imported without looking through it for garbage, of which it has none."""
    gc.disable()
    try:
        with _no_certificates():
            from mockserver.cli.commands import run
    finally:
        gc.freeze()
        gc.enable()
    return run


@contextmanager
def _no_certificates() -> Iterator[None]:
    """Let aiohttp read no CA certificates at its import, which takes a tenth of the start.

    Its default contexts trust nobody then. `engine/outbound.py` reads the certificates for a callback that leaves.
    """
    before = {name: os.environ.get(name) for name in _CERTIFICATES}
    os.environ.update(dict.fromkeys(_CERTIFICATES, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
